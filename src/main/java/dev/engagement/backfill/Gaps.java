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
        while (ranges.size() > most) {
            ranges.sort(Comparator.comparingLong(IdRange::first));
            List<IdRange> merged = new ArrayList<>();
            for (int i = 0; i < ranges.size(); i += 2) {
                IdRange one = ranges.get(i);
                IdRange other = i + 1 < ranges.size() ? ranges.get(i + 1) : one;
                merged.add(new IdRange(one.first(), Math.max(one.last(), other.last())));
            }
            ranges = merged;
        }
    }

    List<IdRange> ranges() {
        return List.copyOf(ranges);
    }
}
