package dev.engagement.bench;

import java.io.Serializable;
import java.time.Duration;

/**
 * The event time of a benchmark: ahead of the wall clock, and the clock skew that is allowed makes room for it.
 *
 * <p>A board that ended a minute ago by the wall clock is not published, and that of an hour to come is, if clocks may be
 * so wrong. So a benchmark that runs through a quarter of an hour in seconds publishes the board of every slide end.
 *
 * @param startMicros of the first event
 * @param stepMicros from one event to the next
 */
record EventHour(long startMicros, long stepMicros) implements Serializable {

    private static final long serialVersionUID = 1L;

    /** How much event time a benchmark runs through, whatever the number of events: a window and half another. */
    static final Duration SPAN = Duration.ofMinutes(15);

    /** Longer than any benchmark takes. */
    static final Duration ALLOWED_SKEW = Duration.ofDays(1);

    private static final Duration AHEAD = Duration.ofHours(3);
    private static final long MINUTE_MICROS = 60_000_000;

    /** Begins on a minute, which is a slide end at each slide. */
    static EventHour of(int events) {
        long now = System.currentTimeMillis() * 1_000;
        long start = (now + AHEAD.toMillis() * 1_000) / MINUTE_MICROS * MINUTE_MICROS;
        return new EventHour(start, Math.max(1, SPAN.toMillis() * 1_000 / events));
    }

    long microsOf(long number) {
        return startMicros + number * stepMicros;
    }

    /** The number of the first event that is not before a time. */
    long firstAt(long micros) {
        return Math.max(0, -Math.floorDiv(startMicros - micros, stepMicros));
    }

    double eventsPerSecond() {
        return 1e6 / stepMicros;
    }
}
