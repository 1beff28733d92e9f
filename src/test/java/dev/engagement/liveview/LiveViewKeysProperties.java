package dev.engagement.liveview;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.RollupShape;
import java.nio.charset.StandardCharsets;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Assume;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import redis.clients.jedis.util.JedisClusterCRC16;

class LiveViewKeysProperties {

    private static final RollupShape TWO_COLUMNS =
            new RollupShape("two", List.of("a", "b"), List.of("count"), null, false, true);

    @Property
    void a_content_and_its_tombstone_are_in_one_slot_of_a_cluster(
            @ForAll("prefixes") String prefix, @ForAll("texts") String contentId) {
        LiveViewKeys keys = new LiveViewKeys(prefix);
        String meta = keys.meta(contentId);
        Assume.that(hasTag(meta) || meta.indexOf('}') < 0);

        assertThat(JedisClusterCRC16.getSlot(keys.metaTombstone(contentId))).isEqualTo(JedisClusterCRC16.getSlot(meta));
    }

    @Property
    void the_names_of_two_contents_differ(@ForAll("texts") String some, @ForAll("texts") String other) {
        LiveViewKeys keys = new LiveViewKeys("p:");
        Assume.that(!some.equals(other));

        assertThat(keys.metaTombstone(some)).isNotEqualTo(keys.metaTombstone(other));
    }

    @Property
    void two_keys_of_a_rollup_never_have_one_name(
            @ForAll("rollupKeys") List<String> some, @ForAll("rollupKeys") List<String> other) {
        Assume.that(!some.equals(other));

        assertThat(inRedis("", some)).isNotEqualTo(inRedis("", other));
    }

    @Property
    void the_name_of_a_rollups_key_is_bounded_and_has_nothing_in_it_that_means_something(
            @ForAll("rollupKeys") List<String> key) {
        String name = new LiveViewKeys("").windows(TWO_COLUMNS, key).substring("rollup:two:".length());

        assertThat(name).hasSizeLessThanOrEqualTo(2 * (256 + 1 + 64) + 1);
        assertThat(name.chars().filter(c -> c == ':').count()).isEqualTo(1);
        assertThat(name.chars().anyMatch(c -> c == '{' || c == '}' || Character.isISOControl(c)))
                .isFalse();
        assertThat(new String(inRedis("", key), StandardCharsets.UTF_8)).endsWith(name);
    }

    @Property
    void windows_and_their_versions_are_in_one_slot_of_a_cluster_under_the_prefix(
            @ForAll("prefixes") String prefix, @ForAll("rollupKeys") List<String> key) {
        LiveViewKeys keys = new LiveViewKeys(prefix);
        String windows = keys.windows(TWO_COLUMNS, key);
        String versions = keys.windowVersions(windows);

        assertThat(JedisClusterCRC16.getSlot(versions)).isEqualTo(JedisClusterCRC16.getSlot(windows));
        assertThat(versions).startsWith(prefix + "version:").isNotEqualTo(windows);
        assertThat(windows).startsWith(prefix + "rollup:two:");
    }

    private static byte[] inRedis(String prefix, List<String> key) {
        return new LiveViewKeys(prefix).windows(TWO_COLUMNS, key).getBytes(StandardCharsets.UTF_8);
    }

    private static boolean hasTag(String key) {
        return key.matches("(?s)[^{]*\\{[^}]+}.*");
    }

    @Provide
    Arbitrary<String> prefixes() {
        return Arbitraries.of("", "stage:", "{stage}:", "a{b}", "é-");
    }

    @Provide
    Arbitrary<String> texts() {
        return Arbitraries.strings().withChars("ab1:-{}é").ofMaxLength(6);
    }

    /** Two parts, of characters that are escaped and of what they become; some of them too long. */
    @Provide
    Arbitrary<List<String>> rollupKeys() {
        Arbitrary<String> small = Arbitraries.of(
                        "",
                        ":",
                        "%",
                        "%3A",
                        "3A",
                        "{",
                        "}",
                        "~",
                        "a",
                        "é",
                        "\0",
                        "\u0085",
                        "\uD83D",
                        "\uDE00",
                        "\uD83D\uDE00")
                .list()
                .ofMaxSize(4)
                .map(pieces -> String.join("", pieces));
        Arbitrary<String> large = Combinators.combine(Arbitraries.integers().between(250, 260), small)
                .as((length, end) -> "a".repeat(length) + end);
        return Arbitraries.frequencyOf(Tuple.of(4, small), Tuple.of(1, large))
                .list()
                .ofSize(2);
    }
}
