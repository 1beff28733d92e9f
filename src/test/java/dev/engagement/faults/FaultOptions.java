package dev.engagement.faults;

import java.util.function.LongSupplier;

/**
 * What a run may be told by system properties.
 *
 * @param seed {@code -Dfaults.seed}: of the script and of the load; the same seed strikes the same faults in the same order
 * @param kills {@code -Dfaults.kills}: SIGKILLs in a random script
 * @param rate {@code -Dfaults.rate}: events a second
 * @param outbox {@code -Dfaults.source}: whether capture reads an outbox instead of the tables
 */
record FaultOptions(long seed, int kills, double rate, boolean outbox) {

    static final int DEFAULT_KILLS = 20;
    static final double DEFAULT_RATE = 1_000;

    FaultOptions {
        check(kills >= 1 && kills <= 10_000, "faults.kills", kills, "1 to 10000");
        check(rate >= 1 && rate <= 100_000, "faults.rate", rate, "1 to 100000 events a second");
    }

    static FaultOptions fromSystemProperties(LongSupplier newSeed) {
        return fromSystemProperties(newSeed, DEFAULT_RATE);
    }

    /** @param rate unless somebody says otherwise */
    static FaultOptions fromSystemProperties(LongSupplier newSeed, double rate) {
        String seed = System.getProperty("faults.seed");
        return new FaultOptions(
                seed == null ? newSeed.getAsLong() : number("faults.seed", seed),
                Math.toIntExact(number("faults.kills", System.getProperty("faults.kills", "" + DEFAULT_KILLS))),
                number("faults.rate", System.getProperty("faults.rate", "" + (long) rate)),
                isOutbox(System.getProperty("faults.source", "tables")));
    }

    /** The same of an outbox. */
    FaultOptions ofOutbox() {
        return new FaultOptions(seed, kills, rate, true);
    }

    private static boolean isOutbox(String source) {
        return switch (source) {
            case "tables" -> false;
            case "outbox" -> true;
            default ->
                throw new IllegalArgumentException(
                        "-Dfaults.source is '" + source + "'; it needs to be tables or outbox");
        };
    }

    /** What replays this run. */
    String replay() {
        return "-Dfaults.seed=" + seed + " -Dfaults.kills=" + kills + " -Dfaults.rate=" + (long) rate
                + (outbox ? " -Dfaults.source=outbox" : "");
    }

    private static long number(String property, String value) {
        try {
            return Long.parseLong(value.strip());
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "-D" + property + " is '" + value + "'; it needs to be a whole number", e);
        }
    }

    private static void check(boolean valid, String property, Object value, String expected) {
        if (!valid) {
            throw new IllegalArgumentException("-D" + property + " is " + value + "; it needs to be " + expected);
        }
    }
}
