package dev.engagement.api.read;

import dev.engagement.api.read.RankedBoard.Ranked;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Which contents are above their own usual. Thread-safe.
 *
 * <p>Now is the last ten whole minutes. Usual is the greatest that is known of: as many minutes of the last hour before
 * them, on average; the same time yesterday; the same time a week ago. So neither a morning nor what is big every day
 * is trending. The score is now over usual, which counts as one event at least.
 */
final class Trending {

    /** Minutes that count as now. */
    static final int NOW = 10;

    /** Fewer events are chance. */
    private static final long MIN_EVENTS = 10;

    /** So many minutes of the last hour have to be known to say what is usual. */
    private static final int MIN_MINUTES = 3;

    /** Contents whose past is looked up. */
    private static final int MAX_CANDIDATES = 200;

    private static final int MAX_PLACES = 100;
    private static final int SCORE_SCALE = 2;
    private static final int USUAL_SCALE = 1;

    private static final long GOOD_FOR_MILLIS = 5_000;

    private final ContentMinutes minutes;
    private final PastDays past;

    private @Nullable RankedBoard last;
    private long lastAtMillis;

    Trending(ContentMinutes minutes, PastDays past) {
        this.minutes = minutes;
        this.past = past;
    }

    private record Candidate(
            String contentId, long events, @Nullable BigDecimal usualOfHour) {

        /** The greater, the sooner it may be above its usual. */
        double promise() {
            return usualOfHour == null ? events : events / Math.max(1, usualOfHour.doubleValue());
        }
    }

    /** The board at that time, or of some seconds before. */
    synchronized RankedBoard at(long nowMillis) throws UnavailableException {
        RankedBoard held = last;
        if (held != null && nowMillis >= lastAtMillis && nowMillis - lastAtMillis < GOOD_FOR_MILLIS) {
            return held;
        }
        RankedBoard board = computed(nowMillis);
        last = board;
        lastAtMillis = nowMillis;
        return board;
    }

    private RankedBoard computed(long nowMillis) throws UnavailableException {
        minutes.look(nowMillis);
        long end = ContentMinutes.minuteOf(nowMillis);
        long begin = end - NOW;
        List<Candidate> candidates = new ArrayList<>();
        minutes.sums(begin, end).forEach((contentId, events) -> {
            if (events >= MIN_EVENTS) {
                candidates.add(new Candidate(contentId, events, usualOfHour(contentId, begin)));
            }
        });
        List<Candidate> promising = candidates.stream()
                .sorted(Comparator.comparingDouble(Candidate::promise)
                        .reversed()
                        .thenComparing(Candidate::contentId))
                .limit(MAX_CANDIDATES)
                .toList();
        Map<String, Long> now = new LinkedHashMap<>();
        promising.forEach(candidate -> now.put(candidate.contentId(), candidate.events()));
        Map<String, BigDecimal> usualOfDays = past.usual(now, nowMillis);
        List<Ranked> places = new ArrayList<>();
        for (Candidate candidate : promising) {
            Ranked ranked = ranked(candidate, usualOfDays.get(candidate.contentId()));
            if (ranked != null) {
                places.add(ranked);
            }
        }
        places.sort(Comparator.comparing(Ranked::score).reversed().thenComparing(Ranked::contentId));
        return new RankedBoard(
                end * ContentMinutes.MINUTE_MILLIS, places.subList(0, Math.min(MAX_PLACES, places.size())));
    }

    /** Of as many minutes as count as now, before these; null if too little is known of them. */
    private @Nullable BigDecimal usualOfHour(String contentId, long begin) {
        BigDecimal perMinute = minutes.perMinute(contentId, begin + NOW - ContentMinutes.HOUR, begin, MIN_MINUTES);
        return perMinute == null ? null : perMinute.multiply(BigDecimal.valueOf(NOW));
    }

    /**
     * The content in its place, as far as that is its own affair; null if it is not above its usual, or nobody knows.
     */
    private static @Nullable Ranked ranked(Candidate candidate, @Nullable BigDecimal usualOfDays) {
        BigDecimal usualOfHour = candidate.usualOfHour();
        BigDecimal usual = usualOfHour == null || usualOfDays == null
                ? usualOfHour == null ? usualOfDays : usualOfHour
                : usualOfHour.max(usualOfDays);
        if (usual == null) {
            return null;
        }
        BigDecimal score = BigDecimal.valueOf(candidate.events())
                .divide(usual.max(BigDecimal.ONE), SCORE_SCALE, RoundingMode.HALF_UP);
        return score.compareTo(BigDecimal.ONE) > 0
                ? new Ranked(candidate.contentId(), score, usual.setScale(USUAL_SCALE, RoundingMode.HALF_UP))
                : null;
    }
}
