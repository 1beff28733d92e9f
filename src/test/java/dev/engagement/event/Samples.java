package dev.engagement.event;

import java.util.UUID;

/** Values for tests, each told apart by its number. */
public final class Samples {

    /** 2026-01-08T14:21:52Z. */
    public static final long BASE_MICROS = 1_767_882_112_000_000L;

    private Samples() {}

    public static String contentId(long number) {
        return new UUID(0xC0, number).toString();
    }

    public static Content content(long number) {
        return new Content(
                contentId(number), "slug-" + number, "Title " + number, "podcast", 300, BASE_MICROS - 86_400_000_000L);
    }

    public static EngagementEvent event(long id, long contentNumber) {
        return event(id, contentNumber, BASE_MICROS + id * 1_000);
    }

    public static EngagementEvent event(long id, long contentNumber, long eventTsMicros) {
        return new EngagementEvent(
                id,
                contentId(contentNumber),
                new UUID(0xAB, id % 100).toString(),
                "play",
                eventTsMicros,
                7_000,
                "web",
                "{\"a\": 1}",
                false,
                eventTsMicros / 1_000 + 5,
                new Position((int) Math.floorMod(id, 16L), id, eventTsMicros / 1_000 + 10));
    }

    /** The event of that number that has no content. */
    public static EngagementEvent eventWithoutContent(long id) {
        EngagementEvent event = event(id, 0);
        return new EngagementEvent(
                id,
                null,
                event.userId(),
                event.eventType(),
                event.eventTsMicros(),
                event.durationMs(),
                event.device(),
                event.rawPayload(),
                event.snapshot(),
                event.committedAtMillis(),
                event.position());
    }

    public static EnrichedEvent enriched(long id, long contentNumber) {
        return EngagementRule.DEFAULT.enrich(event(id, contentNumber), content(contentNumber));
    }

    public static ContentChange.Put put(long contentNumber) {
        return new ContentChange.Put(
                content(contentNumber), ContentChange.Unchanged.NOTHING, new Position(0, contentNumber, 0));
    }
}
