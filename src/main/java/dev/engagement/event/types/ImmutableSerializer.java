package dev.engagement.event.types;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;
import org.jspecify.annotations.Nullable;

/**
 * Serializer of an immutable type whose every value begins with a format version.
 *
 * <p>Because each value says how it was written, its snapshot is always compatible as it is: a newer build reads what an
 * older one wrote, and writes the newest form from then on. Stateless, hence shared between threads; public, with a public
 * constructor without arguments, for {@link ImmutableSerializerSnapshot} makes it of its class.
 *
 * @param <T> an immutable type
 */
public abstract class ImmutableSerializer<T> extends TypeSerializer<T> {

    private static final long serialVersionUID = 1L;

    /** The newest version that {@link #write} writes; higher than any before it. */
    protected abstract int version();

    /**
     * The version in which this value is written: the lowest that can say it, where a newer one only adds what few values
     * have, so that all others stay as they were, byte for byte.
     */
    protected int versionOf(T value) {
        return version();
    }

    /** Writes the fields as {@link #versionOf} says, without the version. */
    protected abstract void write(T value, DataOutput out) throws IOException;

    /** Reads the fields as {@code version} of this serializer wrote them. */
    protected abstract T read(int version, DataInput in) throws IOException;

    /** Writes a value with its version: how one serializer writes a part that another one owns. */
    public final void writeVersioned(T value, DataOutput out) throws IOException {
        out.writeByte(versionOf(value));
        write(value, out);
    }

    /** What {@link #writeVersioned} of this build or an older one wrote. */
    public final T readVersioned(DataInput source) throws IOException {
        int version = source.readUnsignedByte();
        if (version == 0 || version > version()) {
            throw new IOException(
                    getClass().getSimpleName() + " reads versions 1 to " + version()
                            + " and found version " + version
                            + ": the state was written by a newer build, or is damaged. Run the build that wrote it, or a newer one");
        }
        return read(version, source);
    }

    @Override
    public final void serialize(T value, DataOutputView target) throws IOException {
        writeVersioned(value, target);
    }

    @Override
    public final T deserialize(DataInputView source) throws IOException {
        return readVersioned(source);
    }

    @Override
    public final T deserialize(T reuse, DataInputView source) throws IOException {
        return deserialize(source);
    }

    @Override
    public final void copy(DataInputView source, DataOutputView target) throws IOException {
        serialize(deserialize(source), target);
    }

    /** Null: nothing is ever deserialized into an existing instance. */
    @Override
    public final @Nullable T createInstance() {
        return null;
    }

    @Override
    public final boolean isImmutableType() {
        return true;
    }

    @Override
    public final TypeSerializer<T> duplicate() {
        return this;
    }

    @Override
    public final T copy(T from) {
        return from;
    }

    @Override
    public final T copy(T from, T reuse) {
        return from;
    }

    @Override
    public final int getLength() {
        return -1;
    }

    @Override
    public final TypeSerializerSnapshot<T> snapshotConfiguration() {
        return new ImmutableSerializerSnapshot<>(this);
    }

    @Override
    public final boolean equals(Object other) {
        return other != null && other.getClass() == getClass();
    }

    @Override
    public final int hashCode() {
        return getClass().hashCode();
    }
}
