package dev.engagement.backfill;

import dev.engagement.event.types.ImmutableSerializer;
import dev.engagement.event.types.ImmutableType;
import dev.engagement.event.types.Wire;
import dev.engagement.source.ContentRow;
import dev.engagement.source.EventRow;
import dev.engagement.source.TableRow;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.jspecify.annotations.Nullable;

/** Type of the rows between the source and the stage that decodes them, where somebody breaks that chain. */
final class TableRowType {

    static final TypeInformation<TableRow> ROWS = ImmutableType.of(TableRow.class, Serializer::new);

    private TableRowType() {}

    /** Serializer of {@link TableRow}. */
    public static final class Serializer extends ImmutableSerializer<TableRow> {
        private static final long serialVersionUID = 1L;
        private static final int EVENT = 1;
        private static final int CONTENT = 2;
        private static final int CONTENTS_END = 3;

        @Override
        protected int version() {
            return 1;
        }

        @Override
        protected void write(TableRow row, DataOutput out) throws IOException {
            if (row instanceof EventRow event) {
                out.writeByte(EVENT);
                out.writeLong(event.id());
                Wire.writeText(event.contentId(), out);
                Wire.writeText(event.userId(), out);
                Wire.writeText(event.eventType(), out);
                Wire.writeText(event.eventTs(), out);
                writeNumber(event.durationMs(), out);
                Wire.writeText(event.device(), out);
                Wire.writeText(event.rawPayload(), out);
            } else if (row instanceof ContentRow content) {
                out.writeByte(CONTENT);
                Wire.writeText(content.id(), out);
                Wire.writeText(content.slug(), out);
                Wire.writeText(content.title(), out);
                Wire.writeText(content.contentType(), out);
                writeNumber(content.lengthSeconds(), out);
                Wire.writeText(content.publishTs(), out);
            } else {
                out.writeByte(CONTENTS_END);
            }
        }

        @Override
        protected TableRow read(int version, DataInput in) throws IOException {
            byte kind = in.readByte();
            return switch (kind) {
                case EVENT ->
                    new EventRow(
                            in.readLong(),
                            Wire.readText(in),
                            Wire.readText(in),
                            Wire.readText(in),
                            Wire.readRequiredText(in),
                            readNumber(in),
                            Wire.readText(in),
                            Wire.readText(in));
                case CONTENT ->
                    new ContentRow(
                            Wire.readRequiredText(in),
                            Wire.readText(in),
                            Wire.readText(in),
                            Wire.readText(in),
                            readNumber(in),
                            Wire.readText(in));
                case CONTENTS_END -> new TableRow.ContentsEnd();
                default -> throw new IOException("Unknown kind of row " + kind + ": the data is damaged");
            };
        }

        private static void writeNumber(@Nullable Integer number, DataOutput out) throws IOException {
            out.writeBoolean(number != null);
            if (number != null) {
                out.writeInt(number);
            }
        }

        private static @Nullable Integer readNumber(DataInput in) throws IOException {
            return in.readBoolean() ? (Integer) in.readInt() : null;
        }
    }
}
