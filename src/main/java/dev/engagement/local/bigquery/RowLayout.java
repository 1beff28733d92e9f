package dev.engagement.local.bigquery;

import com.google.cloud.bigquery.storage.v1.StorageError.StorageErrorCode;
import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto.Type;
import com.google.protobuf.WireFormat;
import io.grpc.Status;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How the messages of one writer become rows of one table: its schema, a message descriptor that comes with the rows,
 * matched with the columns by name. A field that is not in the message is NULL. Immutable; one {@link Row} a thread.
 */
final class RowLayout {

    private static final long MIN_MICROS = -62_135_596_800_000_000L;
    private static final long MAX_MICROS = 253_402_300_799_999_999L;
    private static final int MIN_DAYS = -719_162;
    private static final int MAX_DAYS = 2_932_896;
    private static final int NUMERIC_SCALE = 9;
    private static final int NUMERIC_BYTES = 16;
    /** 10^38 - 1: 29 digits before the point and 9 behind it. */
    private static final BigInteger MAX_NUMERIC = BigInteger.TEN.pow(38).subtract(BigInteger.ONE);

    private record Field(Column column, int index, Type type) {}

    private final List<Column> columns;
    private final @Nullable Field[] byNumber;

    private RowLayout(List<Column> columns, @Nullable Field[] byNumber) {
        this.columns = columns;
        this.byNumber = byNumber;
    }

    /**
     * @throws Refusal if BigQuery would not take messages of that form for this table
     */
    static RowLayout of(DescriptorProto message, Table table) {
        int highest = message.getFieldList().stream()
                .mapToInt(FieldDescriptorProto::getNumber)
                .max()
                .orElse(0);
        @Nullable Field[] byNumber = new Field[Math.min(highest, 100_000) + 1];
        List<String> extra = new ArrayList<>();
        boolean[] written = new boolean[table.columns().size()];
        for (FieldDescriptorProto proto : message.getFieldList()) {
            int index = indexOf(table.columns(), proto.getName());
            if (index < 0) {
                extra.add(proto.getName());
                continue;
            }
            Column column = table.columns().get(index);
            boolean repeated = proto.getLabel() == FieldDescriptorProto.Label.LABEL_REPEATED;
            if (repeated || !column.type().isConvertibleFrom(proto.getType())) {
                throw Refusal.invalidArgument("The proto field mismatched with BigQuery field at "
                        + message.getName() + "." + proto.getName() + ", the proto field type "
                        + (repeated ? "repeated " : "")
                        + proto.getType().name().substring("TYPE_".length()).toLowerCase(Locale.ROOT)
                        + ", BigQuery field type " + column.type().restName() + ". Entity: "
                        + table.id().path());
            }
            byNumber[proto.getNumber()] = new Field(column, index, proto.getType());
            written[index] = true;
        }
        if (!extra.isEmpty()) {
            throw Refusal.of(
                    Status.Code.INVALID_ARGUMENT,
                    StorageErrorCode.SCHEMA_MISMATCH_EXTRA_FIELDS,
                    table.id().path(),
                    "Input schema has more fields than BigQuery schema, extra fields: '" + String.join("','", extra)
                            + "'. Entity: " + table.id().path());
        }
        for (int i = 0; i < written.length; i++) {
            Column column = table.columns().get(i);
            if (column.required() && !written[i]) {
                throw Refusal.invalidArgument(
                        "The required field " + column.name() + " is missing in the writer's schema. Entity: "
                                + table.id().path());
            }
        }
        return new RowLayout(table.columns(), byNumber);
    }

    private static int indexOf(List<Column> columns, String name) {
        for (int i = 0; i < columns.size(); i++) {
            if (columns.get(i).name().equalsIgnoreCase(name)) {
                return i;
            }
        }
        return -1;
    }

    Row newRow() {
        return new Row(columns.size());
    }

    /** One row, read again and again. A value stands in {@code bits} or {@code values}, by the column's type. */
    static final class Row {
        final boolean[] present;
        final long[] bits;
        final @Nullable Object[] values;

        private Row(int columns) {
            present = new boolean[columns];
            bits = new long[columns];
            values = new Object[columns];
        }
    }

