package dev.engagement.audit;

import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Where a store of rows differs from the source. Found by minutes first, then in the minutes that differ by id: both stores
 * are read in order of the id and side by side, so that no more than a page of each is held.
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

    /** Reads those ranges of both; the store first, so that what is committed meanwhile is not taken for an extra row. */
    static RowDifferences in(List<Range> ranges, RowStore source, RowStore store, int page) throws IOException {
        RowDifferences differences = new RowDifferences();
        for (Range range : ranges) {
            Pages actual = new Pages(store, range, page);
            Pages expected = new Pages(source, range, page);
            while (actual.row != null || expected.row != null) {
                differences.take(expected, actual);
            }
        }
        // An id that has moved from one range to another is none that is missing.
        IdSet moved = differences.missing.where(differences.extra::contains);
        differences.missing.removeAll(moved);
        differences.extra.removeAll(moved);
        differences.changed.addAll(moved);
        return differences;
    }

    private void take(Pages expected, Pages actual) throws IOException {
        RowStore.Row source = expected.row;
        RowStore.Row store = actual.row;
        if (store == null || source != null && source.id() < store.id()) {
            missing.add(Objects.requireNonNull(source).id());
            expected.next();
        } else if (source == null || store.id() < source.id()) {
            extra.add(store.id());
            doubled(store);
            actual.next();
        } else {
            doubled(store);
            if (source.eventTsMicros() != store.eventTsMicros()
                    || !Objects.equals(source.durationMs(), store.durationMs())) {
                changed.add(store.id());
            }
            expected.next();
            actual.next();
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

    /** The rows of a range, a page at a time. */
    private static final class Pages {

        private final RowStore store;
        private final Range range;
        private final int limit;
        private List<RowStore.Row> page;
        private int at;

        /** Where it stands; null at the end. */
        private RowStore.@Nullable Row row;

        Pages(RowStore store, Range range, int limit) throws IOException {
            this.store = store;
            this.range = range;
            this.limit = limit;
            this.page = store.page(range, Long.MIN_VALUE, limit);
            this.row = page.isEmpty() ? null : page.get(0);
        }

        void next() throws IOException {
            long last = page.get(at).id();
            at++;
            if (at == page.size() && page.size() == limit) {
                page = store.page(range, last, limit);
                at = 0;
            }
            row = at < page.size() ? page.get(at) : null;
        }
    }
}
