package dev.engagement.rowstore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.connection.Backoff;
import dev.engagement.connection.testing.ManualPause;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.Test;

class RetriesTest {

    private static final StoreRequestException PASSING = new StoreRequestException("away", true, null);
    private static final StoreRequestException LASTING = new StoreRequestException("no right", false, null);

    private final ManualPause pause = new ManualPause();
    private final Retries retries = new Retries(
            new Backoff(Duration.ofMillis(100), Duration.ofSeconds(10)), Duration.ofMinutes(1), pause, pause::nanoTime);

    @Test
    void what_passes_is_sent_again_after_longer_and_longer_pauses() throws Exception {
        Deque<StoreRequestException> failures = new ArrayDeque<>(List.of(PASSING, PASSING, PASSING));

        String answer = retries.send(() -> {
            if (!failures.isEmpty()) {
                throw failures.remove();
            }
            return "there";
        });

        assertThat(answer).isEqualTo("there");
        assertThat(pause.made()).hasSize(3);
        assertThat(pause.made().get(0)).isBetween(Duration.ofMillis(50), Duration.ofMillis(100));
        assertThat(pause.made().get(1)).isBetween(Duration.ofMillis(100), Duration.ofMillis(200));
        assertThat(pause.made().get(2)).isBetween(Duration.ofMillis(200), Duration.ofMillis(400));
    }

    @Test
    void what_does_not_pass_in_time_is_the_answer() {
        assertThatThrownBy(() -> retries.send(() -> {
                    throw PASSING;
                }))
                .isSameAs(PASSING);

        assertThat(pause.passed()).isBetween(Duration.ofMinutes(1), Duration.ofSeconds(70));
    }

    @Test
    void what_does_not_pass_is_the_answer_at_once() {
        assertThatThrownBy(() -> retries.send(() -> {
                    throw LASTING;
                }))
                .isSameAs(LASTING);

        assertThat(pause.made()).isEmpty();
    }
}
