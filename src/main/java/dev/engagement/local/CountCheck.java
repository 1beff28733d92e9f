package dev.engagement.local;

import dev.engagement.local.DestinationCheck.Comparison;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import redis.clients.jedis.Jedis;

/** {@code content:count:*}: every event of the source once. */
final class CountCheck implements KeyCheck {

    private static final String COUNT = "content:count:";

    /** The counts of the given contents; those without one are left out. */
    static Map<String, Long> counts(Jedis jedis, List<String> ids) {
        Map<String, Long> counts = new HashMap<>();
        for (int from = 0; from < ids.size(); from += CHUNK) {
            List<String> chunk = ids.subList(from, Math.min(ids.size(), from + CHUNK));
            List<String> values =
                    jedis.mget(chunk.stream().map(id -> COUNT + id).toArray(String[]::new));
            for (int i = 0; i < chunk.size(); i++) {
                if (values.get(i) != null) {
                    counts.put(chunk.get(i), Long.parseLong(values.get(i)));
                }
            }
        }
        return counts;
    }

    @Override
    public List<Comparison> compare(Connection source, Jedis jedis) throws SQLException {
        Map<String, Long> expected = new LinkedHashMap<>();
        try (Statement statement = source.createStatement();
                ResultSet rows = statement.executeQuery(
                        "SELECT content_id, count(*) FROM engagement_events WHERE content_id IS NOT NULL GROUP BY content_id")) {
            while (rows.next()) {
                expected.put(rows.getString(1), rows.getLong(2));
            }
        }
        Map<String, Long> actual = counts(jedis, KeyCheck.scan(jedis, COUNT));
        List<String> differing = new ArrayList<>();
        expected.forEach((id, count) -> {
            if (!count.equals(actual.get(id))) {
                differing.add(id + ": " + count + " events, " + COUNT + " says " + actual.get(id));
            }
        });
        actual.forEach((id, count) -> {
            if (!expected.containsKey(id)) {
                differing.add(id + ": no event, " + COUNT + " says " + count);
            }
        });
        return List.of(
                new Comparison("events", Long.toString(sum(expected)), Long.toString(sum(actual)), List.of()),
                new Comparison(
                        "contents with their count (" + COUNT + "…)",
                        Integer.toString(expected.size()),
                        Integer.toString(actual.size()),
                        differing));
    }

    private static long sum(Map<String, Long> counts) {
        return counts.values().stream().mapToLong(Long::longValue).sum();
    }
}
