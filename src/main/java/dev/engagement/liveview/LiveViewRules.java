package dev.engagement.liveview;

import dev.engagement.event.EngagementEvent;
import dev.engagement.event.Timestamps;
import java.io.Serializable;
import java.time.Duration;

/**
 * What the live view shows.
 *
 * @param maxClockSkew {@code ranking.max-clock-skew}: how far ahead of its own Kafka timestamp an event may be stamped
 * @param eventCache {@code liveview.event-cache}: whether single events are cached
 */
public record LiveViewRules(Duration maxClockSkew, boolean eventCache) implements Serializable {

    private static final long serialVersionUID = 1L;

    public LiveViewRules {
        if (maxClockSkew.isNegative()) {
            throw new IllegalArgumentException(
                    "ranking.max-clock-skew is " + maxClockSkew + "; it must not be negative");
        }
    }

    /**
     * Whether a clock gone wrong stamped the event: it enters neither {@code content:last} nor a bucket or leaderboard. The
     * Kafka timestamp is the measure, not the wall clock, since it is the same in every replay.
     */
    public boolean isFutureDated(EngagementEvent event) {
        return Timestamps.isAhead(event.eventTsMicros(), event.position().timestampMillis(), maxClockSkew.toMillis());
    }
}
