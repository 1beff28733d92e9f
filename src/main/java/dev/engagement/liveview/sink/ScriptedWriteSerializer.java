package dev.engagement.liveview.sink;

import dev.engagement.event.types.Wire;
import dev.engagement.liveview.LiveViewScript;
import dev.engagement.liveview.ScriptedWrite;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;

/** The state of {@link RedisWriter}: script id, keys, arguments. */
final class ScriptedWriteSerializer implements SimpleVersionedSerializer<ScriptedWrite> {

    private static final int VERSION = 1;

    @Override
    public int getVersion() {
        return VERSION;
    }

    @Override
    public byte[] serialize(ScriptedWrite write) throws IOException {
        DataOutputSerializer out = new DataOutputSerializer(write.bytes() + 64);
        Wire.writeText(write.script().id(), out);
        writeAll(write.keys(), out);
        writeAll(write.arguments(), out);
        return out.getCopyOfBuffer();
    }

    @Override
    public ScriptedWrite deserialize(int version, byte[] serialized) throws IOException {
        if (version != VERSION) {
            throw new IOException("Pending writes of the live view have version " + version + ", this build reads "
                    + VERSION + ": a newer build wrote the state. Run that build, or a newer one");
        }
        DataInputDeserializer in = new DataInputDeserializer(serialized);
        return new ScriptedWrite(LiveViewScript.of(Wire.readRequiredText(in)), readAll(in), readAll(in));
    }

    private static void writeAll(List<byte[]> all, DataOutputSerializer out) throws IOException {
        Wire.writeUnsigned(all.size(), out);
        for (byte[] each : all) {
            Wire.writeBytes(each, out);
        }
    }

    private static List<byte[]> readAll(DataInputDeserializer in) throws IOException {
        int size = (int) Wire.readUnsigned(in);
        List<byte[]> all = new ArrayList<>(Math.min(size, 64));
        for (int i = 0; i < size; i++) {
            all.add(Objects.requireNonNull(Wire.readBytes(in), "a key or argument"));
        }
        return all;
    }
}
