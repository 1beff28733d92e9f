package dev.engagement.local;

import dev.engagement.local.DestinationCheck.Comparison;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Pipeline;
import redis.clients.jedis.Response;
import redis.clients.jedis.resps.Tuple;

/** {@code top:content:bucket:*}: every event-time minute that is still to be read, complete, and no other. */
final class BucketCheck implements KeyCheck {

    private static final String BUCKET = "top:content:bucket:";
    private static final Duration LIFE_AFTER_THE_MINUTE = Duration.ofMinutes(15);
    /** A bucket that expires about now may be found or not. */
    private static final Duration ABOUT_NOW = Duration.ofSeconds(2);

    private static final String EVENTS_PER_MINUTE = """
            SELECT to_char(e.minute AT TIME ZONE 'UTC', 'YYYYMMDDHH24MI') AS minute,
              extract(epoch FROM e.minute + interval '1 minute')::bigint AS end_seconds,
              e.content_id, count(*) AS events
            FROM (
              SELECT content_id, date_trunc('minute', event_ts, 'UTC') AS minute
              FROM engagement_events e
              WHERE e.event_ts >= ? AND e.content_id IS NOT NULL AND %s
            ) e
            GROUP BY e.minute, e.content_id""".formatted(TIMELY);

    private final Clock clock;

    /** @param clock that of Redis, within a second */
    BucketCheck(Clock clock) {
        this.clock = clock;
    }

    /** What a minute should hold. */
    private record Minute(Instant expiry, Map<String, Long> events) {}

    @Override
    public List<Comparison> compare(Connection source, Jedis liveView) throws SQLException {
        Instant now = clock.instant();
        Map<String, Minute> minutes = minutes(source, now.minus(LIFE_AFTER_THE_MINUTE.plusMinutes(2)));
        List<String> differing = new ArrayList<>();
        for (String stored : KeyCheck.scan(liveView, BUCKET)) {
            Minute minute = minutes.get(stored);
            if (minute == null) {
                differing.add(stored + ": no event in that minute, or long ago, but " + BUCKET + " exists");
            } else if (minute.expiry.isBefore(now.minus(ABOUT_NOW))) {
                differing.add(stored + ": it should have expired, but " + BUCKET + " exists");
            }
        }
        minutes.values().removeIf(minute -> minute.expiry.isBefore(now.plus(ABOUT_NOW)));

        Map<String, Response<List<Tuple>>> contents = new HashMap<>();
        Map<String, Response<Long>> expiries = new HashMap<>();
        try (Pipeline pipeline = liveView.pipelined()) {
            for (String minute : minutes.keySet()) {
                contents.put(minute, pipeline.zrangeWithScores(BUCKET + minute, 0, -1));
                expiries.put(minute, pipeline.pexpireTime(BUCKET + minute));
            }
            pipeline.sync();
        }
        List<String> expiring = new ArrayList<>();
        int found = 0;
        for (Map.Entry<String, Minute> each : minutes.entrySet()) {
            String minute = each.getKey();
            Map<String, Double> actual = new HashMap<>();
            contents.get(minute).get().forEach(tuple -> actual.put(tuple.getElement(), tuple.getScore()));
            if (actual.isEmpty()) {
                differing.add(minute + ": " + BUCKET + " is missing; "
                        + each.getValue().events.size() + " contents have events in it");
                continue;
            }
            found++;
            differing.addAll(differences(minute, each.getValue().events, actual));
            long due = each.getValue().expiry.toEpochMilli();
            long expiry = expiries.get(minute).get();
            if (expiry != due) {
                expiring.add(minute + ": expires at " + expiry + ", 15 minutes after its end is " + due);
            }
        }
        return List.of(
                new Comparison(
                        "minutes with their events (" + BUCKET + "…)",
                        Integer.toString(minutes.size()),
                        Integer.toString(found),
                        differing),
                new Comparison(
                        "their expiry, 15 minutes after the minute",
                        Integer.toString(found),
                        Integer.toString(found - expiring.size()),
                        expiring));
    }

    private static List<String> differences(String minute, Map<String, Long> expected, Map<String, Double> actual) {
        List<String> differing = new ArrayList<>();
        expected.forEach((id, events) -> {
            Double score = actual.get(id);
            if (score == null) {
                differing.add(minute + " " + id + ": " + events + " events, " + BUCKET + " has none");
            } else if (score != events.doubleValue()) {
                differing.add(minute + " " + id + ": " + events + " events, " + BUCKET + " says "
                        + LeaderboardCheck.text(score));
            }
        });
        actual.forEach((id, score) -> {
            if (!expected.containsKey(id)) {
                differing.add(minute + " " + id + ": no event, " + BUCKET + " says " + LeaderboardCheck.text(score));
            }
        });
        return differing;
    }

    private static Map<String, Minute> minutes(Connection source, Instant from) throws SQLException {
        Map<String, Minute> minutes = new TreeMap<>();
        try (PreparedStatement statement = source.prepareStatement(EVENTS_PER_MINUTE)) {
            statement.setObject(1, from.atOffset(ZoneOffset.UTC));
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    Instant expiry =
                            Instant.ofEpochSecond(rows.getLong("end_seconds")).plus(LIFE_AFTER_THE_MINUTE);
                    minutes.computeIfAbsent(rows.getString("minute"), name -> new Minute(expiry, new HashMap<>()))
                            .events
                            .put(rows.getString("content_id"), rows.getLong("events"));
                }
            }
        }
        return minutes;
    }
}
