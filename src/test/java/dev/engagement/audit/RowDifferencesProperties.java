package dev.engagement.audit;

import static dev.engagement.audit.Audits.at;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import java.util.SortedSet;
import java.util.TreeSet;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** Minutes and pages must not matter: what is found is what a comparison of all rows finds. */
class RowDifferencesProperties {

    @Property(tries = 300)
    void finds_the_same_by_batches_of_any_size(
            @ForAll long seed, @ForAll @IntRange(max = 40) int events, @ForAll @IntRange(min = 1, max = 5) int max)
            throws Exception {
        Random random = new Random(seed);
        World world = new World();
        for (int id = 1; id <= events; id++) {
            World.Event event = world.add(id, at(random.nextInt(240)), "c", 1L);
            event.inSource = random.nextInt(4) > 0;
            event.rows = random.nextInt(3);
        }
        Source source = world.source();
        RowStore warehouse = world.warehouse();

        var sourceMinutes = source.minutes(Audits.RANGE);
        var warehouseMinutes = warehouse.minutes(Audits.RANGE);
        SortedSet<Long> minutes = RowDifferences.minutes(sourceMinutes, warehouseMinutes);
        List<List<Range>> batches = RowDifferences.batches(minutes, sourceMinutes, warehouseMinutes, max).stream()
                .map(Audits.RANGE::of)
                .toList();
        List<Range> ranges = batches.stream().flatMap(List::stream).toList();
        RowDifferences found = RowDifferences.in(batches, source, warehouse);

        IdSet missing = new IdSet();
        IdSet extra = new IdSet();
        IdSet doubled = new IdSet();
        SortedSet<Long> differing = new TreeSet<>();
        for (World.Event event : world.events) {
            if (event.inSource && event.rows == 0) {
                missing.add(event.id);
            } else if (!event.inSource && event.rows > 0) {
                extra.add(event.id);
            }
            if (event.rows > 1) {
                doubled.add(event.id);
            }
            if (event.rows != (event.inSource ? 1 : 0)) {
                differing.add(Range.minuteOf(event.micros));
            }
        }
        assertThat(minutes).isEqualTo(differing);
        assertThat(ranges).allSatisfy(range -> assertThat(range.fromMicros()).isLessThan(range.toMicros()));
        assertThat(ranges.stream()
                        .mapToLong(range -> range.toMicros() - range.fromMicros())
                        .sum())
                .isEqualTo(differing.size() * Range.MICROS_PER_MINUTE);
        assertThat(found.missing).hasToString(missing.toString());
        assertThat(found.extra).hasToString(extra.toString());
        assertThat(found.doubled).hasToString(doubled.toString());
        assertThat(found.changed.isEmpty()).isTrue();
    }
}
