package dev.engagement.rollup;

import dev.engagement.event.types.ImmutableSerializer;
import dev.engagement.event.types.ImmutableType;
import dev.engagement.event.types.Wire;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;

/**
 * One pane of one cell in state. Immutable: its bytes are not to be written to.
 *
 * @param encoded an {@link Aggregate}
 */
record CellState(byte[] encoded) {

    /** Its type, explicit. */
    static final TypeInformation<CellState> TYPE = ImmutableType.of(CellState.class, CellStateSerializer::new);

    static CellState of(Aggregate aggregate, DataOutputSerializer buffer) throws IOException {
        buffer.clear();
        aggregate.write(buffer);
        return new CellState(buffer.getCopyOfBuffer());
    }

    Aggregate aggregate() throws IOException {
        return Aggregate.read(new DataInputDeserializer(encoded));
    }

    /** Serializer of {@link CellState}. Its version stands for the form of the aggregate too. */
    public static final class CellStateSerializer extends ImmutableSerializer<CellState> {
        private static final long serialVersionUID = 1L;

        @Override
        protected int version() {
            return 1;
        }

        @Override
        protected void write(CellState state, DataOutput out) throws IOException {
            Wire.writeBytes(state.encoded(), out);
        }

        @Override
        protected CellState read(int version, DataInput in) throws IOException {
            byte[] encoded = Wire.readBytes(in);
            if (encoded == null) {
                throw new IOException("A pane of a rollup has no bytes: the data is damaged");
            }
            return new CellState(encoded);
        }
    }
}
