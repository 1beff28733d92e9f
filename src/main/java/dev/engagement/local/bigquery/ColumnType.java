package dev.engagement.local.bigquery;

import com.google.cloud.bigquery.storage.v1.TableFieldSchema;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto.Type;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;

/** What a column holds: BigQuery's name of it, DuckDB's, and the protocol buffer types that BigQuery converts from. */
enum ColumnType {
    BOOL("BOOLEAN", "BOOLEAN", TableFieldSchema.Type.BOOL, Type.TYPE_BOOL),
    DATE("DATE", "DATE", TableFieldSchema.Type.DATE, Type.TYPE_INT32, Type.TYPE_INT64, Type.TYPE_SINT32),
    FLOAT64("FLOAT", "DOUBLE", TableFieldSchema.Type.DOUBLE, Type.TYPE_DOUBLE, Type.TYPE_FLOAT),
    INT64(
            "INTEGER",
            "BIGINT",
            TableFieldSchema.Type.INT64,
            Type.TYPE_INT64,
            Type.TYPE_INT32,
            Type.TYPE_SINT64,
            Type.TYPE_SINT32,
            Type.TYPE_SFIXED64,
            Type.TYPE_SFIXED32,
            Type.TYPE_UINT32,
            Type.TYPE_FIXED32,
            Type.TYPE_ENUM),
    JSON("JSON", "JSON", TableFieldSchema.Type.JSON, Type.TYPE_STRING),
    /** 38 digits, 9 of them after the point. */
    NUMERIC(
            "NUMERIC",
            "DECIMAL(38,9)",
            TableFieldSchema.Type.NUMERIC,
            Type.TYPE_STRING,
            Type.TYPE_BYTES,
            Type.TYPE_INT64,
            Type.TYPE_INT32),
    STRING("STRING", "VARCHAR", TableFieldSchema.Type.STRING, Type.TYPE_STRING),
    /** Microseconds since the epoch; DuckDB's type without a zone, always UTC. */
    TIMESTAMP(
            "TIMESTAMP",
            "TIMESTAMP",
            TableFieldSchema.Type.TIMESTAMP,
            Type.TYPE_INT64,
            Type.TYPE_SINT64,
            Type.TYPE_SFIXED64);

    private final String restName;
    private final String duckDbName;
    private final TableFieldSchema.Type protoName;
    private final Set<Type> convertibleFrom;

    ColumnType(String restName, String duckDbName, TableFieldSchema.Type protoName, Type first, Type... more) {
        this.restName = restName;
        this.duckDbName = duckDbName;
        this.protoName = protoName;
        this.convertibleFrom = EnumSet.of(first, more);
    }

    /**
     * By either of BigQuery's names, {@code INT64} or {@code INTEGER}.
     *
     * @throws RestException if the emulator has no such type
     */
    static ColumnType named(String name) {
        String wanted = name.toUpperCase(Locale.ROOT);
        for (ColumnType type : values()) {
            if (type.name().equals(wanted) || type.restName.equals(wanted)) {
                return type;
            }
        }
        throw RestException.invalid("The emulator has no columns of type " + name);
    }

    /** As REST answers it. */
    String restName() {
        return restName;
    }

    String duckDbName() {
        return duckDbName;
    }

    TableFieldSchema.Type protoName() {
        return protoName;
    }

    boolean isConvertibleFrom(Type type) {
        return convertibleFrom.contains(type);
    }
}
