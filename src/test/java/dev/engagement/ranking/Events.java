package dev.engagement.ranking;

import dev.engagement.event.Content;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EngagementRule;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.Position;

/** Events for tests of ranking. */
final class Events {

    private Events() {}

    /** Stamped by a clock that goes right. */
    static EnrichedEvent at(long eventMillis, String contentId, int durationMs) {
        return of(contentId, eventMillis * 1_000, eventMillis, durationMs);
    }

    static EnrichedEvent of(String contentId, long eventMicros, long kafkaMillis, int durationMs) {
        EngagementEvent event = new EngagementEvent(
                1,
                contentId,
                null,
                "play",
                eventMicros,
                durationMs,
                null,
                null,
                false,
                0,
                new Position(0, 0, kafkaMillis));
        return EngagementRule.DEFAULT.enrich(event, new Content(contentId, null, null, null, null, null));
    }
}
