package dev.engagement.liveview;

import static org.assertj.core.api.Assertions.assertThat;

import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Assume;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import redis.clients.jedis.util.JedisClusterCRC16;

class LiveViewKeysProperties {

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
}
