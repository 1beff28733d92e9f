package dev.engagement.liveview;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.util.JedisClusterCRC16;

class LiveViewKeysTest {

    @Test
    void names_are_those_that_readers_know() {
        LiveViewKeys keys = new LiveViewKeys("");

        assertThat(keys.last("c1")).isEqualTo("content:last:c1");
        assertThat(keys.count("c1")).isEqualTo("content:count:c1");
        assertThat(keys.meta("c1")).isEqualTo("content:meta:c1");
        assertThat(keys.metaTombstone("c1")).isEqualTo("gone:{content:meta:c1}");
        assertThat(keys.epoch("")).isEqualTo("live-view:epoch");
        assertThat(keys.epoch("7")).isEqualTo("live-view:epoch:{7}");
    }

    @Test
    void every_name_begins_with_the_prefix() {
        LiveViewKeys keys = new LiveViewKeys("stage:");

        assertThat(keys.last("c1")).isEqualTo("stage:content:last:c1");
        assertThat(keys.count("c1")).isEqualTo("stage:content:count:c1");
        assertThat(keys.meta("c1")).isEqualTo("stage:content:meta:c1");
        assertThat(keys.epoch("")).isEqualTo("stage:live-view:epoch");
        assertThat(keys.metaTombstone("c1")).isEqualTo("stage:gone:{stage:content:meta:c1}");
    }

    @Test
    void a_bucket_is_named_after_its_minute_in_utc() {
        LiveViewKeys keys = new LiveViewKeys("stage:");

        assertThat(keys.bucket(29_464_701)).isEqualTo("stage:top:content:bucket:202601081421");
        assertThat(keys.bucket(0)).isEqualTo("stage:top:content:bucket:197001010000");
        assertThat(keys.bucket(-1)).isEqualTo("stage:top:content:bucket:196912312359");
        assertThat(keys.bucket(-1_035_593_280)).isEqualTo("stage:top:content:bucket:000101010000");
        assertThat(keys.bucket(4_223_371_679L)).isEqualTo("stage:top:content:bucket:999912312359");
    }

    @Test
    void leaderboards_and_events_have_the_names_that_readers_know() {
        LiveViewKeys keys = new LiveViewKeys("stage:");

        assertThat(keys.topByEvents()).isEqualTo("stage:top:content:10m");
        assertThat(keys.topByEngagement()).isEqualTo("stage:top_engagement:10min");
        assertThat(keys.event(16)).isEqualTo("stage:engagement_events:event:16");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "stage:", "{stage}:", "a{b}c:", "a}b{c}:"})
    void a_leaderboard_and_its_version_are_in_one_slot_of_a_cluster(String prefix) {
        LiveViewKeys keys = new LiveViewKeys(prefix);
        for (String board : List.of(keys.topByEvents(), keys.topByEngagement())) {
            assertThat(keys.boardVersion(board)).startsWith(prefix).isNotEqualTo(board);
            assertThat(JedisClusterCRC16.getSlot(keys.boardVersion(board))).isEqualTo(JedisClusterCRC16.getSlot(board));
        }
        assertThat(keys.boardVersion(keys.topByEvents())).isNotEqualTo(keys.boardVersion(keys.topByEngagement()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"stage}", "{}", "{}x{b}:", "}{", "a{b"})
    void braces_that_enclose_nothing_are_refused(String prefix) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new LiveViewKeys(prefix))
                .withMessageContaining("redis.key-prefix is " + prefix);
    }

    @Test
    void a_brace_in_the_prefix_that_makes_no_hash_tag_is_refused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new LiveViewKeys("stage{"))
                .withMessageContaining("redis.key-prefix is stage{");
        assertThat(new LiveViewKeys("{stage}:").metaTombstone("c1")).isEqualTo("{stage}:gone:{stage}:content:meta:c1");
    }
}
