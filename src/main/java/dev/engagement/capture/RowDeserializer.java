package dev.engagement.capture;

import dev.engagement.connection.registry.SchemaRegistry;
import dev.engagement.event.EventId;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.cdc.connectors.shaded.org.apache.kafka.connect.data.Field;
import org.apache.flink.cdc.connectors.shaded.org.apache.kafka.connect.data.Struct;
import org.apache.flink.cdc.connectors.shaded.org.apache.kafka.connect.source.SourceRecord;
import org.apache.flink.cdc.debezium.DebeziumDeserializationSchema;
import org.apache.flink.util.Collector;
import org.jspecify.annotations.Nullable;

/**
 * A Debezium record as key and envelope, in JSON without Connect's schema wrapper or in Avro. Rows of other tables of the
 * publication, the heartbeat above all, give nothing. A deleted content gives its envelope and then a tombstone, so that
 * compaction removes it. On the task thread.
 */
final class RowDeserializer implements DebeziumDeserializationSchema<Captured> {

    private static final long serialVersionUID = 1L;

    private static final String TRUNCATE = "t";
    private static final String NO_KEY = "{}";
    private static final String NO_KEY_PROBLEM =
            "it came without its key, so nobody knows which row it is. The table has"
                    + " lost its primary key, or its replica identity is another index: ALTER TABLE … ADD PRIMARY KEY (id),"
                    + " ALTER TABLE … REPLICA IDENTITY DEFAULT";

    private final String schema;
    private final String eventsTable;
    private final String contentTable;
    private final long maxRowBytes;
    private final String eventsTopic;
    private final String contentTopic;
    private final @Nullable AvroOptions registry;

    /** Also of the keys in letters, whatever the rows are written in. */
    private transient @Nullable JsonRows json;

    private transient @Nullable RowWriter rows;

    RowDeserializer(CaptureOptions options) {
        this.schema = options.schema();
        this.eventsTable = options.eventsTable();
        this.contentTable = options.contentTable();
        this.maxRowBytes = options.maxRowBytes().getBytes();
        this.eventsTopic = options.eventsTopic();
        this.contentTopic = options.contentTopic();
        this.registry = options.registry();
    }

    @Override
    public void deserialize(SourceRecord record, Collector<Captured> out) throws IOException {
        Struct envelope = (Struct) record.value();
        Struct source = envelope.getStruct("source");
        CapturedTable table = table(source.getString("schema"), source.getString("table"));
        if (table == null) {
            return;
        }
        String operation = envelope.getString("op");
        Struct keyFields = (Struct) record.key();
        Object row = envelope.schema().field("after") == null ? null : envelope.get("after");
        UnreadableRow unreadable = record.key() instanceof UnreadableRow unreadableKey
                ? unreadableKey
                : row instanceof UnreadableRow unreadableRow ? unreadableRow : null;
        if (unreadable != null) {
            out.collect(unreadable(table, source, operation, unreadable.problem(), keyFields));
            return;
        }
        if (keyFields == null || isEmpty(keyFields)) {
            if (!TRUNCATE.equals(operation)) {
                out.collect(unreadable(table, source, operation, NO_KEY_PROBLEM, keyFields));
            }
            return;
        }
        RowWriter rows = rows();
        byte[] key = rows.key(table, keyFields);
        byte[] value = rows.value(table, envelope);
        if (value.length <= maxRowBytes) {
            out.collect(new Captured.Row(table, key, value));
        } else {
            out.collect(oversize(table, source, operation, value.length, keyFields));
        }
        if (table == CapturedTable.CONTENT && "d".equals(operation)) {
            out.collect(new Captured.Row(table, key, null));
        }
    }

    /** Where a key is not in the row, Debezium writes the empty value of the column's type. */
    private static boolean isEmpty(Struct key) {
        for (Field field : key.schema().fields()) {
            Object value = key.get(field);
            if (value == null || "".equals(value)) {
                return true;
            }
        }
        return key.schema().fields().isEmpty();
    }

    private Captured.Oversize oversize(
            CapturedTable table, Struct source, String operation, int bytes, Struct keyFields) {
        return new Captured.Oversize(
                schema + '.' + source.getString("table"),
                keyText(table, keyFields),
                operation,
                bytes,
                orZero(source.getInt64("lsn")),
                orZero(source.getInt64("ts_ms")),
                eventId(table, keyFields));
    }

    private Captured.Unreadable unreadable(
            CapturedTable table, Struct source, String operation, String problem, @Nullable Struct keyFields) {
        return new Captured.Unreadable(
                schema + '.' + source.getString("table"),
                keyText(table, keyFields),
                operation,
                problem,
                orZero(source.getInt64("lsn")),
                orZero(source.getInt64("ts_ms")),
                keyFields == null ? null : eventId(table, keyFields));
    }

    /** Null also for what is no id of either kind: the stream would call such a row invalid. */
    private static @Nullable EventId eventId(CapturedTable table, Struct keyFields) {
        if (table != CapturedTable.EVENTS || keyFields.schema().field("id") == null) {
            return null;
        }
        Object id = keyFields.get("id");
        if (id instanceof Number number) {
            return EventId.of(number.longValue());
        }
        return id instanceof String text && EventId.isText(text) ? EventId.of(text) : null;
    }

    private static long orZero(@Nullable Long number) {
        return number == null ? 0 : number;
    }

    private @Nullable CapturedTable table(@Nullable String schemaName, @Nullable String tableName) {
        if (!schema.equals(schemaName)) {
            return null;
        }
        if (eventsTable.equals(tableName)) {
            return CapturedTable.EVENTS;
        }
        return contentTable.equals(tableName) ? CapturedTable.CONTENT : null;
    }

    private String keyText(CapturedTable table, @Nullable Struct key) {
        return key == null ? NO_KEY : new String(json().key(table, key), StandardCharsets.UTF_8);
    }

    private JsonRows json() {
        JsonRows writer = json;
        if (writer == null) {
            writer = new JsonRows();
            json = writer;
        }
        return writer;
    }

    private RowWriter rows() {
        RowWriter writer = rows;
        if (writer == null) {
            writer = registry == null
                    ? json()
                    : new AvroRows(
                            AvroRows.Registry.of(new SchemaRegistry(registry.connection())),
                            registry.autoRegister(),
                            eventsTopic,
                            contentTopic);
            rows = writer;
        }
        return writer;
    }

    @Override
    public TypeInformation<Captured> getProducedType() {
        return CapturedTypes.CAPTURED;
    }
}
