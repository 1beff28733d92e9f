package dev.engagement.event.types;

import dev.engagement.event.RollupRow;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.jspecify.annotations.Nullable;

/** The type of {@link RollupRow} for Flink's streams and state. */
public final class RollupRowType {

    /** {@link RollupRow}. */
    public static final TypeInformation<RollupRow> ROW = ImmutableType.of(RollupRow.class, RollupRowSerializer::new);

    private RollupRowType() {}

    /** Serializer of {@link RollupRow}. */
    public static final class RollupRowSerializer extends ImmutableSerializer<RollupRow> {
        private static final long serialVersionUID = 1L;

        private static final int EXACT = 1;
        private static final int CLOSED = 2;

        @Override
        protected int version() {
            return 1;
        }

        @Override
        protected void write(RollupRow row, DataOutput out) throws IOException {
            Wire.writeText(row.rollup(), out);
            out.writeLong(row.windowStartMillis());
            Wire.writeUnsigned(row.windowEndMillis() - row.windowStartMillis(), out);
            Wire.writeUnsigned(row.key().size(), out);
            for (String part : row.key()) {
                Wire.writeText(part, out);
            }
            Wire.writeUnsigned(row.values().size(), out);
            for (BigDecimal value : row.values()) {
                writeDecimal(value, out);
            }
            out.writeByte((row.exact() ? EXACT : 0) | (row.closed() ? CLOSED : 0));
            Wire.writeUnsigned(row.skipped(), out);
            Wire.writeUnsigned(row.version(), out);
        }

        /** Digits, then the scale, which may be negative. */
        private static void writeDecimal(@Nullable BigDecimal value, DataOutput out) throws IOException {
            if (value == null) {
                Wire.writeBytes(null, out);
            } else {
                Wire.writeBytes(value.unscaledValue().toByteArray(), out);
                long scale = value.scale();
                Wire.writeUnsigned(scale << 1 ^ scale >> 63, out);
            }
        }

        @Override
        protected RollupRow read(int version, DataInput in) throws IOException {
            String rollup = Wire.readRequiredText(in);
            long start = in.readLong();
            long end = start + Wire.readUnsigned(in);
            int parts = (int) Wire.readUnsigned(in);
            List<String> key = new ArrayList<>(Math.min(parts, 16));
            for (int i = 0; i < parts; i++) {
                key.add(Wire.readRequiredText(in));
            }
            int measures = (int) Wire.readUnsigned(in);
            List<@Nullable BigDecimal> values = new ArrayList<>(Math.min(measures, 64));
            for (int i = 0; i < measures; i++) {
                values.add(readDecimal(in));
            }
            byte flags = in.readByte();
            return new RollupRow(
                    rollup,
                    start,
                    end,
                    key,
                    values,
                    (flags & EXACT) != 0,
                    Wire.readUnsigned(in),
                    Wire.readUnsigned(in),
                    (flags & CLOSED) != 0);
        }

        private static @Nullable BigDecimal readDecimal(DataInput in) throws IOException {
            byte[] digits = Wire.readBytes(in);
            if (digits == null) {
                return null;
            }
            if (digits.length == 0) {
                throw new IOException("A number without digits: the data is damaged");
            }
            long scale = Wire.readUnsigned(in);
            return new BigDecimal(new BigInteger(digits), (int) (scale >>> 1 ^ -(scale & 1)));
        }
    }
}
