package dev.engagement.rollup;

import dev.engagement.event.types.ImmutableSerializer;
import dev.engagement.event.types.ImmutableType;
import dev.engagement.event.types.Wire;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import org.apache.flink.api.common.typeinfo.TypeInformation;

/**
 * What one task saw of one cell in one pane since it last said so. Not to be written to once it is on its way.
 *
 * @param rollup its name
 * @param key of the cell
 * @param pane where the pane begins, milliseconds since the epoch
 * @param beganLate whether the job went on from a state without the rollup, so that its first windows are not all there
 * @param aggregate of at least one event
 */
record RollupPartial(String rollup, String key, long pane, boolean beganLate, Aggregate aggregate) {

    /** Its type, explicit. */
    static final TypeInformation<RollupPartial> TYPE =
            ImmutableType.of(RollupPartial.class, RollupPartialSerializer::new);

    /** The key of the shard that has the cell. */
    Integer shardKey() {
        return CompiledRollup.shardKey(rollup, key);
    }

    /** Serializer of {@link RollupPartial}. */
    public static final class RollupPartialSerializer extends ImmutableSerializer<RollupPartial> {
        private static final long serialVersionUID = 1L;

        @Override
        protected int version() {
            return 1;
        }

        @Override
        protected void write(RollupPartial partial, DataOutput out) throws IOException {
            // By name: what is on its way in a checkpoint may meet other definitions after it.
            Wire.writeText(partial.rollup(), out);
            Wire.writeText(partial.key(), out);
            out.writeLong(partial.pane());
            out.writeBoolean(partial.beganLate());
            partial.aggregate().write(out);
        }

        @Override
        protected RollupPartial read(int version, DataInput in) throws IOException {
            return new RollupPartial(
                    Wire.readRequiredText(in),
                    Wire.readRequiredText(in),
                    in.readLong(),
                    in.readBoolean(),
                    Aggregate.read(in));
        }
    }
}
