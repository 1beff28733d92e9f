package dev.engagement.local.bigquery;

import com.google.cloud.bigquery.storage.v1.ProtoRows;
import com.google.cloud.bigquery.storage.v1.StreamWriter;
import com.google.protobuf.ByteString;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto.Type;
import com.google.protobuf.Descriptors.Descriptor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Writes the columns that an audit compares into the emulator, over Google's client. */
public final class ComparedRows {

    private static final int ROWS_AT_ONCE = 20_000;

    private static final Descriptor FORM = Client.form(Client.fields(
            "event_id", Type.TYPE_INT64,
            "content_id", Type.TYPE_STRING,
            "event_ts", Type.TYPE_INT64,
            "duration_ms", Type.TYPE_INT64));

    private ComparedRows() {}

    /** A row; its time in microseconds since the epoch. */
    public record Row(
            long id,
            String contentId,
            long eventTsMicros,
            @Nullable Integer durationMs) {}

    /** Appends them to a table of {@code local.analytics}, and shows them. */
    public static void append(String grpc, String table, List<Row> rows) {
        try (Client client = new Client(grpc)) {
            String stream = client.stream(table);
            try (StreamWriter writer = client.writer(stream, FORM)) {
                for (int from = 0; from < rows.size(); from += ROWS_AT_ONCE) {
                    List<ByteString> bytes = new ArrayList<>();
                    for (Row row : rows.subList(from, Math.min(rows.size(), from + ROWS_AT_ONCE))) {
                        bytes.add(message(row));
                    }
                    Client.append(
                            writer,
                            ProtoRows.newBuilder().addAllSerializedRows(bytes).build(),
                            from);
                }
            }
            client.flush(stream, rows.size() - 1);
        } catch (Throwable e) {
            throw new AssertionError("The emulator does not take the rows", e);
        }
    }

    private static ByteString message(Row row) {
        Map<String, Object> values = new HashMap<>();
        values.put("event_id", row.id);
        values.put("content_id", row.contentId);
        values.put("event_ts", row.eventTsMicros);
        if (row.durationMs != null) {
            values.put("duration_ms", row.durationMs.longValue());
        }
        return Client.message(FORM, values);
    }
}
