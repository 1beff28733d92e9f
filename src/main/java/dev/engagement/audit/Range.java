package dev.engagement.audit;

import dev.engagement.event.Timestamps;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedSet;

/**
 * A stretch of event time, {@code [from, to)}.
 *
 * @param fromMicros microseconds since the epoch
 * @param toMicros microseconds since the epoch, above {@code fromMicros}
 */
record Range(long fromMicros, long toMicros) {

    static final long MICROS_PER_MINUTE = 60_000_000L;
    private static final long MICROS_PER_DAY = 1_440 * MICROS_PER_MINUTE;

    /** Any event_ts that an event may have. */
    static final Range ALWAYS = new Range(Timestamps.MIN_MICROS, Timestamps.MAX_MICROS + 1);

    Range {
        if (fromMicros >= toMicros) {
            throw new IllegalArgumentException("A range ends after it begins");
        }
    }

    static Range of(Instant from, Instant to) {
        return new Range(Timestamps.microsOf(from), Timestamps.microsOf(to));
    }

    /** Days that it has a part in, one at least. */
    long days() {
        return Math.floorDiv(toMicros - 1, MICROS_PER_DAY) - Math.floorDiv(fromMicros, MICROS_PER_DAY) + 1;
    }

    static long minuteOf(long micros) {
        return Math.floorDiv(micros, MICROS_PER_MINUTE);
    }

    Instant from() {
        return Instant.EPOCH.plus(fromMicros, ChronoUnit.MICROS);
    }

    Instant to() {
        return Instant.EPOCH.plus(toMicros, ChronoUnit.MICROS);
    }

    boolean contains(long micros) {
        return fromMicros <= micros && micros < toMicros;
    }

    /**
     * What those minutes have of this range, neighbours joined.
     *
     * @param minutes since the epoch; each has a part in this range
     */
    List<Range> of(SortedSet<Long> minutes) {
        List<Range> ranges = new ArrayList<>();
        long from = 0;
        long next = Long.MIN_VALUE;
        for (long minute : minutes) {
            if (minute != next) {
                if (next != Long.MIN_VALUE) {
                    ranges.add(part(from, next));
                }
                from = minute;
            }
            next = minute + 1;
        }
        if (next != Long.MIN_VALUE) {
            ranges.add(part(from, next));
        }
        return ranges;
    }

    private Range part(long fromMinute, long toMinute) {
        return new Range(
                Math.max(fromMicros, fromMinute * MICROS_PER_MINUTE), Math.min(toMicros, toMinute * MICROS_PER_MINUTE));
    }
}
