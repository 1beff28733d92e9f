package dev.engagement.ranking;

import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.Standings;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/** The boards by the rules as they are written down: a list of all events, summed anew for each board. */
final class RankingOracle {

    private final List<EnrichedEvent> events = new ArrayList<>();
    private RankingOptions options;
    private @Nullable Long end;
    long futureDated;
    long late;

    RankingOracle(RankingOptions options) {
        this.options = options;
    }

    /** A restore with other options: a shorter window forgets at once, a longer one fills up. */
    void restart(RankingOptions other) {
        options = other;
        if (end != null) {
            forgetBefore(end - options.window().toMillis());
        }
    }

    void event(EnrichedEvent event) {
        long aheadMicros =
                event.event().eventTsMicros() - 1_000 * event.event().position().timestampMillis();
        if (aheadMicros > 1_000 * options.maxClockSkew().toMillis()) {
            futureDated++;
        } else if (end != null
                && event.event().eventTsMicros()
                        < 1_000 * (after(end) - options.window().toMillis())) {
            late++;
        } else {
            events.add(event);
        }
    }

    List<Standings> watermark(long watermark, long now) {
        return reach(Math.floorDiv(watermark + 1, slide()) * slide(), now);
    }

    List<Standings> endOfInput(long newestMillis, long now) {
        return reach(end == null ? after(newestMillis) : Math.max(after(newestMillis), after(end)), now);
    }

    private List<Standings> reach(long target, long now) {
        List<Standings> boards = new ArrayList<>();
        if (end != null && target <= end) {
            return boards;
        }
        // From the first that may be shown at all: a loop over all ends since the last one could be endless.
        long from = end == null ? target : Math.max(after(end), after(now - 60_000 - slide()));
        for (long next = from; next <= target; next += slide()) {
            if (next >= now - 60_000 && next <= now + options.maxClockSkew().toMillis()) {
                forgetBefore(next - options.window().toMillis());
                boards.add(board(next));
            }
        }
        forgetBefore(target - options.window().toMillis());
        end = target;
        return boards;
    }

    private void forgetBefore(long millis) {
        events.removeIf(event -> event.event().eventTsMicros() < 1_000 * millis);
    }

    private long slide() {
        return options.slide().toMillis();
    }

    private long after(long millis) {
        return (Math.floorDiv(millis, slide()) + 1) * slide();
    }

    /** The board of the window that ends there. */
    private Standings board(long slideEnd) {
        return board(events, slideEnd, options);
    }

    static Standings board(List<EnrichedEvent> events, long slideEnd, RankingOptions options) {
        List<EnrichedEvent> inWindow = events.stream()
                .filter(event -> event.event().eventTsMicros() < 1_000 * slideEnd
                        && event.event().eventTsMicros()
                                >= 1_000 * (slideEnd - options.window().toMillis()))
                .toList();
        return new Standings(
                slideEnd,
                best(inWindow, event -> 1, options.topN()),
                best(
                        inWindow.stream()
                                .filter(event -> event.event().hasDuration())
                                .toList(),
                        event -> event.event().durationMs(),
                        options.topN()));
    }

    private static List<Standings.Place> best(
            List<EnrichedEvent> events, ToLongFunction<EnrichedEvent> score, int topN) {
        Map<String, Long> sums = new HashMap<>();
        events.forEach(event -> sums.merge(event.event().contentId(), score.applyAsLong(event), Long::sum));
        return sums.entrySet().stream()
                .map(sum -> new Standings.Place(sum.getKey(), sum.getValue()))
                .sorted(Comparator.comparingLong((Standings.Place place) -> -place.score())
                        .thenComparing(
                                place -> place.contentId().getBytes(StandardCharsets.UTF_8), Arrays::compareUnsigned))
                .limit(topN)
                .toList();
    }
}
