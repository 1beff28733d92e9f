package dev.engagement.event.types;

import java.io.IOException;
import java.util.Map;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.common.typeutils.TypeSerializerSchemaCompatibility;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;
import org.apache.flink.util.InstantiationUtil;
import org.jspecify.annotations.Nullable;

/**
 * Snapshot of any {@link ImmutableSerializer}: the name of its class. It is compatible with that class as it is, as each
 * value says how it was written, and with no other. A class that has moved is found under the name that it had.
 *
 * @param <T> what the serializer serializes
 */
public final class ImmutableSerializerSnapshot<T> implements TypeSerializerSnapshot<T> {

    private static final int VERSION = 1;

    /** Classes that have moved, by the names that savepoints know them by. A line is never taken away. */
    private static final Map<String, String> MOVED = Map.of(
            "dev.engagement.liveview.sink.DirtySet$DirtySetSerializer",
            "dev.engagement.writeback.DirtySet$DirtySetSerializer");

    private @Nullable Class<? extends TypeSerializer<T>> serializer;

    /** Called by Flink, before it is read. */
    public ImmutableSerializerSnapshot() {}

    ImmutableSerializerSnapshot(ImmutableSerializer<T> serializer) {
        @SuppressWarnings("unchecked") // The class of a serializer of T.
        Class<? extends TypeSerializer<T>> type = (Class<? extends TypeSerializer<T>>) serializer.getClass();
        this.serializer = type;
    }

    private Class<? extends TypeSerializer<T>> serializer() {
        Class<? extends TypeSerializer<T>> type = serializer;
        if (type == null) {
            throw new IllegalStateException("The snapshot has not been read yet");
        }
        return type;
    }

    @Override
    public int getCurrentVersion() {
        return VERSION;
    }

    @Override
    public void writeSnapshot(DataOutputView out) throws IOException {
        out.writeUTF(serializer().getName());
    }

    @Override
    public void readSnapshot(int version, DataInputView in, ClassLoader classes) throws IOException {
        if (version != VERSION) {
            throw new IOException("A serializer's snapshot of version " + version
                    + " is of a newer build; run the build that wrote it, or a newer one");
        }
        String written = in.readUTF();
        serializer = resolve(MOVED.getOrDefault(written, written), classes);
    }

    @SuppressWarnings("unchecked") // What was written is the name of a serializer of T.
    private static <T> Class<? extends TypeSerializer<T>> resolve(String name, ClassLoader classes) throws IOException {
        try {
            return (Class<? extends TypeSerializer<T>>)
                    Class.forName(name, false, classes).asSubclass(TypeSerializer.class);
        } catch (ClassNotFoundException | ClassCastException e) {
            throw new IOException(
                    "The savepoint names the serializer " + name
                            + ", which this build does not have; run the build that wrote it, or a newer one",
                    e);
        }
    }

    @Override
    public TypeSerializer<T> restoreSerializer() {
        return InstantiationUtil.instantiate(serializer());
    }

    @Override
    public TypeSerializerSchemaCompatibility<T> resolveSchemaCompatibility(TypeSerializerSnapshot<T> old) {
        return old instanceof ImmutableSerializerSnapshot<T> other && other.serializer() == serializer()
                ? TypeSerializerSchemaCompatibility.compatibleAsIs()
                : TypeSerializerSchemaCompatibility.incompatible();
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof ImmutableSerializerSnapshot<?> that && that.serializer == serializer;
    }

    @Override
    public int hashCode() {
        return serializer().hashCode();
    }
}
