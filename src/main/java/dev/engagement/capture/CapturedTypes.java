package dev.engagement.capture;

import dev.engagement.event.EventId;
import dev.engagement.event.types.ImmutableSerializer;
import dev.engagement.event.types.ImmutableType;
import dev.engagement.event.types.Wire;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.jspecify.annotations.Nullable;

/** Types of capture's streams. Serializer and snapshot class names are part of savepoints. */
final class CapturedTypes {

    static final TypeInformation<Captured> CAPTURED = ImmutableType.of(Captured.class, CapturedSerializer::new);

    static final TypeInformation<Captured.Row> ROW = ImmutableType.of(Captured.Row.class, RowSerializer::new);

    private CapturedTypes() {}

    /** Serializer of {@link Captured.Row}. */
    public static final class RowSerializer extends ImmutableSerializer<Captured.Row> {
        private static final long serialVersionUID = 1L;

        @Override
        protected int version() {
            return 1;
        }

        @Override
        protected void write(Captured.Row row, DataOutput out) throws IOException {
            out.writeByte(row.table().ordinal());
            Wire.writeBytes(row.key(), out);
            Wire.writeBytes(row.value(), out);
        }

        @Override
        protected Captured.Row read(int version, DataInput in) throws IOException {
            CapturedTable table = in.readByte() == 0 ? CapturedTable.EVENTS : CapturedTable.CONTENT;
            byte[] key = Wire.readBytes(in);
            if (key == null) {
                throw new IOException("A captured row has no key: the data is damaged");
            }
            return new Captured.Row(table, key, Wire.readBytes(in));
        }
    }

    /** Serializer of {@link Captured}. */
    public static final class CapturedSerializer extends ImmutableSerializer<Captured> {
        private static final long serialVersionUID = 1L;

        private static final RowSerializer ROWS = new RowSerializer();

        // Of version 1 there are only the first two.
        private static final int OVERSIZE = 0;
        private static final int ROW = 1;
        private static final int UNREADABLE = 2;
        private static final int MISFIT = 3;

        private static final int NUMBER_ID = 2;
        private static final int TEXT_ID = 3;

        @Override
        protected int version() {
            return TEXT_ID;
        }

        /** A row that goes on has no id beside its bytes. */
        @Override
        protected int versionOf(Captured captured) {
            boolean isText = captured instanceof Captured.Refused refused
                    && refused.eventId() != null
                    && refused.eventId().text() != null;
            return isText ? TEXT_ID : NUMBER_ID;
        }

        @Override
        protected void write(Captured captured, DataOutput out) throws IOException {
            if (captured instanceof Captured.Row row) {
                out.writeByte(ROW);
                ROWS.writeVersioned(row, out);
            } else if (captured instanceof Captured.Oversize row) {
                out.writeByte(OVERSIZE);
                Wire.writeText(row.table(), out);
                Wire.writeText(row.key(), out);
                Wire.writeText(row.operation(), out);
                out.writeInt(row.bytes());
                out.writeLong(row.lsn());
                out.writeLong(row.committedAtMillis());
                writeId(row.eventId(), out);
            } else if (captured instanceof Captured.Unreadable row) {
                out.writeByte(UNREADABLE);
                Wire.writeText(row.table(), out);
                Wire.writeText(row.key(), out);
                Wire.writeText(row.operation(), out);
                Wire.writeText(row.problem(), out);
                out.writeLong(row.lsn());
                out.writeLong(row.committedAtMillis());
                writeId(row.eventId(), out);
            } else if (captured instanceof Captured.Misfit row) {
                out.writeByte(MISFIT);
                Wire.writeText(row.table(), out);
                Wire.writeText(row.key(), out);
                Wire.writeText(row.operation(), out);
                Wire.writeText(row.problem(), out);
                Wire.writeBytes(row.payload(), out);
                out.writeLong(row.lsn());
                out.writeLong(row.committedAtMillis());
                writeId(row.eventId(), out);
            }
        }

        private static void writeId(@Nullable EventId id, DataOutput out) throws IOException {
            if (id != null && id.text() != null) {
                Wire.writeText(id.text(), out);
                return;
            }
            out.writeBoolean(id != null);
            if (id != null) {
                out.writeLong(id.number());
            }
        }

        private static @Nullable EventId readId(int version, DataInput in) throws IOException {
            if (version == TEXT_ID) {
                return EventId.of(Wire.readRequiredText(in));
            }
            return in.readBoolean() ? EventId.of(in.readLong()) : null;
        }

        @Override
        protected Captured read(int version, DataInput in) throws IOException {
            int kind = in.readByte();
            return switch (kind) {
                case ROW -> ROWS.readVersioned(in);
                case OVERSIZE ->
                    new Captured.Oversize(
                            Wire.readRequiredText(in),
                            Wire.readRequiredText(in),
                            Wire.readRequiredText(in),
                            in.readInt(),
                            in.readLong(),
                            in.readLong(),
                            readId(version, in));
                case UNREADABLE ->
                    new Captured.Unreadable(
                            Wire.readRequiredText(in),
                            Wire.readRequiredText(in),
                            Wire.readRequiredText(in),
                            Wire.readRequiredText(in),
                            in.readLong(),
                            in.readLong(),
                            readId(version, in));
                case MISFIT ->
                    new Captured.Misfit(
                            Wire.readRequiredText(in),
                            Wire.readRequiredText(in),
                            Wire.readRequiredText(in),
                            Wire.readRequiredText(in),
                            Wire.readBytes(in),
                            in.readLong(),
                            in.readLong(),
                            readId(version, in));
                default -> throw new IOException("A captured row of the unknown kind " + kind);
            };
        }
    }
}
