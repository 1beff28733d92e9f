package dev.engagement.local;

import dev.engagement.local.DestinationCheck.Comparison;
import java.io.IOException;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
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

/**
 * {@code content:last:*}: fact columns equal the row; the content's columns equal one version that the content had, since
 * an enriched event shows its content as it was.
 */
final class LastCheck implements KeyCheck {

    private static final String LAST = "content:last:";
    private static final long LAST_TTL_MILLIS = 3_600_000;

    /** The hour that {@code last} lives, less time for the comparison itself. */
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
            WHERE e.event_ts >= now() - interval '58 minutes' AND %2$s
            ORDER BY e.content_id, e.event_ts DESC, %3$s DESC""";

    private final Function<UUID, List<ContentRow>> versions;
    private final ObjectMapper mapper = new ObjectMapper().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS);

    /** @param versions every version that a content had, as far as known; the present row counts without it */
    LastCheck(Function<UUID, List<ContentRow>> versions) {
        this.versions = versions;
    }

    @Override
    public List<Comparison> compare(Connection source, Jedis jedis) throws SQLException, IOException {
        List<LastEvent> expected = new ArrayList<>();
        try (Statement statement = source.createStatement();
                ResultSet rows = statement.executeQuery(
                        LAST_EVENTS.formatted(ISO, TIMELY, Schema.orderedBy("e.id", Schema.eventIds(source))))) {
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
        if (!ContentColumns.sameNumber(expected.seconds, number(actual, "engagement_seconds"))) {
            differences.add(
                    "engagement_seconds is " + expected.seconds + ", in Redis " + text(actual, "engagement_seconds"));
        }
        JsonNode payload = expected.rawPayload == null ? mapper.nullNode() : mapper.readTree(expected.rawPayload);
        if (!payload.equals(actual.path("raw_payload"))) {
            differences.add("raw_payload is " + payload + ", in Redis " + actual.path("raw_payload"));
        }
        ContentColumns shown = columns(actual);
        List<ContentColumns> candidates = new ArrayList<>();
        candidates.add(expected.derived);
        for (ContentRow version : versions.apply(UUID.fromString(expected.contentId))) {
            candidates.add(ContentColumns.of(version, expected.durationMs));
        }
        if (!actual.has("engagement_pct") || candidates.stream().noneMatch(shown::matches)) {
            differences.add(
                    "the content and engagement_pct are " + expected.derived + " and were never as in Redis: " + shown);
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

    private static ContentColumns columns(JsonNode json) {
        return new ContentColumns(
                text(json, "slug"),
                text(json, "title"),
                text(json, "content_type"),
                text(json, "length_seconds"),
                text(json, "publish_ts"),
                number(json, "engagement_pct"));
    }

    /** The source's last event of a content. */
    private record LastEvent(
            String contentId,
            String eventId,
            long eventMillis,
            @Nullable Integer durationMs,
            Map<String, @Nullable String> facts,
            @Nullable BigDecimal seconds,
            @Nullable String rawPayload,
            ContentColumns derived) {

        static LastEvent of(ResultSet row) throws SQLException {
            Map<String, @Nullable String> facts = new LinkedHashMap<>();
            for (String column :
                    List.of("event_id", "content_id", "user_id", "event_type", "event_ts", "duration_ms", "device")) {
                facts.put(column, row.getString(column));
            }
            return new LastEvent(
                    row.getString("content_id"),
                    row.getString("event_id"),
                    row.getLong("event_millis"),
                    row.getObject("duration_ms", Integer.class),
                    facts,
                    row.getBigDecimal("engagement_seconds"),
                    row.getString("raw_payload"),
                    new ContentColumns(
                            row.getString("slug"),
                            row.getString("title"),
                            row.getString("content_type"),
                            row.getString("length_seconds"),
                            row.getString("publish_ts"),
                            row.getBigDecimal("engagement_pct")));
        }
    }
}
