package dev.engagement.capture;

/** Log sequence numbers as PostgreSQL writes them. */
final class Lsns {

    private Lsns() {}

    /** {@code 16/B374D848}. */
    static String format(long lsn) {
        return String.format("%X/%X", lsn >>> 32, lsn & 0xFFFF_FFFFL);
    }
}
