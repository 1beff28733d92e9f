package dev.engagement.local.receiver;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;

/** The bits against a sorted set. */
class LongBitsProperties {

    @Property(tries = 500)
    void everything_added_is_there_once_and_nothing_else(@ForAll("ids") List<Long> ids) {
        LongBits bits = new LongBits();
        TreeSet<Long> expected = new TreeSet<>();
        for (long id : ids) {
            assertThat(bits.add(id)).isEqualTo(expected.add(id));
        }
        assertThat(bits.size()).isEqualTo(expected.size());
        for (long id : ids) {
            assertThat(bits.contains(id)).isTrue();
            assertThat(bits.contains(id + 1)).isEqualTo(expected.contains(id + 1));
        }
    }

    @Property(tries = 500)
    void runs_are_the_ids_between_two_without_a_gap(
            @ForAll("ids") List<Long> ids, @ForAll("id") long from, @ForAll("id") long to) {
        LongBits bits = new LongBits();
        ids.forEach(bits::add);
        List<Long> told = new ArrayList<>();
        long[] end = {Long.MIN_VALUE};
        bits.runs(from, to, run -> {
            assertThat(run.first()).as("does not touch the run before").isGreaterThan(end[0] + 1);
            for (long id = run.first(); id <= run.last(); id++) {
                told.add(id);
            }
            end[0] = run.last();
            return true;
        });
        List<Long> expected = from > to ? List.of() : List.copyOf(new TreeSet<>(ids).subSet(from, true, to, true));
        assertThat(told).isEqualTo(expected);
    }

    @Provide
    Arbitrary<List<Long>> ids() {
        return id().list().ofMaxSize(300);
    }

    /** Close together, across chunks, and far away. */
    @Provide
    Arbitrary<Long> id() {
        return Arbitraries.frequencyOf(
                Tuple.of(6, Arbitraries.longs().between(0, 200)),
                Tuple.of(3, Arbitraries.longs().between(900, 3_200)),
                Tuple.of(1, Arbitraries.longs().between(-5_000_000_000L, 5_000_000_000_000L)));
    }
}
