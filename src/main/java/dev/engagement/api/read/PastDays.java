package dev.engagement.api.read;

import dev.engagement.rollup.definition.KeyPart;
import dev.engagement.rollup.definition.Measure;
import dev.engagement.rollup.definition.RollupDefinition;
import java.math.BigDecimal;
import java.math.MathContext;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How many events contents had at the same time yesterday and a week ago, out of the table of a rollup that counts
 * events by content in short windows: of one that counts all, if there is one. Not thread-safe.
 *
 * <p>A rollup that counts some events alone, such as plays, is compared with itself: what it had then, by what it has
 * now, is how many times as much there was then.
 */
final class PastDays {

    private static final List<Duration> DAYS_BACK = List.of(Duration.ofDays(1), Duration.ofDays(7));

    /** Rows are there a moment after their window's end. */
    private static final long ROWS_COME_AFTER_MILLIS = 60_000;

    /** Ranges whose counts are remembered: of now and of the days, and those before them. */
    private static final int MAX_RANGES = 2 * 3;

    private final @Nullable RollupRows rows;
    private final @Nullable Counting counting;

    private final Map<Long, Counts> held = new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, Counts> eldest) {
            return size() > MAX_RANGES;
        }
    };

    private record Counting(RollupDefinition rollup, String column) {}

    /**
     * What is known of a range of time.
     *
     * @param byContent of those that were asked for; 0 if there was nothing
     * @param known whether any content has a row
     */
    private record Counts(Map<String, Long> byContent, boolean known) {

        long of(String contentId) {
            return byContent.getOrDefault(contentId, 0L);
        }
    }

    /** @param rows the tables; null if there are none */
    PastDays(@Nullable RollupRows rows, List<RollupDefinition> rollups) {
        this.rows = rows;
        this.counting = counting(rollups).orElse(null);
    }

    private static Optional<Counting> counting(List<RollupDefinition> rollups) {
        return rollups.stream()
                .filter(PastDays::isByContentInShortWindows)
                .sorted(Comparator.comparing(rollup -> rollup.where() != null))
                .flatMap(rollup -> rollup.measures().stream()
                        .filter(measure -> measure.function() == Measure.Function.COUNT)
                        .limit(1)
                        .map(measure -> new Counting(rollup, measure.column())))
                .findFirst();
    }

    private static boolean isByContentInShortWindows(RollupDefinition rollup) {
        return rollup.eventKey().size() == 1
                && rollup.eventKey().get(0).source() == KeyPart.Source.CONTENT_ID
                && rollup.windowMillis() <= Leaderboards.WINDOW_MILLIS;
    }

    /**
     * What was usual for contents on the days before, as events of as much time as counts as now: the greatest number
     * of the days.
     *
     * @param now events that each content has now
     * @return by content id, without those of which nothing is known, be it that PostgreSQL does not answer
     */
    Map<String, BigDecimal> usual(Map<String, Long> now, long nowMillis) {
        Map<String, BigDecimal> usual = new HashMap<>();
        if (rows == null || counting == null || now.isEmpty()) {
            return usual;
        }
        try {
            List<String> contentIds = List.copyOf(now.keySet());
            Counts present = counts(rows, counting, nowMillis, contentIds);
            for (Duration back : DAYS_BACK) {
                Counts then = counts(rows, counting, nowMillis - back.toMillis(), contentIds);
                if (present.known() && then.known()) {
                    now.forEach((id, events) -> {
                        BigDecimal converted = converted(events, then.of(id), present.of(id));
                        if (converted != null) {
                            usual.merge(id, converted, BigDecimal::max);
                        }
                    });
                }
            }
        } catch (UnavailableException e) {
            // The days that were not read are not known, and what is trending goes by the others.
            return usual;
        }
        return usual;
    }

    private static @Nullable BigDecimal converted(long eventsNow, long countThen, long countNow) {
        return countNow == 0
                ? null
                : BigDecimal.valueOf(eventsNow)
                        .multiply(BigDecimal.valueOf(countThen))
                        .divide(BigDecimal.valueOf(countNow), MathContext.DECIMAL64);
    }

    private Counts counts(RollupRows table, Counting by, long atMillis, List<String> contentIds)
            throws UnavailableException {
        long window = by.rollup().windowMillis();
        long span = (Leaderboards.WINDOW_MILLIS + window - 1) / window * window;
        long to = Math.floorDiv(atMillis - ROWS_COME_AFTER_MILLIS, window) * window;
        long from = to - span;
        Counts before = held.getOrDefault(from, new Counts(Map.of(), true));
        List<String> missing = new ArrayList<>(contentIds);
        missing.removeAll(before.byContent().keySet());
        if (missing.isEmpty() || !before.known()) {
            return before;
        }
        Map<String, Long> sums = table.sums(by.rollup(), by.column(), from, to, missing);
        Map<String, Long> all = new HashMap<>(before.byContent());
        if (sums != null) {
            missing.forEach(id -> all.put(id, sums.getOrDefault(id, 0L)));
        }
        Counts counts = new Counts(all, sums != null);
        held.put(from, counts);
        return counts;
    }
}
