package dev.engagement.capture;

import java.io.IOException;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.JsonProperties;
import org.apache.avro.LogicalTypes;
import org.apache.avro.io.Encoder;
import org.apache.flink.cdc.connectors.shaded.org.apache.kafka.connect.data.Decimal;
import org.apache.flink.cdc.connectors.shaded.org.apache.kafka.connect.data.Field;
import org.apache.flink.cdc.connectors.shaded.org.apache.kafka.connect.data.Schema;
import org.apache.flink.cdc.connectors.shaded.org.apache.kafka.connect.data.Struct;
import org.apache.flink.cdc.connectors.shaded.org.apache.kafka.connect.data.Timestamp;
import org.jspecify.annotations.Nullable;

/**
 * A type of Connect as Avro, in the form that Connect's own AvroConverter gives it: what may be null is a union with null
 * first, and a name of Connect's or Debezium's stands beside the type as {@code connect.name}.
 */
final class ConnectAvro {

    /** Writes a value that is not null. */
    @FunctionalInterface
    private interface Writing {
        void write(Object value, Encoder out) throws IOException;
    }

    private final org.apache.avro.Schema schema;
    private final boolean nullable;
    private final Writing writing;

    private ConnectAvro(org.apache.avro.Schema schema, boolean nullable, Writing writing) {
        this.schema = schema;
        this.nullable = nullable;
        this.writing = writing;
    }

    /** Of a struct that stands by itself. */
    static ConnectAvro of(Schema connect) {
        ConnectAvro type = new Types().of(connect);
        return type.nullable ? new ConnectAvro(type.schema.getTypes().get(1), false, type.writing) : type;
    }

    /** The schema to be registered. */
    org.apache.avro.Schema schema() {
        return schema;
    }

    /** Writes a value of that type. */
    void write(@Nullable Object value, Encoder out) throws IOException {
        if (nullable) {
            out.writeIndex(value == null ? 0 : 1);
        }
        if (value != null) {
            writing.write(value, out);
        } else if (!nullable) {
            throw new IOException("A value that is required did not come; its type is " + schema);
        }
    }

    /** The types of one schema; a record that is there twice has one name, and is described once. */
    private static final class Types {

        private final Map<String, org.apache.avro.Schema> records = new HashMap<>();

        ConnectAvro of(Schema connect) {
            ConnectAvro type = required(connect);
            return connect.isOptional()
                    ? new ConnectAvro(
                            org.apache.avro.Schema.createUnion(
                                    org.apache.avro.Schema.create(org.apache.avro.Schema.Type.NULL), type.schema),
                            true,
                            type.writing)
                    : type;
        }

        private ConnectAvro required(Schema connect) {
            return switch (connect.type()) {
                case INT8, INT16, INT32 ->
                    simple(
                            connect,
                            org.apache.avro.Schema.Type.INT,
                            (value, out) -> out.writeInt(((Number) value).intValue()));
                case INT64 -> ofLong(connect);
                case FLOAT32 ->
                    simple(connect, org.apache.avro.Schema.Type.FLOAT, (value, out) -> out.writeFloat((Float) value));
                case FLOAT64 ->
                    simple(
                            connect,
                            org.apache.avro.Schema.Type.DOUBLE,
                            (value, out) -> out.writeDouble((Double) value));
                case BOOLEAN ->
                    simple(
                            connect,
                            org.apache.avro.Schema.Type.BOOLEAN,
                            (value, out) -> out.writeBoolean((Boolean) value));
                case STRING ->
                    simple(
                            connect,
                            org.apache.avro.Schema.Type.STRING,
                            (value, out) -> out.writeString((String) value));
                case BYTES -> ofBytes(connect);
                case ARRAY -> {
                    ConnectAvro items = of(connect.valueSchema());
                    yield new ConnectAvro(org.apache.avro.Schema.createArray(items.schema), false, (value, out) -> {
                        List<?> list = (List<?>) value;
                        out.writeArrayStart();
                        out.setItemCount(list.size());
                        for (Object item : list) {
                            out.startItem();
                            items.write(item, out);
                        }
                        out.writeArrayEnd();
                    });
                }
                case MAP -> {
                    ConnectAvro values = of(connect.valueSchema());
                    yield new ConnectAvro(org.apache.avro.Schema.createMap(values.schema), false, (value, out) -> {
                        Map<?, ?> map = (Map<?, ?>) value;
                        out.writeMapStart();
                        out.setItemCount(map.size());
                        for (Map.Entry<?, ?> entry : map.entrySet()) {
                            out.startItem();
                            out.writeString(String.valueOf(entry.getKey()));
                            values.write(entry.getValue(), out);
                        }
                        out.writeMapEnd();
                    });
                }
                case STRUCT -> ofStruct(connect);
            };
        }

