package dev.engagement.backfill;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Where rows were missing: ranges of ids, a bounded number of them. When there are too many, neighbours become one, so that
 * some of what was never missing is looked at again, and nothing that was is forgotten. Not thread-safe.
 */
final class Gaps {

    private final int most;
    private List<IdRange> ranges = new ArrayList<>();

    /**
     * No gaps.
     *
     * @param most ranges to be kept, at least 1
     */
    Gaps(int most) {
        this.most = most;
    }

    void add(IdRange range) {
        if (range.isEmpty()) {
            return;
        }
        ranges.add(range);
        if (ranges.size() > most) {
            // One may lie within what became of others.
            ranges = joined(1);
            if (ranges.size() > most) {
                ranges = joined(2);
            }
        }
    }

    /** Those that overlap as one, and then so many neighbours as one. */
    private List<IdRange> joined(int neighbours) {
        ranges.sort(Comparator.comparingLong(IdRange::first));
        List<IdRange> apart = new ArrayList<>();
        for (IdRange next : ranges) {
            int last = apart.size() - 1;
            if (last >= 0 && next.first() <= apart.get(last).last()) {
                apart.set(last, span(apart.get(last), next));
            } else {
                apart.add(next);
            }
        }
        List<IdRange> joined = new ArrayList<>();
        for (int i = 0; i < apart.size(); i += neighbours) {
            joined.add(span(apart.get(i), apart.get(Math.min(i + neighbours, apart.size()) - 1)));
        }
        return joined;
    }

    private static IdRange span(IdRange one, IdRange later) {
        return new IdRange(one.first(), Math.max(one.last(), later.last()));
    }

    /** The gaps in order, none of which overlaps another. */
    List<IdRange> ranges() {
        return joined(1);
    }
}
