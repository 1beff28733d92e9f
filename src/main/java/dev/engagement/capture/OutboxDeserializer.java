package dev.engagement.capture;

import java.nio.charset.StandardCharsets;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.cdc.connectors.shaded.org.apache.kafka.connect.data.Struct;
import org.apache.flink.cdc.connectors.shaded.org.apache.kafka.connect.source.SourceRecord;
import org.apache.flink.cdc.debezium.DebeziumDeserializationSchema;
import org.apache.flink.util.Collector;
import org.jspecify.annotations.Nullable;

/**
 * A Debezium record of an outbox as the records of the row in its payload. Inserts count, whatever became of the row since;
 * that rows are deleted is what an outbox is for; one that is changed is refused, as nobody knows what that means. A message of
 * the outbox's prefix is a row, too. Rows of other tables of the publication, the heartbeat above all, and messages of others
 * give nothing. On the task thread.
 */
final class OutboxDeserializer implements DebeziumDeserializationSchema<Captured> {

    private static final long serialVersionUID = 1L;

    private static final String UPDATED =
            "it was changed, and rows of an outbox are written once; expected is another row"
                    + " that says what became of the engagement event or the content";

    private final CaptureOptions options;
    private final OutboxOptions outbox;
    private transient @Nullable OutboxReading reading;

    OutboxDeserializer(CaptureOptions options, OutboxOptions outbox) {
        this.options = options;
        this.outbox = outbox;
    }

    @Override
    public void deserialize(SourceRecord record, Collector<Captured> out) {
        Struct envelope = (Struct) record.value();
        Struct source = envelope.getStruct("source");
        String operation = envelope.getString("op");
        if (operation.equals("m")) {
            message(envelope, source, out);
            return;
        }
        if (!options.schema().equals(source.getString("schema"))
                || !outbox.table().equals(source.getString("table"))) {
            return;
        }
        boolean isUpdate = operation.equals("u");
        if (!isUpdate && !operation.equals("c") && !operation.equals("r")) {
            return;
        }
        Struct after = envelope.getStruct("after");
        OutboxReading.Row row = new OutboxReading.Row(
                text(after, outbox.idColumn()),
                text(after, outbox.aggregateTypeColumn()),
                text(after, outbox.aggregateIdColumn()),
                text(after, outbox.typeColumn()),
                text(after, outbox.payloadColumn()));
        OutboxReading.Origin origin = new OutboxReading.Origin(operation, source, envelope.getInt64("ts_ms"));
        if (after instanceof UnreadableRow unreadable) {
            out.collect(reading().misfit(row, origin, unreadable.problem(), null));
        } else if (isUpdate) {
            out.collect(reading().misfit(row, origin, UPDATED, null));
        } else {
            reading().read(row, origin, out);
        }
    }

    private void message(Struct envelope, Struct source, Collector<Captured> out) {
        Struct message = envelope.getStruct("message");
        if (!outbox.messagePrefix().equals(message.getString("prefix"))) {
            return;
        }
        OutboxReading.Origin origin = new OutboxReading.Origin("c", source, envelope.getInt64("ts_ms"));
        OutboxMessage read = OutboxMessage.of(utf8(message.getBytes("content")), outbox);
        if (read.problem() == null) {
            reading().read(read.row(), origin, out);
        } else {
            out.collect(reading().misfit(read.row(), origin, read.problem(), null));
        }
    }

    private static String utf8(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /** A column's text, whatever its type; null if it did not come. */
    private static @Nullable String text(Struct row, String column) {
        Object value = row.schema().field(column) == null ? null : row.get(column);
        return value == null ? null : value.toString();
    }

    private OutboxReading reading() {
        OutboxReading known = reading;
        if (known == null) {
            known = new OutboxReading(options, outbox);
            reading = known;
        }
        return known;
    }

    @Override
    public TypeInformation<Captured> getProducedType() {
        return CapturedTypes.CAPTURED;
    }
}
