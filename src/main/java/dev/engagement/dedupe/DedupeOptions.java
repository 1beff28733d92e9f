package dev.engagement.dedupe;

import dev.engagement.event.EventIdKind;
import java.io.Serializable;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How long ids are remembered, and of how many what they stood for.
 *
 * @param horizon how long after the Kafka time of its first arrival an id is remembered at least; null for ever
 * @param ids what they are: texts are kept whole, so there is a horizon to them
 * @param conflictWindow of how many of its latest ids a subtask knows the facts, so that a repeated id with others is a
 *     dead letter and not a duplicate; 0 for none
 */
public record DedupeOptions(@Nullable Duration horizon, EventIdKind ids, int conflictWindow) implements Serializable {

    private static final long serialVersionUID = 1L;

    /** Ids are numbers, and never forgotten. */
    public static final DedupeOptions DEFAULT = new DedupeOptions(null, EventIdKind.LONG, 0);

    /** Places of 16 bytes, which is 256 MB. */
    public static final int MAX_CONFLICT_WINDOW = 1 << 24;

    /** How long texts are remembered if nobody says. */
    public static final Duration HORIZON_OF_TEXTS = Duration.ofDays(7);

    public DedupeOptions {
        if (horizon == null && ids == EventIdKind.TEXT) {
            throw new IllegalArgumentException(
                    "dedupe.horizon is 'none' and ingest.event-id is 'text'; such ids are kept"
                            + " whole, so they cannot be kept for ever: give a duration such as 7 d, which is the default then");
        }
        if (horizon != null && horizon.compareTo(Duration.ofHours(1)) < 0) {
            throw new IllegalArgumentException("dedupe.horizon is " + horizon
                    + "; it must be at least 1 h, or 'none' to remember for ever: an event that arrives again later"
                    + " than that is counted twice");
        }
        if (conflictWindow < 0 || conflictWindow > MAX_CONFLICT_WINDOW) {
            throw new IllegalArgumentException("dedupe.conflict-window is " + conflictWindow + "; it must be 0 to "
                    + MAX_CONFLICT_WINDOW + " ids, of 16 bytes each in every subtask");
        }
    }
}
