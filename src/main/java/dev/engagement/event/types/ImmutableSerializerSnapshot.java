package dev.engagement.event.types;

import java.io.IOException;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.common.typeutils.TypeSerializerSchemaCompatibility;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;
import org.apache.flink.util.InstantiationUtil;
import org.jspecify.annotations.Nullable;

/**
 * Snapshot of any {@link ImmutableSerializer}: the name of its class. It is compatible with that class as it is, as each
 * value says how it was written, and with no other.
 *
 * @param <T> what the serializer serializes
 */
public final class ImmutableSerializerSnapshot<T> implements TypeSerializerSnapshot<T> {

    private static final int VERSION = 1;

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
        serializer = InstantiationUtil.resolveClassByName(in, classes);
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
