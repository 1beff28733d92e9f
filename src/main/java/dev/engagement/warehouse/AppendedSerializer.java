package dev.engagement.warehouse;

import dev.engagement.event.types.Wire;
import java.io.IOException;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;

/** The state of {@link Appended}. */
final class AppendedSerializer implements SimpleVersionedSerializer<Appended> {

    private static final CheckpointLineageSerializer LINE = new CheckpointLineageSerializer();

    @Override
    public int getVersion() {
        return 1;
    }

    @Override
    public byte[] serialize(Appended appended) throws IOException {
        DataOutputSerializer out = new DataOutputSerializer(256);
        Wire.writeText(appended.stream(), out);
        out.writeLong(appended.lastOffset());
        out.writeLong(appended.checkpoint());
        LINE.writeVersioned(appended.line(), out);
        return out.getCopyOfBuffer();
    }

    @Override
    public Appended deserialize(int version, byte[] serialized) throws IOException {
        if (version != 1) {
            throw new IOException("Rows to be committed are kept as version " + version
                    + ", which this build does not know: run the build that wrote the checkpoint, or a newer one");
        }
        DataInputDeserializer in = new DataInputDeserializer(serialized);
        return new Appended(Wire.readRequiredText(in), in.readLong(), in.readLong(), LINE.readVersioned(in));
    }
}
