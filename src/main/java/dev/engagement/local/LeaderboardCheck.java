package dev.engagement.local;

import dev.engagement.local.DestinationCheck.Comparison;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Jedis;

/**
 * Both leaderboards at the slide end that stands beside them: equal to SQL over the window that ends there, and that end
 * not long ago. For a stream with the default window, slide and number of places.
 */
final class LeaderboardCheck implements KeyCheck {

    private static final Duration WINDOW = Duration.ofMinutes(10);
    private static final long SLIDE_MILLIS = 1_000;
    private static final int PLACES = 100;
    /**
     * How long ago a slide end may be. Far more than out-of-orderness, a slide and idleness, so that this tells a
     * leaderboard that stands still from one that moves, and does not judge how fast the machine is.
     */
    static final Duration FRESH = Duration.ofMinutes(1);

    private static final String FRESH_TEXT = "at most " + FRESH.toSeconds() + " s ago";

    private final Clock clock;

    LeaderboardCheck(Clock clock) {
        this.clock = clock;
    }

    @Override
    public List<Comparison> compare(Connection source, Jedis liveView) throws SQLException {
        List<Comparison> comparisons = new ArrayList<>();
        for (Leaderboard board : Leaderboard.values()) {
            comparisons.addAll(compare(board, source, liveView));
        }
        return comparisons;
    }

    private List<Comparison> compare(Leaderboard board, Connection source, Jedis liveView) throws SQLException {
        Leaderboard.Reading found = board.read(liveView, "");
        Instant now = clock.instant();
        Long slideEnd = found.slideEndMillis();
        // Ranked at every slide end that would be fresh now.
        boolean due = !places(board, source, now.minus(WINDOW).plus(FRESH), now.minus(FRESH))
                .isEmpty();
        boolean judged = due || !found.isEmpty() || (found.version() != null && slideEnd == null);
        Map<String, BigDecimal> expected =
                slideEnd == null ? Map.of() : expected(board, source, Instant.ofEpochMilli(slideEnd), now);
        String age = age(found, slideEnd, now);
        return List.of(
                new Comparison(
                        "places by " + board.title() + " (" + board.key() + ")",
                        Integer.toString(expected.size()),
                        Integer.toString(found.scores().size()),
                        differences(board, slideEnd, expected, found.scores())),
                new Comparison(
                        "its slide end, and expiry " + Leaderboard.LIFE_AFTER_THE_SLIDE.toSeconds() + " s later",
                        judged ? FRESH_TEXT : age,
                        age,
                        misdated(found, slideEnd)));
    }

    private static Map<String, BigDecimal> expected(Leaderboard board, Connection source, Instant slideEnd, Instant now)
            throws SQLException {
        return Leaderboard.Reading.isExpired(slideEnd.toEpochMilli(), now.toEpochMilli())
                // Whether one is missing is then a question of freshness.
                ? Map.of()
                : places(board, source, slideEnd.minus(WINDOW), slideEnd);
    }

    private String age(Leaderboard.Reading found, @Nullable Long slideEnd, Instant now) {
        if (slideEnd == null) {
            return found.version() == null ? "none" : "'" + found.version() + "'";
        }
        long age = now.toEpochMilli() - slideEnd;
        // A source's clock may be ahead by as much as a minute, and event time with it.
        if (age <= FRESH.toMillis() && age >= -Duration.ofMinutes(1).toMillis()) {
            return FRESH_TEXT;
        }
        return String.format(Locale.ROOT, "%.1f s ago", age / 1e3);
    }

    private static List<String> misdated(Leaderboard.Reading found, @Nullable Long slideEnd) {
        List<String> misdated = new ArrayList<>();
        if (slideEnd != null && slideEnd % SLIDE_MILLIS != 0) {
            misdated.add(slideEnd + " is not the end of a slide");
        }
        if (slideEnd != null && !found.isEmpty()) {
            long dueAt = slideEnd + Leaderboard.LIFE_AFTER_THE_SLIDE.toMillis();
            if (found.expiresAtMillis() != dueAt) {
                misdated.add("expires at " + found.expiresAtMillis() + ", "
                        + Leaderboard.LIFE_AFTER_THE_SLIDE.toSeconds() + " s after its slide end is " + dueAt);
            }
        }
        return misdated;
    }

    private static List<String> differences(
            Leaderboard board, @Nullable Long slideEnd, Map<String, BigDecimal> expected, Map<String, Double> actual) {
        String window = slideEnd == null ? "" : " in the ten minutes before " + Instant.ofEpochMilli(slideEnd);
        List<String> differing = new ArrayList<>();
        expected.forEach((id, wanted) -> {
            Double score = actual.get(id);
            // A score is a double: that nearest to the exact decimal.
            if (score == null || score != wanted.doubleValue()) {
                differing.add(id + ": " + wanted.toPlainString() + window + ", " + board.key()
                        + (score == null ? " does not have it" : " says " + text(score)));
            }
        });
        actual.forEach((id, score) -> {
            if (!expected.containsKey(id)) {
                differing.add(
                        id + ": not among the first " + PLACES + window + ", " + board.key() + " says " + text(score));
            }
        });
        return differing;
    }

    /** Whether the window that ends there has a content to rank. */
    static boolean isDue(Leaderboard board, Connection source, Instant slideEnd) throws SQLException {
        return !places(board, source, slideEnd.minus(WINDOW), slideEnd).isEmpty();
    }

    /** The places of the window from, inclusive, to, exclusive; the first first. */
    private static Map<String, BigDecimal> places(Leaderboard board, Connection source, Instant from, Instant to)
            throws SQLException {
        Map<String, BigDecimal> places = new LinkedHashMap<>();
        try (PreparedStatement statement = source.prepareStatement("""
                SELECT e.content_id, %1$s AS score
                FROM engagement_events e
                WHERE e.event_ts >= ? AND e.event_ts < ? AND e.content_id IS NOT NULL AND %2$s
                GROUP BY e.content_id
                HAVING %1$s IS NOT NULL
                ORDER BY score DESC, e.content_id::text COLLATE "C" ASC
                LIMIT %3$d""".formatted(board.score(), TIMELY, PLACES))) {
            statement.setObject(1, from.atOffset(ZoneOffset.UTC));
            statement.setObject(2, to.atOffset(ZoneOffset.UTC));
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    BigDecimal score = rows.getBigDecimal("score").stripTrailingZeros();
                    places.put(rows.getString("content_id"), score);
                }
            }
        }
        return places;
    }

    /** A score as a reader would write it. */
    static String text(double score) {
        return Double.isFinite(score)
                ? BigDecimal.valueOf(score).stripTrailingZeros().toPlainString()
                : Double.toString(score);
    }
}
