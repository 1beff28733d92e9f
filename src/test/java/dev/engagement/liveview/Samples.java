package dev.engagement.liveview;

import dev.engagement.event.Content;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EngagementRule;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.Position;
import org.jspecify.annotations.Nullable;

/** Events and contents to show. */
public final class Samples {

    private Samples() {}

    public static Content content(String id) {
        return new Content(id, "slug-" + id, "Title of " + id, "video", 300, 1_767_882_112_000_000L);
    }

    /** A played event of that content, committed and read when it happened. */
    public static EnrichedEvent event(String contentId, long id, long eventTsMicros) {
        return event(contentId, id, eventTsMicros, "web", "{\"q\":1}", false);
    }

    public static EnrichedEvent event(
            String contentId,
            long id,
            long eventTsMicros,
            @Nullable String device,
            @Nullable String rawPayload,
            boolean snapshot) {
        long millis = Math.floorDiv(eventTsMicros, 1_000L);
        EngagementEvent event = new EngagementEvent(
                id,
                contentId,
                "user",
                "play",
                eventTsMicros,
                7_000,
                device,
                rawPayload,
                snapshot,
                snapshot ? EngagementEvent.UNKNOWN_TIME : millis,
                new Position(0, id, millis));
        return EngagementRule.DEFAULT.enrich(event, content(contentId));
    }

    public static LiveValue.Last last(String contentId, long id, long eventTsMicros) {
        return new LiveValue.Last(event(contentId, id, eventTsMicros));
    }
}
