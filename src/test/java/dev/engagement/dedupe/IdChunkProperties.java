package dev.engagement.dedupe;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Against a set of numbers. */
class IdChunkProperties {

    @Provide
    Arbitrary<List<Integer>> positions() {
        return Arbitraries.integers().between(0, IdChunk.IDS - 1).list().ofMaxSize(600);
    }

    @Property
    void remembers_what_a_set_remembers_across_every_freeze(
            @ForAll("positions") List<Integer> positions, @ForAll boolean freezeAfterEach) {
        Set<Integer> oracle = new HashSet<>();
        IdChunk chunk = new IdChunk();
        for (int position : positions) {
            assertThat(chunk.add(position, position)).isEqualTo(oracle.add(position));
            if (freezeAfterEach && position % 17 == 0) {
                chunk = IdChunk.thaw(chunk.freeze());
            }
        }
        IdChunk again = IdChunk.thaw(chunk.freeze());
        for (int position = 0; position < IdChunk.IDS; position++) {
            assertThat(again.add(position, 0)).isEqualTo(!oracle.contains(position));
        }
    }

    @Property(tries = 20)
    void every_fill_level_survives(@ForAll long seed) {
        java.util.Random random = new java.util.Random(seed);
        List<Integer> order = new java.util.ArrayList<>();
        for (int i = 0; i < IdChunk.IDS; i++) {
            order.add(i);
        }
        java.util.Collections.shuffle(order, random);
        IdChunk chunk = new IdChunk();
        for (int i = 0; i < IdChunk.IDS; i++) {
            assertThat(chunk.add(order.get(i), i)).isTrue();
            IdChunk.Frozen frozen = chunk.freeze();
            assertThat(frozen.encoded().length)
                    .as("bytes for " + (i + 1) + " ids")
                    .isLessThanOrEqualTo(512);
            assertThat(frozen.newestArrivalMillis()).isEqualTo(i);
            chunk = IdChunk.thaw(frozen);
        }
        assertThat(chunk.freeze().encoded()).as("a full chunk").hasSize(1);
    }
}
