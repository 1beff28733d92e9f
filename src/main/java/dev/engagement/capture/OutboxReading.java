package dev.engagement.capture;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.engagement.event.EnvelopeJson;
import dev.engagement.event.EventId;
import dev.engagement.event.EventIdKind;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.apache.flink.cdc.connectors.shaded.org.apache.kafka.connect.data.Field;
import org.apache.flink.cdc.connectors.shaded.org.apache.kafka.connect.data.Struct;
import org.apache.flink.util.Collector;
import org.jspecify.annotations.Nullable;

/**
 * Makes of a row of an outbox what capturing the row of its payload would have given: key, envelope, and the tombstone
 * behind a deleted content. A row of which nothing of that can be made is {@link Captured.Misfit}.
 *
 * <p>A row that was there before the first start is one of a snapshot, and one that came since is created; whether a content
 * was created or changed does not matter, as its latest row counts. Not thread-safe.
 */
final class OutboxReading {

    private static final int MAX_SHOWN = 100;

    private final OutboxOptions outbox;
    private final String schema;
    private final String eventsTable;
    private final String contentTable;
    private final long maxRowBytes;
    private final boolean mayLack;
    private final OutboxPayload payload = new OutboxPayload();

    OutboxReading(CaptureOptions options, OutboxOptions outbox) {
        this.outbox = outbox;
        this.schema = options.schema();
        this.eventsTable = options.eventsTable();
        this.contentTable = options.contentTable();
        this.maxRowBytes = options.maxRowBytes().getBytes();
        this.mayLack = options.acceptFiltered();
    }

    /**
     * A row of the outbox, each column as PostgreSQL's text.
     *
     * @param payload null for an empty one
     */
    record Row(
            @Nullable String id,
            @Nullable String aggregateType,
            @Nullable String aggregateId,
            @Nullable String type,
            @Nullable String payload) {}

    /**
     * Where a row was read.
     *
     * @param operation c or r
     * @param source Debezium's, of the outbox
     * @param readAtMillis milliseconds since the epoch
     */
    record Origin(String operation, Struct source, long readAtMillis) {}

    void read(Row row, Origin origin, Collector<Captured> out) {
        CapturedTable table = table(row.aggregateType());
        if (table == null) {
            if (row.aggregateType() == null || !outbox.ignoredAggregates().contains(row.aggregateType())) {
                out.collect(misfit(
                        row,
                        origin,
                        "its " + outbox.aggregateTypeColumn() + " is " + shown(row.aggregateType()) + "; expected is '"
                                + outbox.eventAggregate() + "' or '" + outbox.contentAggregate()
                                + "' (capture.outbox.event-aggregate, .content-aggregate), or one that"
                                + " capture.outbox.ignored-aggregates names",
                        null));
            }
            return;
        }
        OutboxPayload.Kind kind = payload.read(row.payload(), table);
        boolean deletes = isDelete(row.type());
        if (kind != OutboxPayload.Kind.BROKEN
                && (deletes || kind == OutboxPayload.Kind.EMPTY && table == CapturedTable.CONTENT)) {
            delete(row, origin, table, out);
            return;
        }
        String problem = kind == OutboxPayload.Kind.EMPTY ? "it is empty" : payload.problem(mayLack);
        if (problem != null) {
            out.collect(misfit(
                    row,
                    origin,
                    "its " + outbox.payloadColumn() + " is no row of " + name(table) + ": "
                            + problem + "; expected is the row as one JSON object with the fields "
                            + String.join(", ", table.columns()) + ", as to_jsonb makes it",
                    eventId(row, table)));
            return;
        }
        collect(row, origin, table, origin.operation(), out);
    }

    private void delete(Row row, Origin origin, CapturedTable table, Collector<Captured> out) {
        String aggregateId = row.aggregateId();
        if (!payload.hasId() && (aggregateId == null || aggregateId.isEmpty())) {
            out.collect(misfit(
                    row,
                    origin,
                    "it deletes a row of " + name(table) + " and does not say which; expected is its id as the field id"
                            + " of " + outbox.payloadColumn() + ", or in " + outbox.aggregateIdColumn(),
                    null));
            return;
        }
        payload.keepOnlyId(aggregateId == null ? "" : aggregateId);
        collect(row, origin, table, "d", out);
    }

    private void collect(Row row, Origin origin, CapturedTable table, String operation, Collector<Captured> out) {
        byte[] key = EnvelopeJson.document(payload::writeKey);
        byte[] value = envelope(origin, table, operation);
        if (value.length > maxRowBytes) {
            out.collect(new Captured.Oversize(
                    schema + '.' + name(table),
                    new String(key, StandardCharsets.UTF_8),
                    operation,
                    value.length,
                    lsn(origin),
                    committedAtMillis(origin),
                    eventId(row, table)));
            return;
        }
        out.collect(new Captured.Row(table, key, value));
        if (table == CapturedTable.CONTENT && operation.equals("d")) {
            out.collect(new Captured.Row(table, key, null));
        }
    }

