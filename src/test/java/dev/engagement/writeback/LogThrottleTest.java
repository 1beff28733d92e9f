package dev.engagement.writeback;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class LogThrottleTest {

    @Test
    void the_first_time_is_worth_a_line_and_then_one_per_interval() {
        LogThrottle seldom = new LogThrottle(Duration.ofMinutes(1));

        assertThat(seldom.isDue(5)).isTrue();
        assertThat(seldom.isDue(5)).isFalse();
        assertThat(seldom.isDue(60_004)).isFalse();
        assertThat(seldom.isDue(60_005)).isTrue();
        assertThat(seldom.isDue(60_006)).isFalse();
    }
}
