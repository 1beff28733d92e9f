package dev.engagement.rollup;

/**
 * The number that says which of two values of a cell is the newer one: a generation, and how many events the value is of.
 * The job's own are of generation 0; a value that was computed anew from the source has the next one, so that nothing the job
 * may still write of the cell takes its place.
 */
public final class RollupVersion {

    /** More events than any cell has. */
    private static final long EVENTS = 1_000_000_000_000L;

    private RollupVersion() {}

    /** How many events the value is of. */
    public static long events(long version) {
        return version % EVENTS;
    }

    /** How often the cell had been computed anew. */
    public static long generation(long version) {
        return version / EVENTS;
    }

    /**
     * The version of a value that is computed anew.
     *
     * @param stored the version that the cell's row has, 0 if there is none
     * @param events how many events the value is of
     */
    public static long computedAnew(long stored, long events) {
        return (generation(stored) + 1) * EVENTS + events;
    }
}
