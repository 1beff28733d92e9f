package dev.engagement.api.read;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class SilenceTest {

    private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 5);
    private final Silence silence = new Silence("Redis", nanos::get);

    @Test
    void a_store_that_did_not_answer_is_left_alone_for_a_moment() {
        assertThatCode(silence::check).doesNotThrowAnyException();

        silence.begin("refused");
        assertThatThrownBy(silence::check)
                .isInstanceOfSatisfying(UnavailableException.class, e -> {
                    assertThat(e.store()).isEqualTo("Redis");
                    assertThat(e.retryAfter()).isEqualTo(Silence.PAUSE);
                })
                .hasMessage("refused");
        nanos.addAndGet(Silence.PAUSE.toNanos() - 1);
        assertThatThrownBy(silence::check).isInstanceOf(UnavailableException.class);
        nanos.incrementAndGet();
        assertThatCode(silence::check).doesNotThrowAnyException();
    }
}
