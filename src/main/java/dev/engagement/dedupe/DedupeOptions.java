package dev.engagement.dedupe;

import java.io.Serializable;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How long ids are remembered.
 *
 * @param horizon how long after the Kafka time of its first arrival an id is remembered at least; null for ever
 */
public record DedupeOptions(@Nullable Duration horizon) implements Serializable {

    private static final long serialVersionUID = 1L;

    /** Ids are never forgotten. */
    public static final DedupeOptions DEFAULT = new DedupeOptions(null);

    public DedupeOptions {
        if (horizon != null && horizon.compareTo(Duration.ofHours(1)) < 0) {
            throw new IllegalArgumentException("dedupe.horizon is " + horizon
                    + "; it must be at least 1 h, or 'none' to remember for ever: an event that arrives again later"
                    + " than that is counted twice");
        }
    }
}
