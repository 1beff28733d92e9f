package dev.engagement.local.receiver;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.EventId;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class WebhookIdsTest {

    @Test
    void each_text_is_one_id_and_seen_once() {
        WebhookIds ids = new WebhookIds();
        List<String> texts = List.of(
                "evt_1",
                "evt_01",
                "evt_-1",
                "evt_+1",
                "evt_",
                "evt_0",
                "evt_00",
                "evt_999999999999999999",
                "evt_9999999999999999999",
                "evt_123456789012345678901234567890",
                "EVT_1",
                "1",
                "bat_00000000000000000000000000000000",
                "bat_00000000000000010000000000000000",
                "bat_0000000000000001000000000000000g",
                "bat_000000000000000A0000000000000000",
                "bat_000000000000000a0000000000000000",
                "bat_ffffffffffffffffffffffffffffffff",
                "bat_0",
                "msg_p5jXN8AQM9LWM0D4loKWxJek");
        for (String each : texts) {
            assertThat(ids.add(each)).as(each).isTrue();
        }
        for (String each : texts) {
            assertThat(ids.add(each)).as(each).isFalse();
        }
        assertThat(ids.size()).isEqualTo(texts.size());
    }

    @Test
    void many_that_are_not_of_events_are_kept_apart() {
        WebhookIds ids = new WebhookIds();
        for (int i = 0; i < 20_000; i++) {
            assertThat(ids.add("other_" + i)).isTrue();
        }
        for (int i = 0; i < 20_000; i++) {
            assertThat(ids.add("other_" + i)).isFalse();
        }
        assertThat(ids.size()).isEqualTo(20_000);
    }

    @Test
    void a_name_is_the_events_or_the_batchs_own() {
        assertThat(WebhookIds.isNameOf("evt_17", ids(17))).isTrue();
        assertThat(WebhookIds.isNameOf("evt_17", ids(18))).isFalse();
        assertThat(WebhookIds.isNameOf("evt_17", ids(17, 18))).isFalse();
        // printf 1,2,3 | sha256sum
        String batch = "bat_8a6ae15122001229edb8866f56e342af";
        assertThat(WebhookIds.isNameOf(batch, ids(1, 2, 3))).isTrue();
        assertThat(WebhookIds.isNameOf(batch, ids(3, 2, 1))).isFalse();
        assertThat(WebhookIds.isNameOf("msg_1", ids(1))).isFalse();
    }

    private static List<EventId> ids(long... ids) {
        return Arrays.stream(ids).mapToObj(EventId::of).toList();
    }
}
