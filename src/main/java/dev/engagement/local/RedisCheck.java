package dev.engagement.local;

import java.io.IOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.function.Function;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonProcessingException;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.DeserializationFeature;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Pipeline;
import redis.clients.jedis.Response;
import redis.clients.jedis.params.ScanParams;
import redis.clients.jedis.resps.ScanResult;

/**
 * The live view against plain SQL. An oracle on purpose: it shares no code with the job, neither keys nor arithmetic.
 *
 * <p>Fact columns of {@code content:last} must equal the row; the content's columns must equal one version that the
 * content had, since an enriched event shows its content as it was.
 */
public final class RedisCheck implements DestinationCheck {

    private static final String COUNT = "content:count:";
    private static final String LAST = "content:last:";
    private static final String META = "content:meta:";
    private static final int CHUNK = 500;
    private static final int SCAN_COUNT = 1_000;
    private static final int PCT_SCALE = 2;
    private static final long LAST_TTL_MILLIS = 3_600_000;

    private static final String ISO = "'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'";
    private static final DateTimeFormatter ISO_MICROS =
            DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSS'Z'").withZone(ZoneOffset.UTC);

    /** The hour that {@code last} lives, less time for the comparison itself; and no event from a wrong clock's future. */
    private static final String LAST_EVENTS = """
            SELECT DISTINCT ON (e.content_id)
              e.content_id, e.id AS event_id, e.user_id, e.event_type, e.duration_ms, e.device, e.raw_payload,
              to_char(e.event_ts AT TIME ZONE 'UTC', %1$s) AS event_ts,
              floor(extract(epoch FROM e.event_ts) * 1000)::bigint AS event_millis,
              e.duration_ms::numeric / 1000 AS engagement_seconds,
              CASE WHEN c.length_seconds > 0
                THEN round(e.duration_ms::numeric / (1000 * c.length_seconds::numeric), 2) END AS engagement_pct,
              c.slug, c.title, c.content_type, c.length_seconds,
              to_char(c.publish_ts AT TIME ZONE 'UTC', %1$s) AS publish_ts
            FROM engagement_events e JOIN content c ON c.id = e.content_id
            WHERE e.event_ts BETWEEN now() - interval '58 minutes' AND now() + interval '1 minute'
            ORDER BY e.content_id, e.event_ts DESC, e.id DESC""".formatted(ISO);

    private static final String CONTENTS = """
            SELECT id, slug, title, content_type, length_seconds, to_char(publish_ts AT TIME ZONE 'UTC', %s) AS publish_ts
            FROM content""".formatted(ISO);

