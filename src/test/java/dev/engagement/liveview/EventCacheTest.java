package dev.engagement.liveview;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.Content;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EngagementRule;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.Position;
import java.util.List;
import org.junit.jupiter.api.Test;

class EventCacheTest {

    private static final LiveViewKeys KEYS = new LiveViewKeys("p:");
    private static final long KAFKA_MILLIS = 1_767_882_112_345L;
    private static final long NOW = KAFKA_MILLIS + 17;

    @Test
    void an_event_is_a_flat_hash_of_the_texts_of_its_enriched_json() {
        EngagementEvent event = event("user", "play", 7_000, "web", "{\"a\": 1}", KAFKA_MILLIS);
        Content content = new Content("c1", "slug", "Title", "video", 300, 1_767_882_112_000_000L);

        ScriptedWrite write = EventCache.write(enriched(event, content), KEYS, NOW);

        assertThat(write.script()).isEqualTo(LiveViewScript.EVENT);
        assertThat(RecordedWrites.texts(write.keys())).containsExactly("p:engagement_events:event:16");
        assertThat(RecordedWrites.texts(write.arguments()))
                .isEqualTo(List.of(
                        "1767885712345",
                        "event_id",
                        "16",
                        "content_id",
                        "c1",
                        "user_id",
                        "user",
                        "event_type",
                        "play",
                        "event_ts",
                        "2026-01-08T14:21:52.000001Z",
                        "duration_ms",
                        "7000",
                        "device",
                        "web",
                        "raw_payload",
                        "{\"a\": 1}",
                        "slug",
                        "slug",
                        "title",
                        "Title",
                        "content_type",
                        "video",
                        "length_seconds",
                        "300",
                        "publish_ts",
                        "2026-01-08T14:21:52.000000Z",
                        "engagement_seconds",
                        "7.0",
                        "engagement_pct",
                        "0.02"));
    }

    @Test
    void a_null_is_an_absent_field() {
        EngagementEvent event = event(null, null, EngagementEvent.NO_DURATION, null, null, KAFKA_MILLIS);

        ScriptedWrite write =
                EventCache.write(enriched(event, new Content("c1", null, null, null, null, null)), KEYS, NOW);

        assertThat(RecordedWrites.texts(write.arguments()))
                .containsExactly(
                        "1767885712345",
                        "event_id",
                        "16",
                        "content_id",
                        "c1",
                        "event_ts",
                        "2026-01-08T14:21:52.000001Z");
    }

    @Test
    void a_kafka_timestamp_ahead_of_the_wall_clock_keeps_an_event_no_longer_than_an_hour() {
        EngagementEvent ahead = event(null, null, 0, null, null, Long.MAX_VALUE);

        assertThat(EventCache.expiresAtMillis(ahead, NOW)).isEqualTo(NOW + 3_600_000);
        assertThat(RecordedWrites.texts(EventCache.write(enriched(ahead, Samples.content("c1")), KEYS, NOW)
                                .arguments())
                        .get(0))
                .isEqualTo(Long.toString(NOW + 3_600_000));
    }

    private static EngagementEvent event(
            String userId, String type, int durationMs, String device, String rawPayload, long kafkaMillis) {
        return new EngagementEvent(
                16,
                "c1",
                userId,
                type,
                1_767_882_112_000_001L,
                durationMs,
                device,
                rawPayload,
                false,
                0,
                new Position(0, 0, kafkaMillis));
    }

    private static EnrichedEvent enriched(EngagementEvent event, Content content) {
        return EngagementRule.DEFAULT.enrich(event, content);
    }
}
