package dev.engagement.warehouse;

import com.google.protobuf.CodedOutputStream;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.EventIdKind;
import dev.engagement.rowstore.RowEncoder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Rows as messages of Protocol Buffers, as {@link Columns#descriptor} describes them, each of its event's kind of ids. */
final class ProtoRowEncoder implements RowEncoder {

    /** More than a tag and a number or a length take. */
    private static final int FIELD_OVERHEAD = 16;

    private final WarehouseOptions.JsonNumbers jsonNumbers;
    private final Writing row = new Writing();
    private byte[] buffer = new byte[1 << 10];

    /** @param jsonNumbers what becomes of numbers that BigQuery's JSON would change */
    ProtoRowEncoder(WarehouseOptions.JsonNumbers jsonNumbers) {
        this.jsonNumbers = jsonNumbers;
    }

    @Override
    public byte @Nullable [] encode(EnrichedEvent event, Notes notes) {
        String payload = event.event().rawPayload();
        if (payload == null) {
            return encoded(event);
        }
        WarehouseJson.Fitted fitted = WarehouseJson.fit(payload, jsonNumbers);
        if (fitted.problem() != null) {
            notes.refused(fitted.problem());
            return null;
        }
        if (fitted.json().equals(payload)) {
            return encoded(event);
        }
        notes.rounded();
        return encoded(
                new EnrichedEvent(event.event().withRawPayload(fitted.json()), event.content(), event.engagement()));
    }

    private byte[] encoded(EnrichedEvent event) {
        List<Columns.Column> columns = Columns.of(event.event().textId() == null ? EventIdKind.LONG : EventIdKind.TEXT);
        while (true) {
            CodedOutputStream out = CodedOutputStream.newInstance(buffer);
            try {
                row.out = out;
                for (int i = 0; i < columns.size(); i++) {
                    row.field = i + 1;
                    columns.get(i).value().write(event, row);
                }
                out.flush();
            } catch (CodedOutputStream.OutOfSpaceException e) {
                // Once for each new largest row.
                buffer = new byte[Math.max(buffer.length * 2, row.needed + FIELD_OVERHEAD)];
                continue;
            } catch (IOException e) {
                throw new UncheckedIOException("Writing a row into memory failed", e);
            }
            return Arrays.copyOf(buffer, out.getTotalBytesWritten());
        }
    }

    private static final class Writing implements Columns.Row {

        private @Nullable CodedOutputStream out;
        private int field;
        private int needed;

        @Override
        public void int64(long value) throws IOException {
            target().writeInt64(field, value);
        }

        @Override
        public void text(@Nullable String value) throws IOException {
            if (value != null) {
                needed = value.length();
                target().writeString(field, value);
            }
        }

        private CodedOutputStream target() {
            CodedOutputStream target = out;
            if (target == null) {
                throw new IllegalStateException("No row is being written");
            }
            return target;
        }
    }
}
