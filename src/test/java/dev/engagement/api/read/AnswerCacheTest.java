package dev.engagement.api.read;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class AnswerCacheTest {

    private final ManualTime clock = new ManualTime(Instant.EPOCH);
    private final AnswerCache cache = new AnswerCache(clock);

    @Test
    void an_answer_is_given_for_as_long_as_it_says() {
        Answer answer = new Answer(AnswerJson.newObject(), 60);
        cache.put(question(1), answer, 10);

        assertThat(cache.get(question(2))).isNull();
        assertThat(cache.get(question(1))).isEqualTo(answer);
        clock.advance(Duration.ofSeconds(50));
        assertThat(cache.get(question(1))).isEqualTo(new Answer(answer.body(), 10));
        clock.advance(Duration.ofSeconds(10));
        assertThat(cache.get(question(1))).isNull();
    }

    @Test
    void what_may_change_at_once_is_not_kept() {
        cache.put(question(1), new Answer(AnswerJson.newObject(), 0), 10);
        assertThat(cache.get(question(1))).isNull();
    }

    @Test
    void a_clock_that_was_set_back_keeps_nothing_for_longer() {
        cache.put(question(1), new Answer(AnswerJson.newObject(), 60), 10);
        clock.set(Instant.EPOCH.minusSeconds(3_600));
        assertThat(cache.get(question(1))).isNull();
    }

    @Test
    void the_room_is_bounded_and_the_one_that_nobody_asked_for_goes_first() {
        Answer answer = new Answer(AnswerJson.newObject(), 60);
        cache.put(question(1), answer, 9_000);
        cache.put(question(2), answer, 9_000);
        assertThat(cache.get(question(1))).isNotNull();

        cache.put(question(3), answer, 9_000);
        assertThat(cache.get(question(2))).isNull();
        assertThat(cache.get(question(1))).isNotNull();
        assertThat(cache.get(question(3))).isNotNull();

        cache.put(question(4), answer, 30_000);
        assertThat(cache.get(question(4))).as("larger than all the room").isNull();
        for (int i = 0; i < 50_000; i++) {
            cache.put(question(100 + i), answer, 0);
        }
        assertThat(cache.get(question(100))).as("empty answers take room, too").isNull();
    }

    private static List<Object> question(int number) {
        return List.of("metrics_30s", number);
    }
}
