package dev.engagement.capture;

import io.debezium.connector.postgresql.PostgresConnectorConfig;
import io.debezium.connector.postgresql.PostgresSchema;
import io.debezium.connector.postgresql.PostgresType;
import io.debezium.connector.postgresql.PostgresValueConverter;
import io.debezium.connector.postgresql.TypeRegistry;
import io.debezium.relational.Column;
import io.debezium.relational.Table;
import io.debezium.relational.TableId;
import io.debezium.relational.TableSchema;
import io.debezium.schema.TopicSelector;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.flink.cdc.connectors.shaded.org.apache.kafka.connect.data.Schema;
import org.jspecify.annotations.Nullable;

/**
 * Debezium's knowledge of the tables, in which every column is of type text: so its decoder takes all values as they
 * come, instead of failing on one that it cannot read, of whatever column. {@link RowReading} reads the columns in use.
 * A column's real type stays as its native type.
 */
final class CaptureSchema extends PostgresSchema {

    private static final String TEXT = "text";

    private static final String COLUMNS = """
            SELECT attname, atttypid::bigint, atttypmod FROM pg_catalog.pg_attribute
            WHERE attrelid = (SELECT c.oid FROM pg_catalog.pg_class AS c
                              JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                              WHERE n.nspname = ? AND c.relname = ?)
              AND attnum > 0 AND NOT attisdropped
            ORDER BY attnum""";

    private final CaptureOptions options;
    private final RowReading reading;
    private final Schema source;
    private final Map<TableId, TableSchema> schemas = new ConcurrentHashMap<>();

    CaptureSchema(
            CaptureOptions options,
            PostgresConnectorConfig config,
            CaptureConnection connection,
            TopicSelector<TableId> topics,
            PostgresValueConverter values)
            throws SQLException {
        super(config, connection.getTypeRegistry(), connection.getDefaultValueConverter(), topics, values);
        this.options = options;
        this.reading = new RowReading(connection.getTypeRegistry(), values);
        this.source = config.getSourceInfoStructMaker().schema();
        refresh(connection, false);
    }

    @Override
    public @Nullable TableSchema schemaFor(TableId id) {
        return schemas.get(id);
    }

    @Override
    protected void clearSchemas() {
        super.clearSchemas();
        schemas.clear();
    }

    @Override
    protected void removeSchema(TableId id) {
        super.removeSchema(id);
        schemas.remove(id);
    }

    /** For a table as its definition in the database has it, and as the log announces it. */
    @Override
    protected void buildAndRegisterSchema(Table table) {
        if (!getTableFilter().isIncluded(table.id())) {
            return;
        }
        List<Column> columns = new ArrayList<>();
        for (Column column : table.columns()) {
            columns.add(Column.editor()
                    .name(column.name())
                    .type(TEXT, column.typeExpression())
                    .jdbcType(column.jdbcType())
                    .nativeType(column.nativeType())
                    .length(column.length())
                    .scale(column.scale().orElse(null))
                    .optional(true)
                    .create());
        }
        Table asText = Table.editor()
                .tableId(table.id())
                .addColumns(columns)
                .setPrimaryKeyNames(table.primaryKeyColumnNames())
                .create();
        tables().overwriteTable(asText);
        schemas.put(table.id(), reading.of(asText, captured(table.id()), options.mayLackColumns(), source));
    }

    /** What is read of that table. */
    ReadColumns captured(TableId id) {
        return options.columnsOf(id.table());
    }

    /** In which order the rows of a snapshot come; empty if in any: one row each, of what is in a table of its own. */
    String order(Table table) {
        OutboxOptions outbox = options.outbox();
        return outbox == null || table.columnWithName(outbox.createdAtColumn()) == null
                ? ""
                : " ORDER BY " + SourceShape.quote(outbox.createdAtColumn()) + ", ctid";
    }

    /** Looks at a table's columns as the log would announce them: with the types themselves, not with their names. */
    Table refreshColumns(Connection connection, TableId id) throws SQLException {
        List<Column> columns = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement(COLUMNS)) {
            statement.setString(1, id.schema());
            statement.setString(2, id.table());
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    columns.add(column(row.getString(1), getTypeRegistry().get((int) row.getLong(2)), row.getInt(3)));
                }
            }
        }
        refresh(Table.editor()
                .tableId(id)
                .addColumns(columns)
                .setPrimaryKeyNames(tableFor(id).primaryKeyColumnNames())
                .create());
        return tableFor(id);
    }

    /** As Debezium's decoder makes it of what the log announces. */
    private static Column column(String name, PostgresType type, int modifier) throws SQLException {
        boolean modified = modifier != TypeRegistry.NO_TYPE_MODIFIER && type.getTypeInfo() != null;
        return Column.editor()
                .name(name)
                .type(type.getName())
                .jdbcType(type.getRootType().getJdbcId())
                .nativeType(type.getRootType().getOid())
                .length(modified ? type.getTypeInfo().getPrecision(type.getOid(), modifier) : type.getDefaultLength())
                .scale(modified ? type.getTypeInfo().getScale(type.getOid(), modifier) : type.getDefaultScale())
                .create();
    }
}
