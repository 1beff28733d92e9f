package dev.engagement.connection;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class PauseTest {

    private final Pause pause = Pause.real();

    @Test
    void that_time_has_passed_afterwards() throws Exception {
        Duration time = Duration.ofNanos(2_000_001);
        long before = System.nanoTime();

        pause.of(time);

        assertThat(System.nanoTime() - before).isGreaterThanOrEqualTo(time.toNanos());
    }

    @Test
    void time_that_has_passed_already_is_not_waited_for() throws Exception {
        pause.of(Duration.ZERO);
        pause.of(Duration.ofDays(-1));
    }

    @Test
    void an_interruption_ends_it() {
        Thread.currentThread().interrupt();

        assertThatThrownBy(() -> pause.of(Duration.ofMinutes(5))).isInstanceOf(InterruptedException.class);
    }
}
