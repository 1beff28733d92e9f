package dev.engagement.writeback;

import dev.engagement.event.types.ImmutableSerializer;
import dev.engagement.event.types.ImmutableType;
import dev.engagement.event.types.Wire;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.typeinfo.TypeInformation;

/**
 * What of a shard the store did not have when a checkpoint was taken, of values that are kept {@link Keeping#WHILE_ALIVE}.
 *
 * @param everything whether any of the shard's values may be missing
 * @param ids whose values may be missing, whatever {@code everything} says
 * @param incarnation what told the store's incarnation then from any other, or empty if it was never reached
 */
public record DirtySet(boolean everything, List<String> ids, String incarnation) {

    /** Its type, explicit. */
    public static final TypeInformation<DirtySet> TYPE = ImmutableType.of(DirtySet.class, DirtySetSerializer::new);

    public DirtySet {
        ids = List.copyOf(ids);
    }

    /** Serializer of {@link DirtySet}. */
    public static final class DirtySetSerializer extends ImmutableSerializer<DirtySet> {
        private static final long serialVersionUID = 1L;

        @Override
        protected int version() {
            return 1;
        }

        @Override
        protected void write(DirtySet dirty, DataOutput out) throws IOException {
            out.writeBoolean(dirty.everything());
            Wire.writeText(dirty.incarnation(), out);
            Wire.writeUnsigned(dirty.ids().size(), out);
            for (String id : dirty.ids()) {
                Wire.writeText(id, out);
            }
        }

        @Override
        protected DirtySet read(int version, DataInput in) throws IOException {
            boolean everything = in.readBoolean();
            String incarnation = Wire.readRequiredText(in);
            int size = (int) Wire.readUnsigned(in);
            List<String> ids = new ArrayList<>(Math.min(size, 1_024));
            for (int i = 0; i < size; i++) {
                ids.add(Wire.readRequiredText(in));
            }
            return new DirtySet(everything, ids, incarnation);
        }
    }
}
