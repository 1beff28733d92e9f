package dev.engagement.liveview;

import dev.engagement.event.Content;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EngagementRule;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.Position;
import dev.engagement.event.RollupRow;
import dev.engagement.event.RollupShape;
import java.math.BigDecimal;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Events, contents and windows to show. */
public final class Samples {

    /** By event type and window size alone. */
    public static final RollupShape METRICS =
            new RollupShape("metrics_30s", List.of("event_type"), List.of("count", "unique_users"), "30s", true, true);

    /** By two columns, one of them renamed. */
    public static final RollupShape HOURLY =
            new RollupShape("hourly", List.of("category", "device"), List.of("count"), null, false, true);

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

    /** A played event of no content. */
    public static EnrichedEvent eventWithoutContent(long id) {
        EngagementEvent event = event("none", id, 1_767_882_112_000_000L).event();
        return EngagementRule.DEFAULT.enrich(
                new EngagementEvent(
                        id,
                        null,
                        event.userId(),
                        event.eventType(),
                        event.eventTsMicros(),
                        event.durationMs(),
                        event.device(),
                        event.rawPayload(),
                        false,
                        EngagementEvent.UNKNOWN_TIME,
                        event.position()),
                Content.NONE);
    }

    /** A window of {@link #METRICS}; as many users as events. */
    public static RollupRow metric(String eventType, long windowEndMillis, long events) {
        BigDecimal count = BigDecimal.valueOf(events);
        return new RollupRow(
                METRICS.rollup(),
                windowEndMillis - 30_000,
                windowEndMillis,
                List.of(eventType),
                List.of(count, count),
                true,
                0,
                events,
                false);
    }

    /** A window of {@link #HOURLY}. */
    public static RollupRow hourly(String category, String device, long windowEndMillis, long events) {
        return new RollupRow(
                HOURLY.rollup(),
                windowEndMillis - 3_600_000,
                windowEndMillis,
                List.of(category, device),
                List.of(BigDecimal.valueOf(events)),
                true,
                0,
                events,
                true);
    }

    /** The window as it is shown. */
    public static RollupCell cell(RollupRow row) {
        RollupShape shape = row.rollup().equals(METRICS.rollup()) ? METRICS : HOURLY;
        return RollupCell.of(row, shape, RollupCell.windows(row, shape));
    }

    public static LiveValue.Last last(String contentId, long id, long eventTsMicros) {
        return new LiveValue.Last(event(contentId, id, eventTsMicros));
    }
}
