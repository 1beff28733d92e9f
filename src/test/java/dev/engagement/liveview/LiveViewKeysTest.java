package dev.engagement.liveview;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.engagement.event.RollupShape;
import java.util.List;
import org.jspecify.annotations.Nullable;
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

    @Test
    void windows_have_the_names_that_readers_know() {
        LiveViewKeys keys = new LiveViewKeys("stage:");

        assertThat(keys.windows(Samples.METRICS, List.of("click"))).isEqualTo("stage:metric:click:30s");
        assertThat(keys.windows(Samples.HOURLY, List.of("video", "web"))).isEqualTo("stage:rollup:hourly:video:web");
        assertThat(keys.windows(Samples.HOURLY, List.of("", ""))).isEqualTo("stage:rollup:hourly::");
        assertThat(keys.windows(shape("total", null), List.of())).isEqualTo("stage:rollup:total:");
        assertThat(keys.windowVersions("stage:metric:click:30s")).isEqualTo("stage:version:{stage:metric:click:30s}");
        assertThat(keys.metricsUpdates()).isEqualTo("stage:metrics_updates");
    }

    @Test
    void windows_by_more_or_less_than_event_type_and_size_are_named_after_their_rollup() {
        LiveViewKeys keys = new LiveViewKeys("");

        assertThat(keys.windows(shape("a", null, "event_type"), List.of("click")))
                .isEqualTo("rollup:a:click");
        assertThat(keys.windows(shape("b", "30s", "device"), List.of("web"))).isEqualTo("rollup:b:web");
        assertThat(keys.windows(shape("c", "30s", "event_type", "device"), List.of("click", "web")))
                .isEqualTo("rollup:c:click:web");
        assertThat(keys.windows(shape("d", "30s"), List.of())).isEqualTo("rollup:d:");
    }

    @Test
    void what_has_a_meaning_in_a_key_is_escaped_in_its_parts() {
        LiveViewKeys keys = new LiveViewKeys("");

        assertThat(keys.windows(Samples.HOURLY, List.of("a:b", "100%{x}")))
                .isEqualTo("rollup:hourly:a%3Ab:100%25%7Bx%7D");
        assertThat(keys.windows(Samples.METRICS, List.of("line\r\nnul\0del\u007Fnel\u0085")))
                .isEqualTo("metric:line%0D%0Anul%00del%7Fnel%C2%85:30s");
        assertThat(keys.windows(Samples.METRICS, List.of("höher \uD83D\uDE00/\"*?~")))
                .isEqualTo("metric:höher \uD83D\uDE00/\"*?~:30s");
        assertThat(keys.windows(Samples.METRICS, List.of("\uD83D|\uDE00"))).isEqualTo("metric:%ED%A0%BD|%ED%B8%80:30s");
    }

    @Test
    void a_long_part_of_a_key_is_its_beginning_and_its_hash() {
        LiveViewKeys keys = new LiveViewKeys("");
        String longest = "x".repeat(256);

        assertThat(keys.windows(Samples.METRICS, List.of(longest))).isEqualTo("metric:" + longest + ":30s");
        assertThat(keys.windows(Samples.METRICS, List.of(longest + "x")))
                .isEqualTo("metric:" + longest + "~15eb95a462ee20bd91a415ae2d4aed341288186ddaa2b37908f7d592f0c3f85f"
                        + ":30s");
        // Not through the middle of a character.
        assertThat(keys.windows(Samples.METRICS, List.of("x".repeat(255) + "\uD83D\uDE00")))
                .startsWith("metric:" + "x".repeat(255) + "~");
        assertThat(keys.windows(Samples.HOURLY, List.of("\0".repeat(1_000_000), ":".repeat(1_000_000))))
                .hasSizeLessThan(700);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "stage:", "{stage}:", "a{b}c:", "a}b{c}:"})
    void what_is_shown_and_its_version_are_in_one_slot_of_a_cluster(String prefix) {
        LiveViewKeys keys = new LiveViewKeys(prefix);
        String windows = keys.windows(Samples.METRICS, List.of("{click}"));
        assertThat(JedisClusterCRC16.getSlot(keys.windowVersions(windows)))
                .isEqualTo(JedisClusterCRC16.getSlot(windows));
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

    private static RollupShape shape(String rollup, @Nullable String windowSize, String... keyColumns) {
        return new RollupShape(rollup, List.of(keyColumns), List.of("count"), windowSize, false, true);
    }
}
