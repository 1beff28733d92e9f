package dev.engagement.rollup.sink;

import dev.engagement.event.RollupRow;
import dev.engagement.event.types.ImmutableSerializer;
import dev.engagement.event.types.ImmutableType;
import dev.engagement.event.types.RollupRowType;
import dev.engagement.writeback.WriteBackValue;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import org.apache.flink.api.common.typeinfo.TypeInformation;

/** A row that PostgreSQL may not have yet. Immutable. */
record PendingRow(RollupRow row) implements WriteBackValue<PendingRow> {

    static final TypeInformation<PendingRow> TYPE = ImmutableType.of(PendingRow.class, PendingRowSerializer::new);

    private static final int BYTES = 400;
    private static final int BYTES_OF_A_VALUE = 72;

    @Override
    public String id() {
        return row.id();
    }

    /** Always: it waits until it is written. */
    @Override
    public PendingRow aliveAt(long nowMillis) {
        return this;
    }

    @Override
    public int estimatedBytes() {
        int chars = row.rollup().length();
        for (String part : row.key()) {
            // In the id as well.
            chars += 2 * part.length();
        }
        return BYTES + 2 * chars + BYTES_OF_A_VALUE * row.values().size();
    }

    /** Serializer of {@link PendingRow}: the row's. */
    public static final class PendingRowSerializer extends ImmutableSerializer<PendingRow> {
        private static final long serialVersionUID = 1L;

        private final RollupRowType.RollupRowSerializer rows = new RollupRowType.RollupRowSerializer();

        @Override
        protected int version() {
            return 1;
        }

        @Override
        protected void write(PendingRow pending, DataOutput out) throws IOException {
            rows.writeVersioned(pending.row(), out);
        }

        @Override
        protected PendingRow read(int version, DataInput in) throws IOException {
            return new PendingRow(rows.readVersioned(in));
        }
    }
}
