package dev.engagement.ranking;

import java.io.Serializable;
import java.time.Duration;

/**
 * What the leaderboards show.
 *
 * @param window {@code ranking.window}: how much event time a board covers; whole seconds, not shorter than a slide, and
 *     not necessarily a multiple of it
 * @param slide {@code ranking.slide}: the event time from one board to the next; whole seconds, counted from the epoch
 * @param topN {@code ranking.top-n}: places on a board
 * @param maxClockSkew {@code ranking.max-clock-skew}: how far ahead of its own Kafka timestamp an event may be stamped to
 *     enter a board, and how far ahead of the wall clock a board may end
 */
public record RankingOptions(Duration window, Duration slide, int topN, Duration maxClockSkew) implements Serializable {

    private static final long serialVersionUID = 1L;

    private static final Duration LONGEST_WINDOW = Duration.ofHours(24);
    private static final int MAX_PLACES = 10_000;

    /** The last ten minutes, each second, a hundred places. */
    public static final RankingOptions DEFAULT =
            new RankingOptions(Duration.ofMinutes(10), Duration.ofSeconds(1), 100, Duration.ofMinutes(1));

    /** A board that ends longer ago than this is not published: during a catch-up it would show the past as the present. */
    public static final Duration MAX_BOARD_AGE = Duration.ofSeconds(60);

    public RankingOptions {
        if (slide.compareTo(Duration.ofSeconds(1)) < 0 || slide.getNano() != 0) {
            throw new IllegalArgumentException("ranking.slide is " + slide
                    + "; it must be whole seconds, at least 1 s: events are summed by second");
        }
        if (window.getNano() != 0 || window.compareTo(slide) < 0) {
            throw new IllegalArgumentException("ranking.window is " + window
                    + "; it must be whole seconds and at least ranking.slide (" + slide
                    + "), or events between two windows are in none");
        }
        if (window.compareTo(LONGEST_WINDOW) > 0) {
            throw new IllegalArgumentException("ranking.window is " + window
                    + "; it must be at most 24 h: each event of the window is in memory, about 10 bytes each");
        }
        if (topN < 1 || topN > MAX_PLACES) {
            throw new IllegalArgumentException("ranking.top-n is " + topN + "; it must be 1 to " + MAX_PLACES
                    + ": a board is replaced as a whole at each slide");
        }
        if (maxClockSkew.isNegative()) {
            throw new IllegalArgumentException(
                    "ranking.max-clock-skew is " + maxClockSkew + "; it must not be negative");
        }
    }
}