    private byte[] envelope(Origin origin, CapturedTable table, String operation) {
        boolean deleted = operation.equals("d");
        return EnvelopeJson.document(json -> {
            json.writeStartObject();
            json.writeFieldName("before");
            if (deleted) {
                payload.writeRow(json);
            } else {
                json.writeNull();
            }
            json.writeFieldName("after");
            if (deleted) {
                json.writeNull();
            } else {
                payload.writeRow(json);
            }
            json.writeObjectFieldStart("source");
            writeSource(json, origin.source(), table);
            json.writeEndObject();
            json.writeStringField("op", operation);
            json.writeNumberField("ts_ms", origin.readAtMillis());
            json.writeNullField("transaction");
            json.writeEndObject();
        });
    }

    /** That of the outbox, but for the table; a message has none. */
    private void writeSource(JsonGenerator json, Struct source, CapturedTable table) throws IOException {
        for (Field field : source.schema().fields()) {
            json.writeFieldName(field.name());
            Object value =
                    switch (field.name()) {
                        case "schema" -> schema;
                        case "table" -> name(table);
                        default -> source.get(field);
                    };
            if (value == null) {
                json.writeNull();
            } else if (value instanceof Long number) {
                json.writeNumber(number);
            } else if (value instanceof Boolean flag) {
                json.writeBoolean(flag);
            } else {
                json.writeString(value.toString());
            }
        }
    }

    /** A row that cannot be read at all. */
    Captured.Misfit misfit(Row row, Origin origin, String problem, @Nullable EventId eventId) {
        byte[] bytes = row.payload() == null ? null : row.payload().getBytes(StandardCharsets.UTF_8);
        boolean isLarge = bytes != null && bytes.length > maxRowBytes;
        return new Captured.Misfit(
                schema + '.' + outbox.table(),
                key(row),
                origin.operation(),
                isLarge
                        ? problem + ". The " + bytes.length + " bytes of its " + outbox.payloadColumn()
                                + " are left out, as capture.max-row-bytes allows " + maxRowBytes
                        : problem,
                isLarge ? null : bytes,
                lsn(origin),
                committedAtMillis(origin),
                eventId);
    }

    private String key(Row row) {
        return new String(
                EnvelopeJson.document(json -> {
                    json.writeStartObject();
                    json.writeStringField(outbox.idColumn(), row.id());
                    json.writeEndObject();
                }),
                StandardCharsets.UTF_8);
    }

    private @Nullable EventId eventId(Row row, CapturedTable table) {
        if (table != CapturedTable.EVENTS) {
            return null;
        }
        EventId id = payload.eventId();
        // Of an aggregate only a number is surely the event's: a text may be anything.
        return id == null ? EventId.parse(row.aggregateId(), EventIdKind.LONG) : id;
    }

    /** Whether the last word of a type is one that says so: words end where a capital follows a small letter, too. */
    private boolean isDelete(@Nullable String type) {
        if (type == null) {
            return false;
        }
        int end = type.length();
        int begin = end;
        while (begin > 0 && Character.isLetter(type.charAt(begin - 1))) {
            begin--;
            if (begin > 0
                    && Character.isUpperCase(type.charAt(begin))
                    && Character.isLowerCase(type.charAt(begin - 1))) {
                break;
            }
        }
        for (String word : outbox.deleteTypes()) {
            if (word.length() == end - begin && word.regionMatches(true, 0, type, begin, end - begin)) {
                return true;
            }
        }
        return false;
    }

    private @Nullable CapturedTable table(@Nullable String aggregateType) {
        if (outbox.eventAggregate().equals(aggregateType)) {
            return CapturedTable.EVENTS;
        }
        return outbox.contentAggregate().equals(aggregateType) ? CapturedTable.CONTENT : null;
    }

    private String name(CapturedTable table) {
        return table == CapturedTable.EVENTS ? eventsTable : contentTable;
    }

    private static long lsn(Origin origin) {
        Long lsn = origin.source().getInt64("lsn");
        return lsn == null ? 0 : lsn;
    }

    private static long committedAtMillis(Origin origin) {
        Long time = origin.source().getInt64("ts_ms");
        return time == null ? 0 : time;
    }

    private static String shown(@Nullable String text) {
        return text == null
                ? "null"
                : '\'' + (text.length() <= MAX_SHOWN ? text : text.substring(0, MAX_SHOWN) + '…') + '\'';
    }
}
