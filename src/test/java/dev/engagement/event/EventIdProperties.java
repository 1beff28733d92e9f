package dev.engagement.event;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.UUID;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class EventIdProperties {

    private static final String ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

    @Property
    void texts_are_in_the_order_of_their_bytes(@ForAll("texts") String one, @ForAll("texts") String other) {
        int bytes = Arrays.compareUnsigned(bytes(one), bytes(other));
        assertThat(Integer.signum(EventId.of(one).compareTo(EventId.of(other)))).isEqualTo(Integer.signum(bytes));
        assertThat(EventId.of(one).equals(EventId.of(other))).isEqualTo(one.equals(other));
    }

    @Property
    void numbers_are_in_their_order_and_before_texts(
            @ForAll long one, @ForAll long other, @ForAll("texts") String text) {
        assertThat(Integer.signum(EventId.of(one).compareTo(EventId.of(other)))).isEqualTo(Long.compare(one, other));
        assertThat(EventId.of(one)).isLessThan(EventId.of(text));
        assertThat(EventId.of(text)).isGreaterThan(EventId.of(one));
    }

    @Property
    void a_text_is_an_id_if_it_is_short_enough_and_of_the_alphabet(@ForAll String text) {
        boolean fits = !text.isEmpty()
                && text.length() <= EventId.MAX_CHARS
                && text.chars().allMatch(c -> ALPHABET.indexOf(c) >= 0);
        assertThat(EventId.isText(text)).isEqualTo(fits);
    }

    @Property
    void what_is_written_is_what_is_read(@ForAll("texts") String text, @ForAll long number) {
        assertThat(EventId.isText(text)).isTrue();
        assertThat(EventId.parse(EventId.of(text).toString(), EventIdKind.TEXT)).isEqualTo(EventId.of(text));
        assertThat(EventId.parse(EventId.of(number).toString(), EventIdKind.LONG))
                .isEqualTo(EventId.of(number));
    }

    /** Savepoints hold what was spread by it. */
    @Example
    void a_hash_never_changes() {
        assertThat(EventId.hash("0190a5b0-7c3e-7d4a-8f00-000000000001")).isEqualTo(HASH_OF_UUID);
        assertThat(EventId.hash("a")).isEqualTo(HASH_OF_A);
    }

    private static final long HASH_OF_UUID = 0x6A31FF0F3BA0B6DBL;
    private static final long HASH_OF_A = 0x30696779209DD0E5L;

    /** A shard is the hash modulo 128, and of its buckets that of the upper half. */
    @Example
    void ids_that_count_upwards_are_spread_as_random_ones_are() {
        int ids = 128 * 512;
        List<java.util.function.LongFunction<String>> kinds = List.of(
                number -> new UUID(number * 0x9E3779B97F4A7C15L, number * 0xC2B2AE3D27D4EB4FL).toString(),
                number -> Long.toString(number),
                number -> "order-" + (1_000_000_000 + number),
                number -> new UUID(0x0190A5B07C3E7000L + (number << 16), 0x8000000000000000L | number).toString());
        for (var kind : kinds) {
            BitSet taken = new BitSet();
            int[] shards = new int[128];
            for (long number = 0; number < ids; number++) {
                long hash = EventId.hash(kind.apply(number));
                int shard = (int) Math.floorMod(hash, 128L);
                shards[shard]++;
                taken.set(shard * 512 + ((int) (hash >>> 32) & 511));
            }
            // Of balls thrown at as many boxes 63 % of these are hit.
            assertThat(taken.cardinality()).isBetween(ids * 62 / 100, ids * 65 / 100);
            assertThat(Arrays.stream(shards).min().getAsInt()).isGreaterThan(400);
            assertThat(Arrays.stream(shards).max().getAsInt()).isLessThan(630);
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Provide
    Arbitrary<String> texts() {
        return Arbitraries.strings()
                .withChars(ALPHABET.toCharArray())
                .ofMinLength(1)
                .ofMaxLength(EventId.MAX_CHARS)
                .edgeCases(edges -> edges.add("-", "_", "A", "a", "Z", "a-", "aa", "a_"));
    }
}
