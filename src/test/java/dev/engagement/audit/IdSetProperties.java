package dev.engagement.audit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Against a sorted set of the JDK's. */
class IdSetProperties {

    @Provide
    Arbitrary<List<Long>> ids() {
        return Arbitraries.oneOf(Arbitraries.longs().between(-3_000, 3_000), Arbitraries.longs())
                .list()
                .ofMaxSize(200);
    }

    @Property
    void is_a_set_in_order(@ForAll("ids") List<Long> added, @ForAll("ids") List<Long> removed) {
        IdSet set = new IdSet();
        TreeSet<Long> expected = new TreeSet<>();
        added.forEach(id -> assertThat(set.add(id)).isEqualTo(expected.add(id)));
        removed.forEach(id -> assertThat(set.remove(id)).isEqualTo(expected.remove(id)));

        List<Long> all = new ArrayList<>();
        set.forEach(all::add);
        assertThat(all).containsExactlyElementsOf(expected);
        assertThat(set.size()).isEqualTo(expected.size());
        assertThat(set.isEmpty()).isEqualTo(expected.isEmpty());
        assertThat(set.first(7))
                .containsExactlyElementsOf(expected.stream().limit(7).toList());
        assertThat(set.batches(7).stream().flatMap(List::stream).toList()).containsExactlyElementsOf(expected);
        assertThat(set.batches(7)).allSatisfy(batch -> assertThat(batch).hasSizeBetween(1, 7));
        removed.forEach(id -> assertThat(set.contains(id)).isEqualTo(expected.contains(id)));
        if (!expected.isEmpty()) {
            assertThat(set.last()).isEqualTo(expected.last());
        }
    }
}
