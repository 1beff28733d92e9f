package dev.engagement.ingest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.temporal.ChronoField;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Writes rows as Debezium 3.2 on Kafka Connect writes them with its JSON converter: key and value, with the
 * {@code schema}/{@code payload} wrapper or without. An update that changes the primary key is {@link #delete},
 * {@link #tombstone} and {@link #insert}, in this order.
 */
final class EnvelopeShapes {

    /** One row of {@code engagement_events}; the JSON column is text. */
    record EventRow(
            long id,
            @Nullable Object contentId,
            @Nullable Object userId,
            @Nullable String eventType,
            Instant eventTs,
            @Nullable Integer durationMs,
            @Nullable String device,
            @Nullable String rawPayload) {}

    /** One row of {@code content}. */
    record ContentRow(
            Object id,
            String slug,
            String title,
            @Nullable String contentType,
            @Nullable Integer lengthSeconds,
            Instant publishTs) {}

    /** Key and value of one Kafka record; a tombstone has no value. */
    record Message(byte[] key, byte @Nullable [] value) {}

    /** {@code value.converter.schemas.enable} and {@code key.converter.schemas.enable}. */
    enum Schemas {
        WRAPPED,
        UNWRAPPED
    }

    private static final String EVENTS = "engagement_events";
    private static final String CONTENT = "content";
    private static final String UNAVAILABLE = "__debezium_unavailable_value";
    private static final String NOT_NULL_TIME = "1970-01-01T00:00:00Z";
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    /** As Debezium prints a TIMESTAMPTZ: no fraction at a whole second, as many digits as needed otherwise. */
    private static final DateTimeFormatter AS_NEEDED = DateTimeFormatter.ISO_OFFSET_DATE_TIME;

    private static final DateTimeFormatter SIX_DIGITS = new DateTimeFormatterBuilder()
            .append(DateTimeFormatter.ISO_LOCAL_DATE)
            .appendLiteral('T')
            .appendPattern("HH:mm:ss")
            .appendFraction(ChronoField.NANO_OF_SECOND, 6, 6, true)
            .appendOffsetId()
            .toFormatter(Locale.ROOT);

    private final String topicPrefix;
    private final Schemas schemas;
    private long lsn = 24_023_128L;

    /**
     * @param topicPrefix the connector's {@code topic.prefix}
     * @param schemas whether keys and values are wrapped
     */
    EnvelopeShapes(String topicPrefix, Schemas schemas) {
        this.topicPrefix = topicPrefix;
        this.schemas = schemas;
    }

    /** The {@code c} of an INSERT. */
    Message insert(EventRow row, Instant committedAt) {
        return change("c", key(EVENTS, row.id()), null, node(row), committedAt);
    }

    /** The {@code r} of a snapshot. */
    Message snapshot(EventRow row, Instant readAt) {
        return change("r", key(EVENTS, row.id()), null, node(row), readAt);
    }

    /** The {@code u} of an UPDATE under the default replica identity. */
    Message update(EventRow row, Instant committedAt) {
        return change("u", key(EVENTS, row.id()), null, node(row), committedAt);
    }

    /** The {@code d} of a DELETE under the default replica identity: the key, and what NOT NULL demands. */
    Message delete(EventRow row, Instant committedAt) {
        ObjectNode before = NODES.objectNode();
        node(row).fieldNames().forEachRemaining(before::putNull);
        before.put("id", row.id()).put("event_ts", NOT_NULL_TIME);
        return change("d", key(EVENTS, row.id()), before, null, committedAt);
    }

    /** What follows a {@code d}. */
    Message tombstone(EventRow row) {
        return new Message(bytes(key(EVENTS, row.id())), null);
    }

    Message insert(ContentRow row, Instant committedAt) {
        return change("c", key(CONTENT, row.id()), null, node(row), committedAt);
    }

    Message snapshot(ContentRow row, Instant readAt) {
        return change("r", key(CONTENT, row.id()), null, node(row), readAt);
    }

    Message update(ContentRow row, Instant committedAt) {
        return change("u", key(CONTENT, row.id()), null, node(row), committedAt);
    }

    /** An UPDATE that left a TOASTed title alone: PostgreSQL does not send it. */
    Message updateWithoutTitle(ContentRow row, Instant committedAt) {
        return change("u", key(CONTENT, row.id()), null, node(row).put("title", UNAVAILABLE), committedAt);
    }

    Message delete(ContentRow row, Instant committedAt) {
        ObjectNode before = NODES.objectNode();
        before.set("id", id(row.id()));
        before.put("slug", "").put("title", "").putNull("content_type").putNull("length_seconds");
        before.put("publish_ts", NOT_NULL_TIME);
        return change("d", key(CONTENT, row.id()), before, null, committedAt);
    }

    Message tombstone(ContentRow row) {
        return new Message(bytes(key(CONTENT, row.id())), null);
    }

    private ObjectNode node(EventRow row) {
        ObjectNode node = NODES.objectNode().put("id", row.id());
        node.set("content_id", id(row.contentId()));
        node.set("user_id", id(row.userId()));
        return node.put("event_type", row.eventType())
                .put("event_ts", time(row.eventTs()))
                .put("duration_ms", row.durationMs())
                .put("device", row.device())
                .put("raw_payload", row.rawPayload());
    }

    private ObjectNode node(ContentRow row) {
        ObjectNode node = NODES.objectNode();
        node.set("id", id(row.id()));
        return node.put("slug", row.slug())
                .put("title", row.title())
                .put("content_type", row.contentType())
                .put("length_seconds", row.lengthSeconds())
                .put("publish_ts", time(row.publishTs()));
    }

    /** UUIDs and texts as text, BIGINTs as numbers. */
    private static JsonNode id(@Nullable Object id) {
        if (id == null) {
            return NODES.nullNode();
        }
        return id instanceof Number number ? NODES.numberNode(number.longValue()) : NODES.textNode(id.toString());
    }

    /** Streamed rows have six digits or, at a whole second, sometimes none: both occur in one topic. */
    private static String time(Instant time) {
        OffsetDateTime utc = time.atOffset(ZoneOffset.UTC);
        boolean bare = utc.getNano() == 0 && utc.getSecond() % 2 == 0;
        return (bare ? AS_NEEDED : SIX_DIGITS).format(utc);
    }

    private JsonNode key(String table, Object id) {
        ObjectNode key = NODES.objectNode();
        key.set("id", id(id));
        if (schemas == Schemas.UNWRAPPED) {
            return key;
        }
        ObjectNode schema = struct(topicPrefix + ".public." + table + ".Key", false);
        ((ArrayNode) schema.get("fields")).add(field(id instanceof Number ? "int64" : "string", false, "id"));
        return wrapped(schema, key);
    }

    private Message change(
            String op, JsonNode key, @Nullable ObjectNode before, @Nullable ObjectNode after, Instant at) {
        ObjectNode row = Objects.requireNonNull(after == null ? before : after);
        String table = row.has("slug") ? CONTENT : EVENTS;
        lsn += 56;
        long micros =
                Math.addExact(Math.multiplyExact(at.getEpochSecond(), 1_000_000L), at.get(ChronoField.MICRO_OF_SECOND));
        ObjectNode source = NODES.objectNode()
                .put("version", "3.2.3.Final")
                .put("connector", "postgresql")
                .put("name", topicPrefix)
                .put("ts_ms", at.toEpochMilli())
                .put("snapshot", op.equals("r") ? "true" : "false")
                .put("db", "engagement")
                .put("sequence", "[\"" + (lsn - 56) + "\",\"" + lsn + "\"]")
                .put("ts_us", micros)
                .put("ts_ns", Math.multiplyExact(micros, 1_000L))
                .put("schema", "public")
                .put("table", table)
                .put("txId", 755)
                .put("lsn", lsn)
                .putNull("xmin");
        long processedMicros = micros + 12_345L;
        ObjectNode envelope = NODES.objectNode();
        envelope.set("before", before == null ? NODES.nullNode() : before);
        envelope.set("after", after == null ? NODES.nullNode() : after);
        envelope.set("source", source);
        envelope.putNull("transaction")
                .put("op", op)
                .put("ts_ms", Math.floorDiv(processedMicros, 1_000L))
                .put("ts_us", processedMicros)
                .put("ts_ns", Math.multiplyExact(processedMicros, 1_000L));
        JsonNode value = schemas == Schemas.UNWRAPPED ? envelope : wrapped(envelopeSchema(table, row), envelope);
        return new Message(bytes(key), bytes(value));
    }

    private ObjectNode envelopeSchema(String table, ObjectNode row) {
        String name = topicPrefix + ".public." + table;
        ObjectNode columns = struct(name + ".Value", true);
        ArrayNode columnFields = (ArrayNode) columns.get("fields");
        row.properties().forEach(column -> columnFields.add(column(column.getKey(), column.getValue())));

        ObjectNode source =
                struct("io.debezium.connector.postgresql.Source", false).put("field", "source");
        ArrayNode sourceFields = (ArrayNode) source.get("fields");
        for (String text : List.of("version", "connector", "name", "snapshot", "db", "sequence", "schema", "table")) {
            sourceFields.add(field("string", text.equals("snapshot") || text.equals("sequence"), text));
        }
        for (String number : List.of("ts_ms", "ts_us", "ts_ns", "txId", "lsn", "xmin")) {
            sourceFields.add(field("int64", !number.equals("ts_ms"), number));
        }
        ObjectNode transaction = struct("event.block", true).put("field", "transaction");
        ((ArrayNode) transaction.get("fields"))
                .add(field("string", false, "id"))
                .add(field("int64", false, "total_order"))
                .add(field("int64", false, "data_collection_order"));

        ObjectNode envelope = struct(name + ".Envelope", false).put("version", 2);
        ((ArrayNode) envelope.get("fields"))
                .add(columns.deepCopy().put("field", "before"))
                .add(columns.deepCopy().put("field", "after"))
                .add(source)
                .add(transaction)
                .add(field("string", false, "op"))
                .add(field("int64", true, "ts_ms"))
                .add(field("int64", true, "ts_us"))
                .add(field("int64", true, "ts_ns"));
        return envelope;
    }

    private static ObjectNode column(String name, JsonNode value) {
        String type =
                switch (name) {
                    case "duration_ms", "length_seconds" -> "int32";
                    default -> value.isNumber() ? "int64" : "string";
                };
        ObjectNode field = NODES.objectNode().put("type", type).put("optional", !name.equals("id"));
        String meaning =
                switch (name) {
                    case "event_ts", "publish_ts" -> "io.debezium.time.ZonedTimestamp";
                    case "raw_payload" -> "io.debezium.data.Json";
                    case "content_id", "user_id" -> "io.debezium.data.Uuid";
                    default -> "";
                };
        if (!meaning.isEmpty() && type.equals("string")) {
            field.put("name", meaning).put("version", 1);
        }
        return field.put("field", name);
    }

    private static ObjectNode struct(String name, boolean optional) {
        ObjectNode struct = NODES.objectNode().put("type", "struct");
        struct.putArray("fields");
        return struct.put("optional", optional).put("name", name);
    }

    private static ObjectNode field(String type, boolean optional, String name) {
        return NODES.objectNode().put("type", type).put("optional", optional).put("field", name);
    }

    private static ObjectNode wrapped(ObjectNode schema, ObjectNode payload) {
        ObjectNode wrapper = NODES.objectNode();
        wrapper.set("schema", schema);
        wrapper.set("payload", payload);
        return wrapper;
    }

    private static byte[] bytes(JsonNode node) {
        return node.toString().getBytes(StandardCharsets.UTF_8);
    }
}
