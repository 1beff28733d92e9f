package dev.engagement.ingest;

import java.io.Serializable;
import java.time.Duration;

/**
 * How event time moves.
 *
 * @param maxOutOfOrderness how much older than the newest event another may be before it counts as late
 * @param maxClockSkew how far ahead of its own Kafka timestamp an event may be stamped and still move event time
 * @param idleTimeout after how long without a record a partition that was read to its end follows the wall clock
 */
public record EventTimeOptions(Duration maxOutOfOrderness, Duration maxClockSkew, Duration idleTimeout)
        implements Serializable {

    private static final long serialVersionUID = 1L;

    /** The contract's defaults. */
    public static final EventTimeOptions DEFAULT =
            new EventTimeOptions(Duration.ofSeconds(2), Duration.ofMinutes(1), Duration.ofSeconds(1));

    public EventTimeOptions {
        notNegative("ranking.max-out-of-orderness", maxOutOfOrderness);
        notNegative("ranking.max-clock-skew", maxClockSkew);
        if (idleTimeout.compareTo(Duration.ofMillis(10)) < 0) {
            throw new IllegalArgumentException(
                    "ranking.idle-timeout is " + idleTimeout + "; it must be at least 10 ms");
        }
    }

    private static void notNegative(String option, Duration value) {
        if (value.isNegative()) {
            throw new IllegalArgumentException(option + " is " + value + "; it must not be negative");
        }
    }
}
