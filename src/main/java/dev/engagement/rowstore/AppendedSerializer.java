package dev.engagement.rowstore;

import dev.engagement.event.types.Wire;
import java.io.IOException;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;

/** The state of {@link Appended}. */
public final class AppendedSerializer implements SimpleVersionedSerializer<Appended> {

    private static final LineageSerializer LINE = new LineageSerializer();

    private static final int WITHOUT_DETAIL = 1;
    private static final int WITH_DETAIL = 2;

    private final int version;

    /**
     * A serializer.
     *
     * @param withDetail whether the store needs a detail; without one it is written as it was before there were any
     */
    public AppendedSerializer(boolean withDetail) {
        this.version = withDetail ? WITH_DETAIL : WITHOUT_DETAIL;
    }

    @Override
    public int getVersion() {
        return version;
    }

    @Override
    public byte[] serialize(Appended appended) throws IOException {
        DataOutputSerializer out = new DataOutputSerializer(256);
        Wire.writeText(appended.stream(), out);
        out.writeLong(appended.lastOffset());
        if (version == WITH_DETAIL) {
            out.writeInt(appended.detail().length);
            out.write(appended.detail());
        }
        out.writeLong(appended.checkpoint());
        LINE.writeVersioned(appended.line(), out);
        return out.getCopyOfBuffer();
    }

    @Override
    public Appended deserialize(int written, byte[] serialized) throws IOException {
        if (written != WITHOUT_DETAIL && written != WITH_DETAIL) {
            throw new IOException("Rows to be committed are kept as version " + written
                    + ", which this build does not know: run the build that wrote the checkpoint, or a newer one");
        }
        DataInputDeserializer in = new DataInputDeserializer(serialized);
        String stream = Wire.readRequiredText(in);
        long lastOffset = in.readLong();
        byte[] detail = new byte[written == WITHOUT_DETAIL ? 0 : in.readInt()];
        in.readFully(detail);
        return new Appended(stream, lastOffset, detail, in.readLong(), LINE.readVersioned(in));
    }
}
