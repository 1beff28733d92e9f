package dev.engagement.warehouse;

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

/** Serializer of {@link Line}: the writer's state, and a part of what waits to be committed. */
final class LineSerializer extends ImmutableSerializer<Line> {

    private static final long serialVersionUID = 1L;

    static final TypeInformation<Line> TYPE = ImmutableType.of(Line.class, LineSerializer::new);

    @Override
    protected int version() {
        return 1;
    }

    @Override
    protected void write(Line line, DataOutput out) throws IOException {
        Wire.writeText(line.run(), out);
        Wire.writeUnsigned(line.behind().size(), out);
        for (Line.Mark mark : line.behind()) {
            Wire.writeText(mark.run(), out);
            out.writeLong(mark.checkpoint());
        }
    }

    @Override
    protected Line read(int version, DataInput in) throws IOException {
        String run = Wire.readRequiredText(in);
        long count = Wire.readUnsigned(in);
        List<Line.Mark> behind = new ArrayList<>();
        for (long i = 0; i < count; i++) {
            behind.add(new Line.Mark(Wire.readRequiredText(in), in.readLong()));
        }
        return new Line(run, behind);
    }

    @Override
    public TypeSerializerSnapshot<Line> snapshotConfiguration() {
        return new Snapshot();
    }

    /** Snapshot of {@link LineSerializer}. */
    public static final class Snapshot extends SimpleTypeSerializerSnapshot<Line> {
        public Snapshot() {
            super(LineSerializer::new);
        }
    }
}
