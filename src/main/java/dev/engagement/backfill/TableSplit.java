package dev.engagement.backfill;

import dev.engagement.event.types.Wire;
import dev.engagement.source.IdRange;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import org.apache.flink.api.connector.source.SourceSplit;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.jspecify.annotations.Nullable;

/**
 * What one reader reads at a time: all contents, or the events of a range of ids.
 *
 * @param splitId tells it from the others of its run
 * @param ids the events that are still to be read; null for the contents
 * @param snapshot name of the snapshot that all splits are read by, as long as it lasts
 */
record TableSplit(
        String splitId, @Nullable IdRange ids, @Nullable String snapshot) implements SourceSplit {

    static final String CONTENTS = "contents";

    static TableSplit ofContents(@Nullable String snapshot) {
        return new TableSplit(CONTENTS, null, snapshot);
    }

    static TableSplit ofEvents(IdRange ids, @Nullable String snapshot) {
        return new TableSplit("events-" + ids.first() + "-" + ids.last(), ids, snapshot);
    }

    TableSplit withIds(IdRange rest) {
        return new TableSplit(splitId, rest, snapshot);
    }

    /** Serializer of splits. */
    static final class Serializer implements SimpleVersionedSerializer<TableSplit> {

        @Override
        public int getVersion() {
            return 1;
        }

        @Override
        public byte[] serialize(TableSplit split) throws IOException {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            try (DataOutputStream out = new DataOutputStream(bytes)) {
                Wire.writeText(split.splitId, out);
                out.writeBoolean(split.ids != null);
                if (split.ids != null) {
                    out.writeLong(split.ids.first());
                    out.writeLong(split.ids.last());
                }
                Wire.writeText(split.snapshot, out);
            }
            return bytes.toByteArray();
        }

        @Override
        public TableSplit deserialize(int version, byte[] serialized) throws IOException {
            if (version != 1) {
                throw new IOException("The state of a split is of version " + version + "; this build reads 1");
            }
            try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(serialized))) {
                return new TableSplit(
                        Wire.readRequiredText(in),
                        in.readBoolean() ? new IdRange(in.readLong(), in.readLong()) : null,
                        Wire.readText(in));
            }
        }
    }
}