        private static ConnectAvro simple(Schema connect, org.apache.avro.Schema.Type type, Writing writing) {
            return new ConnectAvro(named(org.apache.avro.Schema.create(type), connect), false, writing);
        }

        private static org.apache.avro.Schema named(org.apache.avro.Schema schema, Schema connect) {
            if (connect.name() != null) {
                schema.addProp("connect.name", connect.name());
            }
            return schema;
        }

        private static ConnectAvro ofLong(Schema connect) {
            if (Timestamp.LOGICAL_NAME.equals(connect.name())) {
                org.apache.avro.Schema schema = LogicalTypes.timestampMillis()
                        .addToSchema(org.apache.avro.Schema.create(org.apache.avro.Schema.Type.LONG));
                return new ConnectAvro(
                        named(schema, connect), false, (value, out) -> out.writeLong(((Date) value).getTime()));
            }
            return simple(
                    connect,
                    org.apache.avro.Schema.Type.LONG,
                    (value, out) -> out.writeLong(((Number) value).longValue()));
        }

        private static ConnectAvro ofBytes(Schema connect) {
            if (Decimal.LOGICAL_NAME.equals(connect.name())) {
                int scale = Integer.parseInt(connect.parameters().get(Decimal.SCALE_FIELD));
                int precision = Math.max(
                        Math.max(scale, 1),
                        Integer.parseInt(connect.parameters().getOrDefault("connect.decimal.precision", "64")));
                org.apache.avro.Schema schema = LogicalTypes.decimal(precision, scale)
                        .addToSchema(org.apache.avro.Schema.create(org.apache.avro.Schema.Type.BYTES));
                return new ConnectAvro(
                        named(schema, connect),
                        false,
                        (value, out) -> out.writeBytes(ByteBuffer.wrap(
                                ((BigDecimal) value).unscaledValue().toByteArray())));
            }
            return simple(
                    connect,
                    org.apache.avro.Schema.Type.BYTES,
                    (value, out) -> out.writeBytes(
                            value instanceof ByteBuffer buffer ? buffer.duplicate() : ByteBuffer.wrap((byte[]) value)));
        }

        private ConnectAvro ofStruct(Schema connect) {
            List<Field> fields = connect.fields();
            List<ConnectAvro> types = new ArrayList<>();
            List<org.apache.avro.Schema.Field> described = new ArrayList<>();
            for (Field field : fields) {
                ConnectAvro type = of(field.schema());
                types.add(type);
                described.add(new org.apache.avro.Schema.Field(
                        name(field.name()), type.schema, null, type.nullable ? JsonProperties.NULL_VALUE : null));
            }
            String fullName = fullName(connect.name(), records.size());
            org.apache.avro.Schema record = records.get(fullName);
            if (record == null) {
                record = named(org.apache.avro.Schema.createRecord(fullName, null, null, false, described), connect);
                records.put(fullName, record);
            }
            return new ConnectAvro(record, false, (value, out) -> {
                Struct struct = (Struct) value;
                for (int i = 0; i < fields.size(); i++) {
                    types.get(i).write(struct.get(fields.get(i)), out);
                }
            });
        }

        /** Each part of it as Avro allows it. */
        private static String fullName(@Nullable String name, int number) {
            if (name == null || name.isEmpty()) {
                return "Record" + number;
            }
            String[] parts = name.split("\\.");
            for (int i = 0; i < parts.length; i++) {
                parts[i] = name(parts[i]);
            }
            return String.join(".", parts);
        }

        private static String name(String name) {
            String allowed = name.replaceAll("[^A-Za-z0-9_]", "_");
            return allowed.isEmpty() || Character.isDigit(allowed.charAt(0)) ? '_' + allowed : allowed;
        }
    }
}
