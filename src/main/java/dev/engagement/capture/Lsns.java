package dev.engagement.capture;

/** Log sequence numbers as PostgreSQL writes them. */
final class Lsns {

    private static final int HALF_BITS = 32;

    private Lsns() {}

    /** {@code 16/B374D848}. */
    static String format(long lsn) {
        return String.format("%X/%X", lsn >>> HALF_BITS, lsn & 0xFFFF_FFFFL);
    }

    /**
     * The other way round.
     *
     * @throws IllegalArgumentException if it is none
     */
    static long parse(String text) {
        String[] halves = text.split("/", -1);
        if (halves.length != 2) {
            throw new IllegalArgumentException("'" + text + "' is no log sequence number");
        }
        return (long) Integer.parseUnsignedInt(halves[0], 16) << HALF_BITS
                | Integer.toUnsignedLong(Integer.parseUnsignedInt(halves[1], 16));
    }
}
