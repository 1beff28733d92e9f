package dev.engagement.capture;

import io.debezium.connector.postgresql.PostgresType;
import io.debezium.connector.postgresql.PostgresValueConverter;
import io.debezium.connector.postgresql.TypeRegistry;
import io.debezium.connector.postgresql.connection.pgoutput.PgOutputReplicationMessage;
import io.debezium.data.Envelope;
import io.debezium.relational.Column;
import io.debezium.relational.Table;
import io.debezium.relational.TableSchema;
import io.debezium.relational.ValueConverter;
import java.sql.Types;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.apache.flink.cdc.connectors.shaded.org.apache.kafka.connect.data.Field;
import org.apache.flink.cdc.connectors.shaded.org.apache.kafka.connect.data.Schema;
import org.apache.flink.cdc.connectors.shaded.org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.flink.cdc.connectors.shaded.org.apache.kafka.connect.data.Struct;
import org.jspecify.annotations.Nullable;
import org.postgresql.core.Oid;

/**
 * How the rows of one table are read: every column comes as PostgreSQL's own text of its value, from the snapshot and
 * from the log alike, and only the columns in use are read from it. A value that cannot be read makes its row an
 * {@link UnreadableRow}. A value that did not come is null, never a default.
 *
 * <p>On the fetching thread.
 */
final class RowReading {

    private static final int MAX_VALUE_CHARACTERS = 100;

    private final TypeRegistry types;
    private final PostgresValueConverter values;

    RowReading(TypeRegistry types, PostgresValueConverter values) {
        this.types = types;
        this.values = values;
    }

    /**
     * The way to read a table.
     *
     * @param captured which of its columns are read
     * @param mayLack whether columns in use may be missing
     * @param source form of the envelope's source
     */
    TableSchema of(Table table, ReadColumns captured, boolean mayLack, Schema source) {
        List<ColumnReading> keys = new ArrayList<>();
        table.primaryKeyColumns().forEach(column -> keys.add(column(column, captured)));
        List<ColumnReading> columns = new ArrayList<>();
        List<String> missing = new ArrayList<>();
        for (String name : captured.columns()) {
            Column column = table.columnWithName(name);
            if (column != null) {
                columns.add(column(column, captured));
            } else if (!mayLack) {
                missing.add(name);
            }
        }
        Schema key = keys.isEmpty() ? null : schema(table.id() + ".Key", keys, false);
        Schema value = schema(table.id() + ".Value", columns, true);
        String lack = missing.isEmpty() ? null : "it came without " + String.join(", ", missing);
        Envelope envelope = Envelope.defineSchema()
                .withName(table.id() + ".Envelope")
                .withRecord(value)
                .withSource(source)
                .build();
        return new TableSchema(
                table.id(),
                key,
                key == null ? null : row -> read(row, key, keys, null),
                envelope,
                value,
                row -> read(row, value, columns, lack));
    }

    /** Flink CDC tells its own records from rows by the name. */
    private static Schema schema(String name, List<ColumnReading> columns, boolean optional) {
        SchemaBuilder builder = SchemaBuilder.struct().name(name);
        columns.forEach(column -> builder.field(column.name, column.schema));
        return optional ? builder.optional().build() : builder.build();
    }

    private static Struct read(
            @Nullable Object[] row, Schema schema, List<ColumnReading> columns, @Nullable String lack) {
        Struct read = new Struct(schema);
        String problem = lack;
        List<Field> fields = schema.fields();
        for (int i = 0; i < fields.size(); i++) {
            ColumnReading column = columns.get(i);
            Object value = row[column.index];
            if (value == null) {
                continue;
            }
            try {
                read.put(fields.get(i), column.read(value));
            } catch (RuntimeException e) {
                problem = column.problem(value, e);
            }
        }
        return problem == null ? read : new UnreadableRow(read, problem);
    }

