package dev.engagement.api.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class LiveOptionsTest {

    @Test
    void the_defaults_are_allowed() {
        LiveOptions usual = LiveOptions.of(Samples.options(1, 1).redis());

        assertThat(usual.maxClients()).isGreaterThanOrEqualTo(1_000);
    }

    @Test
    void sizes_and_times_have_bounds() {
        assertThatThrownBy(() -> Samples.options(0, 1))
                .hasMessage("live.max-pending is 0; it must be from 1 to 100000");
        assertThatThrownBy(() -> Samples.options("redis://127.0.0.1:1", "", 1, 1, 1, Duration.ZERO))
                .hasMessage("live.redis-timeout is PT0S; it must be from 100 ms to 5 min");
    }

    @Test
    void types_are_named_with_commas_between_them() {
        assertThat(LiveFilter.ofTypes(null)).isEqualTo(LiveFilter.ALL);
        assertThat(LiveFilter.ofTypes(" , ")).isEqualTo(LiveFilter.ALL);
        assertThat(LiveFilter.ofTypes("click, play,,click")).isEqualTo(new LiveFilter(Set.of("click", "play")));
        String many = IntStream.range(0, 65).mapToObj(i -> "t" + i).collect(Collectors.joining(","));
        assertThatThrownBy(() -> LiveFilter.ofTypes(many)).hasMessageContaining("65 event types");
    }
}