    private final PostgresServer postgres;
    private final RedisServer redis;
    private final Function<UUID, List<ContentRow>> versions;
    private final ObjectMapper mapper = new ObjectMapper().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS);

    /**
     * A check of one Redis against one database, over connections of its own for each comparison.
     *
     * @param postgres with {@link Schema}
     * @param redis with keys without a prefix
     * @param versions every version that a content had, as far as known; the present row counts without it
     */
    public RedisCheck(PostgresServer postgres, RedisServer redis, Function<UUID, List<ContentRow>> versions) {
        this.postgres = postgres;
        this.redis = redis;
        this.versions = versions;
    }

    @Override
    public String destination() {
        return "Redis";
    }

    @Override
    public long arrived() throws SQLException {
        List<String> ids = new ArrayList<>();
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT id FROM content")) {
            while (rows.next()) {
                ids.add(rows.getString(1));
            }
        }
        try (Jedis jedis = redis.connect()) {
            return counts(jedis, ids).values().stream()
                    .mapToLong(Long::longValue)
                    .sum();
        }
    }

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

    /** The title a content has in Redis, or null. */
    static @Nullable String title(Jedis jedis, String id) {
        return jedis.hget(META + id, "title");
    }

    @Override
    public List<Comparison> compare() throws SQLException, IOException {
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement();
                Jedis jedis = redis.connect()) {
            Map<String, Map<String, String>> contents = contents(statement);
            List<Comparison> comparisons = new ArrayList<>();
            comparisons.addAll(compareCounts(statement, jedis));
            comparisons.addAll(compareLast(statement, jedis));
            comparisons.add(compareMeta(contents, jedis));
            return comparisons;
        }
    }

    private static List<Comparison> compareCounts(Statement statement, Jedis jedis) throws SQLException {
        Map<String, Long> expected = new LinkedHashMap<>();
        try (ResultSet rows = statement.executeQuery(
                "SELECT content_id, count(*) FROM engagement_events WHERE content_id IS NOT NULL GROUP BY content_id")) {
            while (rows.next()) {
                expected.put(rows.getString(1), rows.getLong(2));
            }
        }
        Map<String, Long> actual = counts(jedis, scan(jedis, COUNT));
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

    private List<Comparison> compareLast(Statement statement, Jedis jedis) throws SQLException, IOException {
        List<LastEvent> expected = new ArrayList<>();
        try (ResultSet rows = statement.executeQuery(LAST_EVENTS)) {
            while (rows.next()) {
                expected.add(LastEvent.of(rows));
            }
        }
        List<String> differing = new ArrayList<>();
        List<String> expiring = new ArrayList<>();
        int found = 0;
        for (int from = 0; from < expected.size(); from += CHUNK) {
            List<LastEvent> chunk = expected.subList(from, Math.min(expected.size(), from + CHUNK));
            List<Response<String>> values = new ArrayList<>();
            List<Response<Long>> expiries = new ArrayList<>();
            try (Pipeline pipeline = jedis.pipelined()) {
                for (LastEvent each : chunk) {
                    values.add(pipeline.get(LAST + each.contentId));
                    expiries.add(pipeline.pexpireTime(LAST + each.contentId));
                }
                pipeline.sync();
            }
            for (int i = 0; i < chunk.size(); i++) {
                LastEvent each = chunk.get(i);
                String json = values.get(i).get();
                if (json == null) {
                    differing.add(each.contentId + ": " + LAST + " is missing; its last event is " + each.eventId);
                    continue;
                }
                found++;
                String difference = difference(each, json);
                if (difference != null) {
                    differing.add(each.contentId + ": " + difference);
                }
                long expiry = expiries.get(i).get();
                long due = each.eventMillis + LAST_TTL_MILLIS;
                // A millisecond for rounding microseconds either way.
                if (Math.abs(expiry - due) > 1) {
                    expiring.add(each.contentId + ": expires at " + expiry + ", an hour after its event is " + due);
                }
            }
        }
        return List.of(
                new Comparison(
                        "last events of the last hour (" + LAST + "…)",
                        Integer.toString(expected.size()),
                        Integer.toString(found),
                        differing),
                new Comparison(
                        "their expiry, an hour after the event",
                        Integer.toString(found),
                        Integer.toString(found - expiring.size()),
                        expiring));
    }

    private static Comparison compareMeta(Map<String, Map<String, String>> contents, Jedis jedis) {
        List<String> differing = new ArrayList<>();
        List<String> stored = scan(jedis, META);
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
        return new Comparison(
                "contents (" + META + "…)",
                Integer.toString(contents.size()),
                Integer.toString(stored.size()),
                differing);
    }

    private static Map<String, Map<String, String>> contents(Statement statement) throws SQLException {
        Map<String, Map<String, String>> contents = new LinkedHashMap<>();
        try (ResultSet rows = statement.executeQuery(CONTENTS)) {
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

    /** The ids of all keys of that prefix, in steps that do not hold the server up. */
    private static List<String> scan(Jedis jedis, String prefix) {
        List<String> ids = new ArrayList<>();
        ScanParams params = new ScanParams().match(prefix + "*").count(SCAN_COUNT);
        String cursor = ScanParams.SCAN_POINTER_START;
        do {
            ScanResult<String> result = jedis.scan(cursor, params);
            result.getResult().forEach(key -> ids.add(key.substring(prefix.length())));
            cursor = result.getCursor();
        } while (!cursor.equals(ScanParams.SCAN_POINTER_START));
        return ids.stream().distinct().toList();
    }

    /** What is wrong with the JSON, or null. */
    private @Nullable String difference(LastEvent expected, String json) throws IOException {
        JsonNode actual;
        try {
            actual = mapper.readTree(json);
        } catch (JsonProcessingException e) {
            return LAST + " is no JSON: " + json;
        }
        List<String> differences = new ArrayList<>();
        expected.facts.forEach((field, value) -> {
            if (!Objects.equals(value, text(actual, field))) {
                differences.add(field + " is " + value + ", in Redis " + text(actual, field));
            }
        });
        if (!sameNumber(expected.seconds, number(actual, "engagement_seconds"))) {
            differences.add(
                    "engagement_seconds is " + expected.seconds + ", in Redis " + text(actual, "engagement_seconds"));
        }
        JsonNode payload = expected.rawPayload == null ? mapper.nullNode() : mapper.readTree(expected.rawPayload);
        if (!payload.equals(actual.path("raw_payload"))) {
            differences.add("raw_payload is " + payload + ", in Redis " + actual.path("raw_payload"));
        }
        List<Derived> candidates = new ArrayList<>();
        candidates.add(expected.derived);
        for (ContentRow version : versions.apply(UUID.fromString(expected.contentId))) {
            candidates.add(Derived.of(version, expected.durationMs));
        }
        if (candidates.stream().noneMatch(candidate -> candidate.matches(actual))) {
            differences.add("the content and engagement_pct are " + expected.derived + " and were never as in Redis: "
                    + Derived.of(actual));
        }
        return differences.isEmpty() ? null : String.join("; ", differences);
    }

    private static @Nullable String text(JsonNode json, String field) {
        JsonNode value = json.get(field);
        return value == null ? "absent" : value.isNull() ? null : value.asText();
    }

    private static @Nullable BigDecimal number(JsonNode json, String field) {
        JsonNode value = json.path(field);
        return value.isNumber() ? value.decimalValue() : null;
    }

    private static boolean sameNumber(@Nullable BigDecimal one, @Nullable BigDecimal other) {
        return one == null ? other == null : other != null && one.compareTo(other) == 0;
    }

    /** The source's last event of a content. */
    private record LastEvent(
            String contentId,
            long eventId,
            long eventMillis,
            @Nullable Integer durationMs,
            Map<String, @Nullable String> facts,
            @Nullable BigDecimal seconds,
            @Nullable String rawPayload,
            Derived derived) {

        static LastEvent of(ResultSet row) throws SQLException {
            Map<String, @Nullable String> facts = new LinkedHashMap<>();
            for (String column :
                    List.of("event_id", "content_id", "user_id", "event_type", "event_ts", "duration_ms", "device")) {
                facts.put(column, row.getString(column));
            }
            return new LastEvent(
                    row.getString("content_id"),
                    row.getLong("event_id"),
                    row.getLong("event_millis"),
                    row.getObject("duration_ms", Integer.class),
                    facts,
                    row.getBigDecimal("engagement_seconds"),
                    row.getString("raw_payload"),
                    new Derived(
                            row.getString("slug"),
                            row.getString("title"),
                            row.getString("content_type"),
                            row.getString("length_seconds"),
                            row.getString("publish_ts"),
                            row.getBigDecimal("engagement_pct")));
        }
    }

    /** What an enriched event takes from its content. */
    private record Derived(
            @Nullable String slug,
            @Nullable String title,
            @Nullable String contentType,
            @Nullable String lengthSeconds,
            @Nullable String publishTs,
            @Nullable BigDecimal pct) {

        static Derived of(ContentRow version, @Nullable Integer durationMs) {
            Integer length = version.lengthSeconds();
            BigDecimal pct = length == null || length <= 0 || durationMs == null
                    ? null
                    : BigDecimal.valueOf(durationMs)
                            .divide(BigDecimal.valueOf(1_000L * length), PCT_SCALE, RoundingMode.HALF_UP);
            return new Derived(
                    version.slug(),
                    version.title(),
                    version.contentType(),
                    length == null ? null : length.toString(),
                    iso(version.publishTs()),
                    pct);
        }

        static Derived of(JsonNode json) {
            return new Derived(
                    text(json, "slug"),
                    text(json, "title"),
                    text(json, "content_type"),
                    text(json, "length_seconds"),
                    text(json, "publish_ts"),
                    number(json, "engagement_pct"));
        }

        boolean matches(JsonNode json) {
            Derived other = of(json);
            return json.has("engagement_pct")
                    && Objects.equals(slug, other.slug)
                    && Objects.equals(title, other.title)
                    && Objects.equals(contentType, other.contentType)
                    && Objects.equals(lengthSeconds, other.lengthSeconds)
                    && Objects.equals(publishTs, other.publishTs)
                    && sameNumber(pct, other.pct);
        }

        private static String iso(Instant instant) {
            return ISO_MICROS.format(instant);
        }
    }
}
