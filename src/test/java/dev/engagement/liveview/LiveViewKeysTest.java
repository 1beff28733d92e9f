package dev.engagement.liveview;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

class LiveViewKeysTest {

    @Test
    void names_are_those_that_readers_know() {
        LiveViewKeys keys = new LiveViewKeys("");

        assertThat(keys.last("c1")).isEqualTo("content:last:c1");
        assertThat(keys.count("c1")).isEqualTo("content:count:c1");
        assertThat(keys.meta("c1")).isEqualTo("content:meta:c1");
        assertThat(keys.metaGrave("c1")).isEqualTo("gone:{content:meta:c1}");
    }

    @Test
    void every_name_begins_with_the_prefix() {
        LiveViewKeys keys = new LiveViewKeys("stage:");

        assertThat(keys.last("c1")).isEqualTo("stage:content:last:c1");
        assertThat(keys.count("c1")).isEqualTo("stage:content:count:c1");
        assertThat(keys.meta("c1")).isEqualTo("stage:content:meta:c1");
        assertThat(keys.metaGrave("c1")).isEqualTo("stage:gone:{stage:content:meta:c1}");
    }

    @Test
    void a_brace_in_the_prefix_that_makes_no_hash_tag_is_refused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new LiveViewKeys("stage{"))
                .withMessageContaining("redis.key-prefix is stage{");
        assertThat(new LiveViewKeys("{stage}:").metaGrave("c1")).isEqualTo("{stage}:gone:{stage}:content:meta:c1");
    }
}
