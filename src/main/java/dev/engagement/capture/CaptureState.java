package dev.engagement.capture;

import java.io.IOException;
import java.time.Instant;
import org.apache.flink.cdc.connectors.base.source.assigner.state.PendingSplitsState;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.jspecify.annotations.Nullable;

/** Flink CDC's state of the enumerator, which tables it is about, and what was known of the source. */
final class CaptureState extends PendingSplitsState {

    private final PendingSplitsState splits;
    private final TableIds captured;
    private final @Nullable Instant wholeAt;
    private final KnownSource source;

    /**
     * Makes one.
     *
     * @param wholeAt when the source was last found whole, in milliseconds; null if it never was
     * @param source as it was at the last look
     */
    CaptureState(PendingSplitsState splits, TableIds captured, @Nullable Instant wholeAt, KnownSource source) {
        this.splits = splits;
        this.captured = captured;
        this.wholeAt = wholeAt;
        this.source = source;
    }

    TableIds captured() {
        return captured;
    }

    @Nullable
    Instant wholeAt() {
        return wholeAt;
    }

    KnownSource source() {
        return source;
    }

    /** Flink CDC's own state, of a build that had nothing else, too. */
    static @Nullable PendingSplitsState splits(@Nullable PendingSplitsState state) {
        return state instanceof CaptureState own ? own.splits : state;
    }

    /**
     * Its bytes; those of Flink CDC's own state are read as well, and then the tables are not known. Nor is the source in
     * those of {@link #TABLES_ONLY}.
     */
    static final class Serializer implements SimpleVersionedSerializer<PendingSplitsState> {

        /** Far above Flink CDC's, which counts from 1. */
        private static final int VERSION = 1002;

        private static final int TABLES_ONLY = 1001;

        private static final long NEVER = Long.MIN_VALUE;

        private final SimpleVersionedSerializer<PendingSplitsState> splits;

        Serializer(SimpleVersionedSerializer<PendingSplitsState> splits) {
            this.splits = splits;
        }

        @Override
        public int getVersion() {
            return VERSION;
        }

        @Override
        public byte[] serialize(PendingSplitsState state) throws IOException {
            CaptureState own = state instanceof CaptureState whole
                    ? whole
                    : new CaptureState(state, TableIds.UNKNOWN, null, KnownSource.NOTHING);
            byte[] bytes = splits.serialize(own.splits);
            DataOutputSerializer out = new DataOutputSerializer(bytes.length + 100);
            out.writeLong(own.captured.events());
            out.writeLong(own.captured.content());
            out.writeLong(own.wholeAt == null ? NEVER : own.wholeAt.toEpochMilli());
            own.source.write(out);
            out.writeInt(splits.getVersion());
            out.writeInt(bytes.length);
            out.write(bytes);
            return out.getCopyOfBuffer();
        }

        @Override
        public PendingSplitsState deserialize(int version, byte[] bytes) throws IOException {
            if (version < TABLES_ONLY) {
                return splits.deserialize(version, bytes);
            }
            if (version > VERSION) {
                throw new IOException("Capture's state has version " + version + "; this build reads " + VERSION);
            }
            DataInputDeserializer in = new DataInputDeserializer(bytes);
            TableIds captured = new TableIds(in.readLong(), in.readLong());
            long wholeAt = in.readLong();
            KnownSource source = version == TABLES_ONLY ? KnownSource.NOTHING : KnownSource.read(in);
            int splitsVersion = in.readInt();
            byte[] rest = new byte[in.readInt()];
            in.readFully(rest);
            return new CaptureState(
                    splits.deserialize(splitsVersion, rest),
                    captured,
                    wholeAt == NEVER ? null : Instant.ofEpochMilli(wholeAt),
                    source);
        }
    }
}
