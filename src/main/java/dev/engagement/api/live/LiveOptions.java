package dev.engagement.api.live;

import dev.engagement.liveview.LiveViewOptions;
import java.time.Duration;
import java.util.List;
import java.util.Set;

/**
 * What clients are told, and how much is kept for them.
 *
 * @param redis where the live view is
 * @param eventTypes whose windows are looked for when Redis is found; others come with their first change
 * @param windowSizes of those windows, as their keys have them: {@code 30s}
 * @param rollups whose windows are passed on beside those by event type and size. Few cells: each change goes to every
 *     client
 * @param maxClients at once
 * @param maxPending subjects of which something may wait for one client; beyond, a snapshot waits for it instead
 * @param recentMessages that are kept for clients that come back
 * @param redisTimeout for a connection, an answer, and a sign of life while nothing changes
 */
public record LiveOptions(
        LiveViewOptions redis,
        List<String> eventTypes,
        List<String> windowSizes,
        Set<String> rollups,
        int maxClients,
        int maxPending,
        int recentMessages,
        Duration redisTimeout) {

    private static final int MAX_SERIES = 1_000;

    public LiveOptions {
        eventTypes = List.copyOf(eventTypes);
        windowSizes = List.copyOf(windowSizes);
        rollups = Set.copyOf(rollups);
        if ((long) eventTypes.size() * windowSizes.size() > MAX_SERIES) {
            throw new IllegalArgumentException("live.event-types and live.window-sizes are " + eventTypes.size()
                    + " and " + windowSizes.size() + "; they must not make more than " + MAX_SERIES + " pairs");
        }
        between("live.max-clients", maxClients, 1, 100_000);
        between("live.max-pending", maxPending, 1, 100_000);
        between("live.recent-messages", recentMessages, 1, 1_000_000);
        if (redisTimeout.toMillis() < 100 || redisTimeout.compareTo(Duration.ofMinutes(5)) > 0) {
            throw new IllegalArgumentException(
                    "live.redis-timeout is " + redisTimeout + "; it must be from 100 ms to 5 min");
        }
    }

    /**
     * The event types that the source table allows, the rollup of the counts, and the one by content type and device.
     */
    public static LiveOptions of(LiveViewOptions redis) {
        return new LiveOptions(
                redis,
                List.of("play", "pause", "finish", "click"),
                List.of("30s"),
                Set.of("hourly"),
                2_000,
                256,
                2_048,
                Duration.ofSeconds(5));
    }

    private static void between(String option, int value, int min, int max) {
        if (value < min || value > max) {
            throw new IllegalArgumentException(option + " is " + value + "; it must be from " + min + " to " + max);
        }
    }
}
