package dev.engagement.liveview.sink;

import dev.engagement.event.types.EventTypes;
import dev.engagement.event.types.ImmutableSerializer;
import dev.engagement.event.types.ImmutableType;
import dev.engagement.event.types.Wire;
import dev.engagement.liveview.LiveValue;
import dev.engagement.liveview.RollupCell;
import dev.engagement.liveview.Tally;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.EOFException;
import java.io.IOException;
import org.apache.flink.api.common.typeinfo.TypeInformation;

/** The type of {@link LiveValue} for Flink's streams and state. */
public final class LiveValueType {

    /** Every kind of {@link LiveValue}. */
    public static final TypeInformation<LiveValue> LIVE_VALUE =
            ImmutableType.of(LiveValue.class, LiveValueSerializer::new);

    private LiveValueType() {}

    /** Serializer of {@link LiveValue}. */
    public static final class LiveValueSerializer extends ImmutableSerializer<LiveValue> {
        private static final long serialVersionUID = 1L;
        private static final int LAST = 1;
        private static final int TALLY = 2;
        private static final int META = 3;
        private static final int META_GONE = 4;
        private static final int BOARD = 5;
        private static final int ROLLUP_CELL = 6;

        private final EventTypes.EnrichedSerializer events = new EventTypes.EnrichedSerializer();
        private final EventTypes.ContentSerializer contents = new EventTypes.ContentSerializer();

        @Override
        protected int version() {
            return 1;
        }

        @Override
        protected void write(LiveValue value, DataOutput out) throws IOException {
            if (value instanceof LiveValue.Last last) {
                out.writeByte(LAST);
                events.writeVersioned(last.enriched(), out);
            } else if (value instanceof Tally tally) {
                out.writeByte(TALLY);
                Wire.writeText(tally.id(), out);
                Wire.writeUnsigned(tally.total(), out);
                Tallies.writeMinutes(tally.minutes(), tally.events(), out);
            } else if (value instanceof LiveValue.Meta meta) {
                out.writeByte(META);
                contents.writeVersioned(meta.content(), out);
                Wire.writeUnsigned(meta.version(), out);
            } else if (value instanceof LiveValue.MetaGone gone) {
                out.writeByte(META_GONE);
                Wire.writeText(gone.contentId(), out);
                Wire.writeUnsigned(gone.version(), out);
                out.writeLong(gone.deletedAtMillis());
            } else if (value instanceof LiveValue.Board board) {
                out.writeByte(BOARD);
                Wire.writeText(board.kind().name(), out);
                out.writeLong(board.slideEndMillis());
                EventTypes.StandingsSerializer.writePlaces(board.places(), out);
            } else if (value instanceof RollupCell cell) {
                out.writeByte(ROLLUP_CELL);
                Wire.writeText(cell.windows(), out);
                out.writeLong(cell.windowEndMillis());
                Wire.writeBytes(cell.member(), out);
                Wire.writeUnsigned(cell.version(), out);
            }
        }

        @Override
        protected LiveValue read(int version, DataInput in) throws IOException {
            byte kind = in.readByte();
            return switch (kind) {
                case LAST -> new LiveValue.Last(events.readVersioned(in));
                case TALLY -> readTally(in);
                case META -> new LiveValue.Meta(contents.readVersioned(in), Wire.readUnsigned(in));
                case META_GONE ->
                    new LiveValue.MetaGone(Wire.readRequiredText(in), Wire.readUnsigned(in), in.readLong());
                case BOARD ->
                    new LiveValue.Board(
                            LiveValue.Board.Kind.valueOf(Wire.readRequiredText(in)),
                            in.readLong(),
                            EventTypes.StandingsSerializer.readPlaces(in));
                case ROLLUP_CELL ->
                    new RollupCell(Wire.readRequiredText(in), in.readLong(), readMember(in), Wire.readUnsigned(in));
                default -> throw new IOException("Unknown kind of live value " + kind + ": the data is damaged");
            };
        }

        private static byte[] readMember(DataInput in) throws IOException {
            byte[] member = Wire.readBytes(in);
            if (member == null) {
                throw new EOFException("A window without its JSON: the data is damaged");
            }
            return member;
        }

        private static Tally readTally(DataInput in) throws IOException {
            String contentId = Wire.readRequiredText(in);
            long total = Wire.readUnsigned(in);
            long[] minutes = Tallies.readMinutes(in);
            return Tally.of(contentId, total, minutes, Tallies.readEvents(minutes.length, in));
        }
    }
}
