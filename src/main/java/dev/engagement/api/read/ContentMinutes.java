package dev.engagement.api.read;

import dev.engagement.liveview.LiveViewKeys;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Response;
import redis.clients.jedis.resps.Tuple;

/**
 * How many events contents had in each minute of the last hour. Redis shows a minute for a quarter of an hour; what is
 * older is what this process saw of it meanwhile, of the contents with most events in it. Thread-safe.
 */
final class ContentMinutes {

    static final long MINUTE_MILLIS = 60_000;

    /** Minutes that are remembered. */
    static final int HOUR = 60;

    /** Minutes before the present one that Redis shows. */
    static final int SHOWN = 15;

    /** Contents of a minute that are remembered. */
    private static final int MAX_CONTENTS = 1_000;

    /** Minutes that many events still come into: these are looked at each time. */
    private static final int FRESH = 2;

    private static final long LOOK_AGAIN_MILLIS = 30_000;
    private static final long LOOK_AT_FRESH_AGAIN_MILLIS = 1_000;

    private final RedisStore redis;
    private final LiveViewKeys keys;
    private final NavigableMap<Long, Minute> minutes = new TreeMap<>();

    /**
     * What was seen of a minute.
     *
     * @param whole whether that is all contents that had an event in it
     */
    private record Minute(Map<String, Long> events, boolean whole, long seenAtMillis) {

        /** How many events the content had; null if that is not known. */
        @Nullable
        Long of(String contentId) {
            Long held = events.get(contentId);
            return held == null && whole ? Long.valueOf(0) : held;
        }
    }

    ContentMinutes(RedisStore redis, LiveViewKeys keys) {
        this.redis = redis;
        this.keys = keys;
    }

    static long minuteOf(long millis) {
        return Math.floorDiv(millis, MINUTE_MILLIS);
    }

    /** The minutes that Redis shows, oldest first. */
    static List<Long> shown(long nowMillis) {
        long current = minuteOf(nowMillis);
        return LongStream.rangeClosed(current - SHOWN, current).boxed().toList();
    }

    /** Looks at what Redis shows, so far as that was not done just now. */
    void look(long nowMillis) throws UnavailableException {
        List<Long> due = due(nowMillis);
        if (due.isEmpty()) {
            return;
        }
        List<List<Tuple>> seen = redis.ask(pipeline -> {
            List<Response<List<Tuple>>> answers = new ArrayList<>();
            for (long minute : due) {
                answers.add(pipeline.zrevrangeWithScores(keys.bucket(minute), 0, MAX_CONTENTS - 1L));
            }
            return () -> answers.stream().map(Response::get).toList();
        });
        remember(due, seen, nowMillis);
    }

    private synchronized List<Long> due(long nowMillis) {
        long current = minuteOf(nowMillis);
        List<Long> due = new ArrayList<>();
        for (long minute : shown(nowMillis)) {
            Minute held = minutes.get(minute);
            long again = minute >= current - FRESH ? LOOK_AT_FRESH_AGAIN_MILLIS : LOOK_AGAIN_MILLIS;
            if (held == null || nowMillis - held.seenAtMillis >= again) {
                due.add(minute);
            }
        }
        return due;
    }

    private synchronized void remember(List<Long> due, List<List<Tuple>> seen, long nowMillis) {
        for (int i = 0; i < due.size(); i++) {
            Map<String, Long> events = new HashMap<>();
            for (Tuple each : seen.get(i)) {
                events.put(each.getElement(), Math.round(each.getScore()));
            }
            Minute held = minutes.get(due.get(i));
            if (events.isEmpty() && held != null) {
                // Counts only grow: Redis has lost it, and is being filled again.
                events = held.events;
            }
            minutes.put(due.get(i), new Minute(events, events.size() < MAX_CONTENTS, nowMillis));
        }
        minutes.headMap(minuteOf(nowMillis) - HOUR, false).clear();
    }

    /** Events by content in a range of minutes, so far as they are known. */
    synchronized Map<String, Long> sums(long fromMinute, long toMinute) {
        Map<String, Long> sums = new HashMap<>();
        for (Minute minute : minutes.subMap(fromMinute, toMinute).values()) {
            minute.events.forEach((id, events) -> sums.merge(id, events, Long::sum));
        }
        return sums;
    }

    /**
     * Events of a content by minute, on average of those minutes of a range of which that is known. What lies before
     * the first event of any content is not known: nobody says whether there was nothing, or nobody who looked.
     *
     * @param min so many minutes have to be known
     * @return null if fewer are
     */
    synchronized @Nullable BigDecimal perMinute(String contentId, long fromMinute, long toMinute, int min) {
        long sum = 0;
        int known = 0;
        boolean begun = false;
        for (Minute minute : minutes.subMap(fromMinute, toMinute).values()) {
            begun |= !minute.events.isEmpty();
            Long events = minute.of(contentId);
            if (begun && events != null) {
                sum += events;
                known++;
            }
        }
        return known < min ? null : BigDecimal.valueOf(sum).divide(BigDecimal.valueOf(known), MathContext.DECIMAL64);
    }

    /**
     * Events of a content in the minutes of the last hour that Redis shows no more, by minute, so far as there were
     * any.
     */
    synchronized NavigableMap<Long, Long> remembered(String contentId, long nowMillis) {
        long current = minuteOf(nowMillis);
        NavigableMap<Long, Long> events = new TreeMap<>();
        minutes.subMap(current - HOUR + 1, current - SHOWN).forEach((minute, seen) -> {
            long count = seen.events.getOrDefault(contentId, 0L);
            if (count > 0) {
                events.put(minute, count);
            }
        });
        return events;
    }
}
