package dev.engagement.liveview;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.engagement.event.EngagementEvent;
import dev.engagement.event.Position;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class LiveViewRulesTest {

    private static final long KAFKA_MILLIS = 1_767_882_112_000L;
    private final LiveViewRules rules = new LiveViewRules(Duration.ofMinutes(1), false);

    @Test
    void an_event_stamped_a_minute_ahead_of_its_kafka_timestamp_is_shown_and_a_microsecond_more_is_not() {
        long limit = (KAFKA_MILLIS + 60_000) * 1_000;

        assertThat(rules.isFutureDated(at(limit))).isFalse();
        assertThat(rules.isFutureDated(at(limit + 1))).isTrue();
    }

    @Test
    void an_old_event_is_not_future_dated() {
        assertThat(rules.isFutureDated(at(0))).isFalse();
    }

    @Test
    void a_kafka_timestamp_beyond_all_time_is_no_overflow() {
        EngagementEvent event = new EngagementEvent(
                1, "c", null, null, KAFKA_MILLIS * 1_000, 0, null, null, false, 0, new Position(0, 0, Long.MAX_VALUE));

        assertThat(rules.isFutureDated(event)).isFalse();
    }

    @Test
    void a_negative_skew_is_refused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new LiveViewRules(Duration.ofSeconds(-1), false))
                .withMessageContaining("ranking.max-clock-skew");
    }

    private static EngagementEvent at(long eventTsMicros) {
        return new EngagementEvent(
                1, "c", null, null, eventTsMicros, 0, null, null, false, 0, new Position(0, 0, KAFKA_MILLIS));
    }
}
