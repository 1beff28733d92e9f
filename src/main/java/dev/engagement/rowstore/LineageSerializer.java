package dev.engagement.rowstore;

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
 * Serializer of {@link CheckpointLineage}: a writer's state, and a part of what waits to be committed. State knows its
 * serializer by its class, so a store whose state is older than this class has one of its own.
 */
public class LineageSerializer extends ImmutableSerializer<CheckpointLineage> {

    private static final long serialVersionUID = 1L;

    /** As a type. */
    public static final TypeInformation<CheckpointLineage> TYPE =
            ImmutableType.of(CheckpointLineage.class, LineageSerializer::new);

    @Override
    protected final int version() {
        return 1;
    }

    @Override
    protected final void write(CheckpointLineage line, DataOutput out) throws IOException {
        Wire.writeText(line.run(), out);
        Wire.writeUnsigned(line.behind().size(), out);
        for (CheckpointLineage.FencingLabel mark : line.behind()) {
            Wire.writeText(mark.run(), out);
            out.writeLong(mark.checkpoint());
        }
    }

    @Override
    protected final CheckpointLineage read(int version, DataInput in) throws IOException {
        String run = Wire.readRequiredText(in);
        long count = Wire.readUnsigned(in);
        List<CheckpointLineage.FencingLabel> behind = new ArrayList<>();
        for (long i = 0; i < count; i++) {
            behind.add(new CheckpointLineage.FencingLabel(Wire.readRequiredText(in), in.readLong()));
        }
        return new CheckpointLineage(run, behind);
    }
}
