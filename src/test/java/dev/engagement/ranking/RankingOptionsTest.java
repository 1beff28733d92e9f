package dev.engagement.ranking;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class RankingOptionsTest {

    private static final Duration SKEW = Duration.ofMinutes(1);

    @Test
    void a_window_need_not_be_a_multiple_of_the_slide() {
        assertThatCode(() -> new RankingOptions(Duration.ofSeconds(10), Duration.ofSeconds(3), 1, SKEW))
                .doesNotThrowAnyException();
    }

    @Test
    void what_cannot_be_kept_is_refused_by_name() {
        refused("ranking.slide is PT0.5S", Duration.ofMinutes(1), Duration.ofMillis(500), 1);
        refused("ranking.slide is PT1.5S", Duration.ofMinutes(1), Duration.ofMillis(1_500), 1);
        refused("ranking.slide is PT-1S", Duration.ofMinutes(1), Duration.ofSeconds(-1), 1);
        refused("ranking.window is PT59S", Duration.ofSeconds(59), Duration.ofSeconds(60), 1);
        refused("ranking.window is PT1.001S", Duration.ofMillis(1_001), Duration.ofSeconds(1), 1);
        refused("ranking.window is PT24H1S", Duration.ofSeconds(86_401), Duration.ofSeconds(1), 1);
        refused("ranking.top-n is 0", Duration.ofMinutes(1), Duration.ofSeconds(1), 0);
        refused("ranking.top-n is 10001", Duration.ofMinutes(1), Duration.ofSeconds(1), 10_001);
        assertThatThrownBy(() -> new RankingOptions(SKEW, SKEW, 1, Duration.ofMillis(-1)))
                .hasMessageContaining("ranking.max-clock-skew is PT-0.001S");
    }

    private static void refused(String message, Duration window, Duration slide, int topN) {
        assertThatThrownBy(() -> new RankingOptions(window, slide, topN, SKEW))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message)
                .hasMessageContaining("must be");
    }
}
