package dev.engagement.bench;

import java.util.TreeMap;

/**
 * How many events each second of event time has, to tell how many have left a window: with a board's score they are the
 * events that the board has counted, however long the run is. Thread safe.
 */
final class EventSeconds {

    private final TreeMap<Long, Long> events = new TreeMap<>();

    /** One more event. */
    synchronized void add(long epochMilli) {
        events.merge(Math.floorDiv(epochMilli, 1_000L), 1L, Long::sum);
    }

    /** Events before the beginning of that second. */
    synchronized long before(long epochSecond) {
        return events.headMap(epochSecond).values().stream()
                .mapToLong(Long::longValue)
                .sum();
    }
}
