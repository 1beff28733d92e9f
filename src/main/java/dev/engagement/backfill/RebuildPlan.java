package dev.engagement.backfill;

import dev.engagement.source.IdRange;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.jspecify.annotations.Nullable;

/**
 * What is still to be given out: the enumerator's state.
 *
 * @param left ids that nobody has been given; null before the tables were looked at
 * @param returned ranges that came back from readers that failed
 */
record RebuildPlan(@Nullable IdRange left, List<IdRange> returned) {

    static final RebuildPlan UNKNOWN = new RebuildPlan(null, List.of());

    RebuildPlan {
        returned = List.copyOf(returned);
    }

    /** Serializer of plans. */
    static final class Serializer implements SimpleVersionedSerializer<RebuildPlan> {

        @Override
        public int getVersion() {
            return 1;
        }

        @Override
        public byte[] serialize(RebuildPlan plan) throws IOException {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            try (DataOutputStream out = new DataOutputStream(bytes)) {
                out.writeBoolean(plan.left != null);
                if (plan.left != null) {
                    write(plan.left, out);
                }
                out.writeInt(plan.returned.size());
                for (IdRange range : plan.returned) {
                    write(range, out);
                }
            }
            return bytes.toByteArray();
        }

        private static void write(IdRange range, DataOutputStream out) throws IOException {
            out.writeLong(range.first());
            out.writeLong(range.last());
        }

        @Override
        public RebuildPlan deserialize(int version, byte[] serialized) throws IOException {
            if (version != 1) {
                throw new IOException("The state of a rebuild is of version " + version + "; this build reads 1");
            }
            try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(serialized))) {
                IdRange left = in.readBoolean() ? new IdRange(in.readLong(), in.readLong()) : null;
                List<IdRange> returned = new ArrayList<>();
                for (int i = in.readInt(); i > 0; i--) {
                    returned.add(new IdRange(in.readLong(), in.readLong()));
                }
                return new RebuildPlan(left, returned);
            }
        }
    }
}
