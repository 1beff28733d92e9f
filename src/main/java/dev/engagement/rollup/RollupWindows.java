package dev.engagement.rollup;

import dev.engagement.rollup.definition.RollupDefinition;

/**
 * Windows of a rollup one behind the other, by their starts. Immutable.
 *
 * @param rollup whose
 * @param fromMillis start of the first one, milliseconds since the epoch
 * @param toMillis start of the first one that is not among them; equal if there are none
 */
public record RollupWindows(RollupDefinition rollup, long fromMillis, long toMillis) {

    private static final long MICROS = 1_000;

    public RollupWindows {
        long slide = rollup.slideMillis();
        if (fromMillis % slide != 0 || toMillis % slide != 0) {
            throw new IllegalArgumentException("Windows of " + rollup.name() + " begin at multiples of " + slide
                    + " ms, and not at " + fromMillis + " and " + toMillis);
        }
        toMillis = Math.max(fromMillis, toMillis);
    }

    /** Those that begin in {@code [from, to)}, microseconds since the epoch. */
    public static RollupWindows beginningIn(RollupDefinition rollup, long fromMicros, long toMicros) {
        return new RollupWindows(rollup, startFrom(rollup, fromMicros), startFrom(rollup, toMicros));
    }

    /** Those that lie within {@code [from, to)} as a whole, microseconds since the epoch. */
    public static RollupWindows within(RollupDefinition rollup, long fromMicros, long toMicros) {
        return beginningIn(rollup, fromMicros, toMicros).endedBy(toMicros);
    }

    /** The first start at or behind a time. */
    private static long startFrom(RollupDefinition rollup, long micros) {
        return -Math.floorDiv(-micros, rollup.slideMillis() * MICROS) * rollup.slideMillis();
    }

    /** Those of these that have ended by then, microseconds since the epoch. */
    public RollupWindows endedBy(long micros) {
        long last = Math.floorDiv(micros - rollup.windowMillis() * MICROS, rollup.slideMillis() * MICROS);
        return new RollupWindows(rollup, fromMillis, Math.min(toMillis, (last + 1) * rollup.slideMillis()));
    }

    /** Those of these that do not begin before then, microseconds since the epoch. */
    public RollupWindows notBefore(long micros) {
        return new RollupWindows(rollup, Math.max(fromMillis, startFrom(rollup, micros)), toMillis);
    }

    /** Those of these that begin behind the others, which are of the same rollup. */
    public RollupWindows behind(RollupWindows others) {
        return new RollupWindows(rollup, Math.max(fromMillis, others.toMillis), toMillis);
    }

    /**
     * Those of these that have a part in the time from then on.
     *
     * @param millis of an event, say, since the epoch
     */
    RollupWindows from(long millis) {
        long slide = rollup.slideMillis();
        long first = (Math.floorDiv(millis - rollup.windowMillis(), slide) + 1) * slide;
        return new RollupWindows(rollup, Math.max(fromMillis, first), toMillis);
    }

    /** The first of these, whose starts lie within a length of time; one at least if there is any. */
    RollupWindows first(long millis) {
        long slide = rollup.slideMillis();
        long length = Math.max(1, millis / slide) * slide;
        return new RollupWindows(rollup, fromMillis, Math.min(toMillis, fromMillis + length));
    }

    /** None of these. */
    RollupWindows none() {
        return new RollupWindows(rollup, toMillis, toMillis);
    }

    public boolean isEmpty() {
        return fromMillis == toMillis;
    }

    /** How many. */
    public long count() {
        return (toMillis - fromMillis) / rollup.slideMillis();
    }

    /** The end of the last one, milliseconds since the epoch; up to there an event may be in one of them. */
    public long endMillis() {
        return isEmpty() ? fromMillis : toMillis - rollup.slideMillis() + rollup.windowMillis();
    }
}
