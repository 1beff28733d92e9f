package dev.engagement.source;

import dev.engagement.event.Timestamps;
import java.io.Serializable;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.jspecify.annotations.Nullable;

/**
 * Which rows: those whose event_ts lies within {@code [from, to)}.
 *
 * @param fromMicros microseconds since the epoch, within years 1..9999
 * @param toMicros microseconds since the epoch, within years 1..9999, after {@code fromMicros}
 */
public record RangeOptions(long fromMicros, long toMicros) implements Serializable {

    private static final long serialVersionUID = 1L;

    private static final Instant FIRST = Instant.EPOCH.plus(Timestamps.MIN_MICROS, ChronoUnit.MICROS);
    private static final Instant LAST = Instant.EPOCH.plus(Timestamps.MAX_MICROS, ChronoUnit.MICROS);

    public RangeOptions {
        if (fromMicros >= toMicros) {
            throw new IllegalArgumentException("from is " + Timestamps.format(fromMicros) + " and to is "
                    + Timestamps.format(toMicros)
                    + "; the range is [from, to) of event_ts, so from must be before to");
        }
    }

    /**
     * A range between two times, cut to microseconds.
     *
     * @param from null if nobody said
     * @param to null if nobody said
     */
    public static RangeOptions of(@Nullable Instant from, @Nullable Instant to) {
        return new RangeOptions(micros("from", from), micros("to", to));
    }

    private static long micros(String option, @Nullable Instant time) {
        if (time == null) {
            throw new IllegalArgumentException(option + " is missing; give --from and --to, the range [from, to) of"
                    + " event_ts, such as --from 2026-01-08T09:00:00Z --to 2026-01-08T10:00:00Z");
        }
        if (time.isBefore(FIRST) || time.isAfter(LAST)) {
            throw new IllegalArgumentException(option + " is " + time + "; it must lie within years 1..9999");
        }
        return Timestamps.microsOf(time);
    }

    /**
     * A range that has not ended yet would mean other rows each time it is read.
     *
     * @throws IllegalArgumentException if it ends after {@code now}
     */
    public void requirePast(Instant now) {
        if (toMicros > Timestamps.microsOf(now)) {
            throw new IllegalArgumentException(
                    "to is " + Timestamps.format(toMicros)
                            + ", which is in the future; what is still to come reaches the stream by capture. Give a time up to now");
        }
    }

    /** {@code [2026-01-08T09:00:00.000000Z, 2026-01-08T10:00:00.000000Z)}. */
    @Override
    public String toString() {
        return "[" + Timestamps.format(fromMicros) + ", " + Timestamps.format(toMicros) + ")";
    }
}
