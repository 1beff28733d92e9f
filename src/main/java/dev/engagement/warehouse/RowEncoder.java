package dev.engagement.warehouse;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.UnsafeByteOperations;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.EventIdKind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Events into the bytes of rows, as {@link Columns#descriptor} describes them. Not thread-safe. */
final class RowEncoder {

    /** More than a tag and a number or a length take. */
    private static final int FIELD_OVERHEAD = 16;

    private final Writing row = new Writing();
    private byte[] buffer = new byte[1 << 10];

    /** The event's row, in a table of its kind of ids. */
    ByteString encode(EnrichedEvent event) {
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
            return UnsafeByteOperations.unsafeWrap(Arrays.copyOf(buffer, out.getTotalBytesWritten()));
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
