package dev.engagement.audit;

import dev.engagement.event.EventIdNumbers;
import java.io.IOException;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Where a store of rows differs from the source. Found by minutes first, then in the minutes that differ by id: both stores
 * are read once, in order of the id and side by side, so that no more than a fetch of each is held.
 */
final class RowDifferences {

    /** In the source and not in the store. */
    final IdSet missing = new IdSet();
    /** In the store and not in the source. */
    final IdSet extra = new IdSet();
    /** In the store more than once. */
    final IdSet doubled = new IdSet();
    /** In both, with another event_ts or duration_ms. */
    final IdSet changed = new IdSet();

    private static final long MINUTES_PER_DAY = 24 * 60;

    /** All that was read of the source, without a fingerprint. */
    MinuteTotals inSource = MinuteTotals.NONE;
    /** All that was read of the store, without a fingerprint. */
    MinuteTotals inStore = MinuteTotals.NONE;

    /** The minutes in which two stores differ. */
    static SortedSet<Long> minutes(SortedMap<Long, MinuteTotals> source, SortedMap<Long, MinuteTotals> store) {
        SortedSet<Long> differing = new TreeSet<>();
        source.forEach((minute, totals) -> {
            if (!totals.equals(store.get(minute))) {
                differing.add(minute);
            }
        });
        store.keySet().stream().filter(minute -> !source.containsKey(minute)).forEach(differing::add);
        return differing;
    }

    /**
     * The minutes, by what is read at once: of one day, as that is a partition of the store, and of so many rows that a
     * store can sort them.
     *
     * @param minutes that differ
     * @param mostRows of both stores, unless a minute alone has more
     */
    static List<SortedSet<Long>> batches(
            SortedSet<Long> minutes,
            SortedMap<Long, MinuteTotals> source,
            SortedMap<Long, MinuteTotals> store,
            long maxRows) {
        List<SortedSet<Long>> batches = new ArrayList<>();
        SortedSet<Long> batch = new TreeSet<>();
        long rows = 0;
        for (Long minute : minutes) {
            long more = Math.max(
                    source.getOrDefault(minute, MinuteTotals.NONE).rows(),
                    store.getOrDefault(minute, MinuteTotals.NONE).rows());
            boolean sameDay = !batch.isEmpty()
                    && Math.floorDiv(batch.first(), MINUTES_PER_DAY) == Math.floorDiv(minute, MINUTES_PER_DAY);
            if (!sameDay || rows + more > maxRows) {
                batch = new TreeSet<>();
                batches.add(batch);
                rows = 0;
            }
            batch.add(minute);
            rows += more;
        }
        return batches;
    }

    /**
     * Reads those ranges of both, a batch after the other. Of the two the source is asked first and seen as it was then; so
     * what is committed meanwhile may be taken for extra, until somebody looks again.
     */
    static RowDifferences in(List<List<Range>> batches, Source source, RowStore store) throws IOException {
        RowDifferences differences = new RowDifferences();
        for (List<Range> batch : batches) {
            try (Source.Rows rows = source.open(batch)) {
                Merge merge = differences.new Merge(rows, source.numbers());
                store.rows(batch, merge::take);
                merge.end();
            }
        }
        // An id that has moved from one batch to another is none that is missing.
        IdSet moved = differences.missing.where(differences.extra::contains);
        differences.missing.removeAll(moved);
        differences.extra.removeAll(moved);
        differences.changed.addAll(moved);
        return differences;
    }

    /** The source's rows beside those of the store, which come. */
    private final class Merge {

        private final Source.Rows rows;
        private final EventIdNumbers ids;
        private RowStore.@Nullable Row next;

        Merge(Source.Rows rows, EventIdNumbers ids) throws IOException {
            this.rows = rows;
            this.ids = ids;
            this.next = rows.next();
        }

        void take(RowStore.Row row) throws IOException {
            inStore = inStore.plus(new MinuteTotals(row.copies(), 1, row.durations(), BigInteger.ZERO));
            doubled(row);
            RowStore.Row expected = next;
            while (expected != null && ids.compare(expected.id(), row.id()) < 0) {
                missing.add(expected.id());
                expected = advance(expected);
            }
            if (expected == null || ids.compare(expected.id(), row.id()) > 0) {
                extra.add(row.id());
                return;
            }
            if (expected.eventTsMicros() != row.eventTsMicros()
                    || !Objects.equals(expected.durationMs(), row.durationMs())) {
                changed.add(row.id());
            }
            advance(expected);
        }

        private RowStore.@Nullable Row advance(RowStore.Row read) throws IOException {
            inSource = inSource.plus(new MinuteTotals(1, 1, read.durations(), BigInteger.ZERO));
            next = rows.next();
            return next;
        }

        void end() throws IOException {
            for (RowStore.Row row = next; row != null; row = advance(row)) {
                missing.add(row.id());
            }
        }
    }

    private void doubled(RowStore.Row row) {
        if (row.copies() > 1) {
            doubled.add(row.id());
        }
    }

    /** What these and those have in common: what was so then and is so now. */
    RowDifferences and(RowDifferences others) {
        RowDifferences both = new RowDifferences();
        both.inSource = inSource;
        both.inStore = inStore;
        both.missing.addAll(missing.where(others.missing::contains));
        both.extra.addAll(extra.where(others.extra::contains));
        both.doubled.addAll(doubled.where(others.doubled::contains));
        LongPredicate differsThere = id -> others.changed.contains(id);
        both.changed.addAll(changed.where(differsThere));
        return both;
    }

    boolean isEmpty() {
        return missing.isEmpty() && extra.isEmpty() && doubled.isEmpty() && changed.isEmpty();
    }
}