    /** Reads a message into the row. Answers what is wrong with it; empty if it can be stored. */
    Optional<String> read(ByteString message, Row into) {
        java.util.Arrays.fill(into.present, false);
        try {
            CodedInputStream in = message.newCodedInput();
            for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
                int number = WireFormat.getTagFieldNumber(tag);
                Field field = number < byNumber.length ? byNumber[number] : null;
                if (field == null) {
                    return Optional.of("Unknown field number " + number + " in the message");
                }
                Optional<String> violation = readField(in, tag, field, into);
                if (violation.isPresent()) {
                    return violation;
                }
            }
        } catch (IOException e) {
            return Optional.of("The message cannot be read: " + e.getMessage());
        }
        for (int i = 0; i < into.present.length; i++) {
            if (!into.present[i] && columns.get(i).required()) {
                return Optional.of("Field " + columns.get(i).name()
                        + ": REQUIRED field is missing or NULL. Row: the whole message");
            }
        }
        return Optional.empty();
    }

    private static Optional<String> readField(CodedInputStream in, int tag, Field field, Row row) throws IOException {
        int wanted = wireType(field.type());
        if (WireFormat.getTagWireType(tag) != wanted) {
            return Optional.of("Field " + field.column().name() + ": wire type " + WireFormat.getTagWireType(tag)
                    + " does not fit " + field.type());
        }
        int i = field.index();
        row.present[i] = true;
        switch (field.type()) {
            case TYPE_INT64, TYPE_INT32, TYPE_ENUM -> row.bits[i] = in.readInt64();
            case TYPE_UINT32 -> row.bits[i] = Integer.toUnsignedLong(in.readUInt32());
            case TYPE_SINT64, TYPE_SINT32 -> row.bits[i] = in.readSInt64();
            case TYPE_SFIXED64 -> row.bits[i] = in.readSFixed64();
            case TYPE_SFIXED32 -> row.bits[i] = in.readSFixed32();
            case TYPE_FIXED32 -> row.bits[i] = Integer.toUnsignedLong(in.readFixed32());
            case TYPE_BOOL -> row.bits[i] = in.readBool() ? 1 : 0;
            case TYPE_DOUBLE -> row.bits[i] = Double.doubleToRawLongBits(in.readDouble());
            case TYPE_FLOAT -> row.bits[i] = Double.doubleToRawLongBits(in.readFloat());
            case TYPE_STRING -> row.values[i] = in.readStringRequireUtf8();
            case TYPE_BYTES -> row.values[i] = in.readByteArray();
            default -> throw new IllegalStateException("Unexpected type " + field.type());
        }
        return check(field, row, i);
    }

    private static Optional<String> check(Field field, Row row, int i) {
        switch (field.column().type()) {
            case TIMESTAMP -> {
                if (row.bits[i] < MIN_MICROS || row.bits[i] > MAX_MICROS) {
                    return violation(field, "timestamp out of range: " + row.bits[i] + " microseconds");
                }
            }
            case DATE -> {
                if (row.bits[i] < MIN_DAYS || row.bits[i] > MAX_DAYS) {
                    return violation(field, "date out of range: " + row.bits[i] + " days");
                }
            }
            case JSON -> {
                Optional<String> wrong = JsonRule.violation(String.valueOf(row.values[i]));
                if (wrong.isPresent()) {
                    return violation(field, wrong.get());
                }
            }
            case NUMERIC -> {
                Optional<BigDecimal> number = numeric(field, row, i);
                if (number.isEmpty()) {
                    return violation(
                            field,
                            "Invalid NUMERIC value: "
                                    + (row.values[i] instanceof byte[] bytes
                                            ? bytes.length + " bytes"
                                            : row.values[i]));
                }
                row.values[i] = number.get();
            }
            default -> {}
        }
        return Optional.empty();
    }

    private static Optional<String> violation(Field field, String message) {
        return Optional.of("Field " + field.column().name() + ": " + message);
    }

    /** With a scale of 9; empty if it is not a number of at most 29 and 9 digits. */
    private static Optional<BigDecimal> numeric(Field field, Row row, int i) {
        BigDecimal number;
        if (field.type() == Type.TYPE_BYTES) {
            byte[] bytes = (byte[]) row.values[i];
            if (bytes == null || bytes.length == 0 || bytes.length > NUMERIC_BYTES) {
                return Optional.empty();
            }
            byte[] bigEndian = new byte[bytes.length];
            for (int b = 0; b < bytes.length; b++) {
                bigEndian[b] = bytes[bytes.length - 1 - b];
            }
            number = new BigDecimal(new BigInteger(bigEndian), NUMERIC_SCALE);
        } else if (field.type() == Type.TYPE_STRING) {
            try {
                number = new BigDecimal(String.valueOf(row.values[i]).strip());
            } catch (NumberFormatException e) {
                return Optional.empty();
            }
            // Before a scale of a billion becomes a billion digits.
            if (number.precision() - (long) number.scale() > 29) {
                return Optional.empty();
            }
        } else {
            number = BigDecimal.valueOf(row.bits[i]);
        }
        try {
            BigDecimal scaled = number.setScale(NUMERIC_SCALE, RoundingMode.UNNECESSARY);
            return scaled.unscaledValue().abs().compareTo(MAX_NUMERIC) <= 0 ? Optional.of(scaled) : Optional.empty();
        } catch (ArithmeticException e) {
            // More than nine digits behind the point.
            return Optional.empty();
        }
    }

    private static int wireType(Type type) {
        return switch (type) {
            case TYPE_DOUBLE, TYPE_FIXED64, TYPE_SFIXED64 -> WireFormat.WIRETYPE_FIXED64;
            case TYPE_FLOAT, TYPE_FIXED32, TYPE_SFIXED32 -> WireFormat.WIRETYPE_FIXED32;
            case TYPE_STRING, TYPE_BYTES, TYPE_MESSAGE -> WireFormat.WIRETYPE_LENGTH_DELIMITED;
            default -> WireFormat.WIRETYPE_VARINT;
        };
    }
}
