package dev.engagement.dedupe;

import dev.engagement.event.types.ImmutableSerializer;
import dev.engagement.event.types.ImmutableType;
import dev.engagement.event.types.Wire;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import org.apache.flink.api.common.typeinfo.TypeInformation;

/** Serializer of chunks in state. */
public final class ChunkSerializer extends ImmutableSerializer<IdChunk.Frozen> {

    private static final long serialVersionUID = 1L;

    static final TypeInformation<IdChunk.Frozen> TYPE = ImmutableType.of(IdChunk.Frozen.class, ChunkSerializer::new);

    @Override
    protected int version() {
        return 1;
    }

    @Override
    protected void write(IdChunk.Frozen chunk, DataOutput out) throws IOException {
        out.writeLong(chunk.newestArrivalMillis());
        Wire.writeBytes(chunk.encoded(), out);
    }

    @Override
    protected IdChunk.Frozen read(int version, DataInput in) throws IOException {
        long newestArrivalMillis = in.readLong();
        byte[] encoded = Wire.readBytes(in);
        if (encoded == null) {
            throw new IOException("A chunk of ids has no bytes: the data is damaged");
        }
        return new IdChunk.Frozen(encoded, newestArrivalMillis);
    }
}
