package dev.engagement.event;

import java.util.List;

/**
 * The two leaderboards over the window that ends at one slide end. Immutable.
 *
 * @param slideEndMillis the window's end, milliseconds since the epoch, exclusive
 * @param byEvents the contents of most events, best first, each score a number of events
 * @param byEngagement the contents of most engagement, best first, each score in milliseconds; only contents of which an
 *     event in the window has a duration
 */
public record Standings(long slideEndMillis, List<Place> byEvents, List<Place> byEngagement) {

    public Standings {
        byEvents = List.copyOf(byEvents);
        byEngagement = List.copyOf(byEngagement);
    }

    /**
     * One place of a leaderboard.
     *
     * @param contentId which content
     * @param score what it is ranked by
     */
    public record Place(String contentId, long score) {}
}