    private ColumnReading column(Column of, ReadColumns captured) {
        // Whose time has no zone is taken for one in UTC, and leaves like any other: a bare number tells nobody its
        // unit.
        boolean isLocalTime = of.nativeType() == Oid.TIMESTAMP;
        Column column = isLocalTime ? inUtc(of) : of;
        if (column.nativeType() == PostgresType.UNKNOWN.getOid()) {
            return captured.isText(column.name())
                    ? new ColumnReading(column, Schema.OPTIONAL_STRING_SCHEMA, (text, from) -> text)
                    : new ColumnReading(column, Schema.OPTIONAL_STRING_SCHEMA, (text, from) -> {
                        throw new IllegalArgumentException(
                                "its type has been dropped since, so nobody knows whether that is a number");
                    });
        }
        PostgresType type = types.get(column.nativeType());
        // An array would need a connection, and the text of money depends on the server's language.
        boolean readable = !type.isArrayType() && type.getOid() != Oid.MONEY;
        SchemaBuilder builder = readable ? values.schemaBuilder(column) : null;
        Schema schema = builder == null ? null : builder.optional().build();
        ValueConverter converter = schema == null
                ? null
                : values.converter(column, new Field(column.name(), column.position() - 1, schema));
        if (schema == null || converter == null) {
            return new ColumnReading(column, Schema.OPTIONAL_STRING_SCHEMA, (text, from) -> {
                throw new IllegalArgumentException("capture cannot read values of this type");
            });
        }
        Function<String, Object> time =
                switch (type.getOid()) {
                    case Oid.TIMESTAMPTZ -> isLocalTime ? SourceTime::local : SourceTime::zoned;
                    case Oid.DATE -> SourceTime::date;
                    default -> null;
                };
        if (time != null) {
            return new ColumnReading(
                    column,
                    schema,
                    (text, from) -> converter.convert(
                            SourceTime.isFinite(text) ? time.apply(text) : resolve(from, type, text)));
        }
        return new ColumnReading(
                column, schema, (text, from) -> converter.convert(resolve(from, type, text)), converter);
    }

    private static Column inUtc(Column timestamp) {
        return timestamp
                .edit()
                .type("timestamptz", "timestamptz")
                .nativeType(Oid.TIMESTAMPTZ)
                .jdbcType(Types.TIMESTAMP_WITH_TIMEZONE)
                .create();
    }

    /** The value as Debezium has it from the log. */
    private Object resolve(ColumnReading column, PostgresType type, String text) {
        return PgOutputReplicationMessage.getValue(
                column.name,
                type,
                column.typeName,
                text,
                () -> {
                    throw new IllegalStateException("No value of " + column.typeName + " needs a connection");
                },
                false,
                types);
    }

    @FunctionalInterface
    private interface TextReading {
        @Nullable
        Object read(String text, ColumnReading column);
    }

    private static final class ColumnReading {

        private final String name;
        private final String typeName;
        private final int index;
        private final Schema schema;
        private final TextReading reading;
        private final @Nullable ValueConverter unchanged;

        ColumnReading(Column column, Schema schema, TextReading reading) {
            this(column, schema, reading, null);
        }

        ColumnReading(Column column, Schema schema, TextReading reading, @Nullable ValueConverter unchanged) {
            this.name = column.name();
            this.typeName = column.nativeType() == PostgresType.UNKNOWN.getOid() ? "unknown" : column.typeExpression();
            this.index = column.position() - 1;
            this.schema = schema;
            this.reading = reading;
            this.unchanged = unchanged;
        }

        Object read(Object value) {
            Object read;
            if (value instanceof String text) {
                read = reading.read(text, this);
            } else {
                // A large value that an update left as it was does not come; Debezium has a word for it.
                read = unchanged == null ? null : unchanged.convert(value);
            }
            if (read == null) {
                throw new IllegalArgumentException("capture cannot read values of this type");
            }
            return read;
        }

        String problem(Object value, RuntimeException cause) {
            String what = value instanceof String text
                    ? '\''
                            + (text.length() <= MAX_VALUE_CHARACTERS
                                    ? text
                                    : text.substring(0, MAX_VALUE_CHARACTERS) + "…")
                            + '\''
                    : "a value that the update left as it was, which PostgreSQL does not send";
            return "its column " + name + " of type " + typeName + " holds " + what + ": " + cause.getMessage();
        }
    }
}
