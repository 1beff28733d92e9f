package dev.engagement.liveview;

import dev.engagement.event.Content;
import dev.engagement.event.Engagement;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.Timestamps;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Single events in the live view, {@code engagement_events:event:*}: best effort, the first to be left out. */
public final class EventCache {

    /** How long after it came into Kafka an event is kept: the same time in every replay. */
    public static final Duration KEPT_FOR = Duration.ofHours(1);

    private EventCache() {}

    /**
     * When an event is no longer kept, milliseconds since the epoch.
     *
     * @param nowMillis the wall clock: a Kafka timestamp ahead of it keeps no event for longer
     */
    public static long expiresAtMillis(EngagementEvent event, long nowMillis) {
        return Math.min(event.position().timestampMillis(), nowMillis) + KEPT_FOR.toMillis();
    }

    /**
     * The write that keeps an event: the fields of its enriched JSON as a flat hash, without those that are null.
     *
     * @param nowMillis the wall clock
     */
    public static ScriptedWrite write(EnrichedEvent enriched, LiveViewKeys keys, long nowMillis) {
        EngagementEvent event = enriched.event();
        Content content = enriched.content();
        Engagement engagement = enriched.engagement();
        List<byte[]> arguments = new ArrayList<>(31);
        arguments.add(bytes(Long.toString(expiresAtMillis(event, nowMillis))));
        String id = event.textId() == null ? Long.toString(event.id()) : event.textId();
        field(arguments, "event_id", id);
        field(arguments, "content_id", event.contentId());
        field(arguments, "user_id", event.userId());
        field(arguments, "event_type", event.eventType());
        field(arguments, "event_ts", Timestamps.format(event.eventTsMicros()));
        field(arguments, "duration_ms", event.hasDuration() ? Integer.toString(event.durationMs()) : null);
        field(arguments, "device", event.device());
        field(arguments, "raw_payload", event.rawPayload());
        field(arguments, "slug", content.slug());
        field(arguments, "title", content.title());
        field(arguments, "content_type", content.contentType());
        field(
                arguments,
                "length_seconds",
                content.lengthSeconds() == null ? null : content.lengthSeconds().toString());
        field(
                arguments,
                "publish_ts",
                content.publishTsMicros() == null ? null : Timestamps.format(content.publishTsMicros()));
        field(arguments, "engagement_seconds", engagement.hasSeconds() ? engagement.secondsText() : null);
        field(arguments, "engagement_pct", engagement.hasPct() ? engagement.pctText() : null);
        return new ScriptedWrite(LiveViewScript.EVENT, List.of(bytes(keys.event(id))), arguments);
    }

    private static void field(List<byte[]> arguments, String name, @Nullable String value) {
        if (value != null) {
            arguments.add(bytes(name));
            arguments.add(bytes(value));
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
