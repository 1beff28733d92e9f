package dev.engagement.event;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class EventJsonTest {

    private static final Content CONTENT =
            new Content("c-1", "a-slug", "Täglich \"neu\"", "video", 300, Samples.BASE_MICROS);

    @Test
    void the_enriched_form_is_the_contracts_to_the_byte() {
        EngagementEvent event = new EngagementEvent(
                16,
                "c-1",
                "u-1",
                "play",
                Samples.BASE_MICROS,
                7_000,
                "web",
                "{ \"b\":1,  \"a\":[2.50] }",
                false,
                0,
                new Position(0, 0, 0));

        assertThat(text(EventJson.enriched(EngagementRule.DEFAULT.enrich(event, CONTENT))))
                .isEqualTo("{\"event_id\":16,\"content_id\":\"c-1\",\"user_id\":\"u-1\",\"event_type\":\"play\","
                        + "\"event_ts\":\"2026-01-08T14:21:52.000000Z\",\"duration_ms\":7000,\"device\":\"web\","
                        + "\"raw_payload\":{ \"b\":1,  \"a\":[2.50] },\"slug\":\"a-slug\","
                        + "\"title\":\"Täglich \\\"neu\\\"\",\"content_type\":\"video\",\"length_seconds\":300,"
                        + "\"publish_ts\":\"2026-01-08T14:21:52.000000Z\",\"engagement_seconds\":7.0,"
                        + "\"engagement_pct\":0.02}");
    }

    @Test
    void nulls_are_written() {
        EngagementEvent event = new EngagementEvent(
                Long.MAX_VALUE,
                "c-1",
                null,
                null,
                Samples.BASE_MICROS,
                EngagementEvent.NO_DURATION,
                null,
                null,
                true,
                0,
                new Position(0, 0, 0));
        Content bare = new Content("c-1", null, null, null, null, null);

        assertThat(text(EventJson.enriched(EngagementRule.DEFAULT.enrich(event, bare))))
                .isEqualTo("{\"event_id\":9223372036854775807,\"content_id\":\"c-1\",\"user_id\":null,"
                        + "\"event_type\":null,\"event_ts\":\"2026-01-08T14:21:52.000000Z\",\"duration_ms\":null,"
                        + "\"device\":null,\"raw_payload\":null,\"slug\":null,\"title\":null,\"content_type\":null,"
                        + "\"length_seconds\":null,\"publish_ts\":null,\"engagement_seconds\":null,"
                        + "\"engagement_pct\":null}");
    }

    private static String text(byte[] json) {
        return new String(json, StandardCharsets.UTF_8);
    }
}
