package dev.engagement.liveview.sink;

import dev.engagement.event.types.ImmutableSerializer;
import dev.engagement.event.types.ImmutableType;
import dev.engagement.event.types.Wire;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeutils.SimpleTypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;

/**
 * What of a shard was not in Redis when a checkpoint was taken.
 *
 * @param everything whether any of the shard's values may be missing
 * @param ids whose values may be missing, whatever {@code everything} says
 * @param memory what told that Redis' memory from any other, or empty if Redis was never reached
 */
record Unshown(boolean everything, List<String> ids, String memory) {

    static final TypeInformation<Unshown> TYPE = ImmutableType.of(Unshown.class, UnshownSerializer::new);

    Unshown {
        ids = List.copyOf(ids);
    }

    /** Serializer of {@link Unshown}. */
    public static final class UnshownSerializer extends ImmutableSerializer<Unshown> {
        private static final long serialVersionUID = 1L;

        @Override
        protected int version() {
            return 1;
        }

        @Override
        protected void write(Unshown unshown, DataOutput out) throws IOException {
            out.writeBoolean(unshown.everything());
            Wire.writeText(unshown.memory(), out);
            Wire.writeUnsigned(unshown.ids().size(), out);
            for (String id : unshown.ids()) {
                Wire.writeText(id, out);
            }
        }

        @Override
        protected Unshown read(int version, DataInput in) throws IOException {
            boolean everything = in.readBoolean();
            String memory = Wire.readRequiredText(in);
            int size = (int) Wire.readUnsigned(in);
            List<String> ids = new ArrayList<>(Math.min(size, 1_024));
            for (int i = 0; i < size; i++) {
                ids.add(Wire.readRequiredText(in));
            }
            return new Unshown(everything, ids, memory);
        }

        @Override
        public TypeSerializerSnapshot<Unshown> snapshotConfiguration() {
            return new Snapshot();
        }

        /** Snapshot of {@link UnshownSerializer}. */
        public static final class Snapshot extends SimpleTypeSerializerSnapshot<Unshown> {
            public Snapshot() {
                super(UnshownSerializer::new);
            }
        }
    }
}
