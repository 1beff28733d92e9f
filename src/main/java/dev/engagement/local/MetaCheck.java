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
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Pipeline;
import redis.clients.jedis.Response;

/** {@code content:meta:*}: every content as it is now, and none that is gone. */
final class MetaCheck implements KeyCheck {

    private static final String META = "content:meta:";

    private static final String CONTENTS = """
            SELECT id, slug, title, content_type, length_seconds, to_char(publish_ts AT TIME ZONE 'UTC', %s) AS publish_ts
            FROM content""".formatted(ISO);

    /** The title a content has in Redis, or null. */
    static @Nullable String title(Jedis jedis, String id) {
        return jedis.hget(META + id, "title");
    }

    @Override
    public List<Comparison> compare(Connection source, Jedis jedis) throws SQLException {
        Map<String, Map<String, String>> contents = contents(source);
        List<String> differing = new ArrayList<>();
        List<String> stored = KeyCheck.scan(jedis, META);
        for (String id : stored) {
            if (!contents.containsKey(id)) {
                differing.add(id + ": no such content, but " + META + " exists");
            }
        }
        List<String> ids = List.copyOf(contents.keySet());
        for (int from = 0; from < ids.size(); from += CHUNK) {
            List<String> chunk = ids.subList(from, Math.min(ids.size(), from + CHUNK));
            List<Response<Map<String, String>>> hashes = new ArrayList<>();
            try (Pipeline pipeline = jedis.pipelined()) {
                chunk.forEach(id -> hashes.add(pipeline.hgetAll(META + id)));
                pipeline.sync();
            }
            for (int i = 0; i < chunk.size(); i++) {
                Map<String, String> expected = contents.get(chunk.get(i));
                Map<String, String> actual = new HashMap<>(hashes.get(i).get());
                // The writer's own, such as the version by which newer replaces older; not for readers.
                actual.keySet().removeIf(field -> field.startsWith("_"));
                if (!expected.equals(actual)) {
                    differing.add(chunk.get(i) + ": " + expected + ", " + META + " says " + actual);
                }
            }
        }
        return List.of(new Comparison(
                "contents (" + META + "…)",
                Integer.toString(contents.size()),
                Integer.toString(stored.size()),
                differing));
    }

    private static Map<String, Map<String, String>> contents(Connection source) throws SQLException {
        Map<String, Map<String, String>> contents = new LinkedHashMap<>();
        try (Statement statement = source.createStatement();
                ResultSet rows = statement.executeQuery(CONTENTS)) {
            while (rows.next()) {
                Map<String, String> fields = new HashMap<>();
                for (String field : List.of("slug", "title", "content_type", "length_seconds", "publish_ts")) {
                    String value = rows.getString(field);
                    if (value != null) {
                        fields.put(field, value);
                    }
                }
                contents.put(rows.getString("id"), fields);
            }
        }
        return contents;
    }
}
