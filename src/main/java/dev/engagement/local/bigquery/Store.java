package dev.engagement.local.bigquery;

import com.google.protobuf.ByteString;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.duckdb.DuckDBAppender;
import org.duckdb.DuckDBConnection;

/**
 * Everything that lasts, in one DuckDB file: datasets are schemas, tables are tables, and the schema {@code emulator}
 * holds their definitions and how far each stream has been flushed. Rows and that number change in one transaction.
 *
 * <p>Thread safe: one writer at a time, readers beside it.
 */
final class Store implements AutoCloseable {

    /** A stream as it was registered. */
    record StoredStream(String name, TableId table, Instant created, long flushed, boolean finalized) {}

    /** Rows to be stored: messages and how to read them. */
    interface Rows {
        void forEach(Reader reader) throws SQLException;
    }

    interface Reader {
        void read(RowLayout layout, RowLayout.Row row, ByteString message) throws SQLException;
    }

    private interface Work {
        void run(Statement statement) throws SQLException;
    }

    private final DuckDBConnection writer;
    private boolean closed;

    Store(Path file) {
        try {
            writer = (DuckDBConnection) DriverManager.getConnection("jdbc:duckdb:" + file);
            write(statement -> {
                statement.execute("SET threads = 2");
                statement.execute("SET memory_limit = '1GB'");
                statement.execute("SET default_null_order = 'nulls_first_on_asc_last_on_desc'");
                statement.execute("CREATE SCHEMA IF NOT EXISTS emulator");
                statement.execute("CREATE TABLE IF NOT EXISTS emulator.datasets(name VARCHAR PRIMARY KEY)");
                statement.execute("CREATE TABLE IF NOT EXISTS emulator.tables(project VARCHAR, dataset VARCHAR,"
                        + " name VARCHAR, definition VARCHAR)");
                statement.execute("CREATE TABLE IF NOT EXISTS emulator.streams(name VARCHAR, project VARCHAR,"
                        + " dataset VARCHAR, tbl VARCHAR, created BIGINT, flushed BIGINT, finalized BOOLEAN)");
            });
        } catch (SQLException e) {
            throw new EmulatorException("DuckDB cannot open " + file + ": " + e.getMessage(), e);
        }
    }

    private void write(Work work) {
        try {
            inTransaction(work);
        } catch (SQLException e) {
            throw new EmulatorException("DuckDB: " + e.getMessage(), e);
        }
    }

    private synchronized void inTransaction(Work work) throws SQLException {
        if (closed) {
            throw new EmulatorException("The emulator has been stopped", null);
        }
        try (Statement statement = writer.createStatement()) {
            statement.execute("BEGIN TRANSACTION");
            try {
                work.run(statement);
                statement.execute("COMMIT");
            } catch (SQLException | RuntimeException e) {
                rollBack(statement, e);
                throw e;
            }
        }
    }

    private static void rollBack(Statement statement, Exception cause) {
        try {
            statement.execute("ROLLBACK");
        } catch (SQLException e) {
            cause.addSuppressed(e);
        }
    }

    /** For reading; to be closed. */
    Connection connect() throws SQLException {
        return writer.duplicate();
    }

    Set<String> datasets() {
        Set<String> names = new HashSet<>();
        read("SELECT name FROM emulator.datasets", row -> names.add(row.getString(1)));
        return names;
    }

    void createDataset(String name) {
        write(statement -> {
            insert("INSERT INTO emulator.datasets VALUES (?)", name);
            statement.execute("CREATE SCHEMA IF NOT EXISTS " + quoted(name));
        });
    }

    List<Table> tables() {
        List<Table> tables = new ArrayList<>();
        read(
                "SELECT project, dataset, name, definition FROM emulator.tables",
                row -> tables.add(Table.stored(
                        new TableId(row.getString(1), row.getString(2), row.getString(3)), row.getString(4))));
        return tables;
    }

    void createTable(Table table) {
        write(statement -> {
            statement.execute("CREATE TABLE " + quoted(table.id()) + " ("
                    + table.columns().stream().map(Store::declared).collect(Collectors.joining(", ")) + ")");
            insertDefinition(table);
        });
    }

    /** The new definition may have more columns at its end, and fewer required ones. */
    void changeTable(Table before, Table after) {
        write(statement -> {
            String name = quoted(after.id());
            for (int i = 0; i < after.columns().size(); i++) {
                Column column = after.columns().get(i);
                if (i >= before.columns().size()) {
                    statement.execute("ALTER TABLE " + name + " ADD COLUMN " + declared(column));
                } else if (before.columns().get(i).required() && !column.required()) {
                    statement.execute("ALTER TABLE " + name + " ALTER COLUMN "
                            + quoted(before.columns().get(i).name()) + " DROP NOT NULL");
                }
            }
            deleteDefinition(after.id());
            insertDefinition(after);
        });
    }

    void dropTable(TableId id) {
        write(statement -> {
            statement.execute("DROP TABLE " + quoted(id));
            deleteDefinition(id);
        });
    }

    private void insertDefinition(Table table) throws SQLException {
        TableId id = table.id();
        insert(
                "INSERT INTO emulator.tables VALUES (?, ?, ?, ?)",
                id.project(),
                id.dataset(),
                id.table(),
                table.toStored());
    }

    private void deleteDefinition(TableId id) throws SQLException {
        insert(
                "DELETE FROM emulator.tables WHERE project = ? AND dataset = ? AND name = ?",
                id.project(),
                id.dataset(),
                id.table());
    }

    private static String declared(Column column) {
        return quoted(column.name()) + " " + column.type().duckDbName() + (column.required() ? " NOT NULL" : "");
    }

    List<StoredStream> streams() {
        List<StoredStream> streams = new ArrayList<>();
        read(
                "SELECT name, project, dataset, tbl, created, flushed, finalized FROM emulator.streams",
                row -> streams.add(new StoredStream(
                        row.getString(1),
                        new TableId(row.getString(2), row.getString(3), row.getString(4)),
                        Instant.ofEpochMilli(row.getLong(5)),
                        row.getLong(6),
                        row.getBoolean(7))));
        return streams;
    }

    void createStream(String name, TableId table, Instant created) {
        write(statement -> insert(
                "INSERT INTO emulator.streams VALUES (?, ?, ?, ?, ?, 0, false)",
                name,
                table.project(),
                table.dataset(),
                table.table(),
                created.toEpochMilli()));
    }

    void finalizeStream(String name) {
        write(statement -> insert("UPDATE emulator.streams SET finalized = true WHERE name = ?", name));
    }

    void deleteStream(String name) {
        write(statement -> insert("DELETE FROM emulator.streams WHERE name = ?", name));
    }

    /** Puts rows into the table and notes how far the stream has been flushed: both or none. */
    void flush(Table table, String stream, long flushed, Rows rows) {
        write(statement -> {
            try (DuckDBAppender appender =
                    writer.createAppender(table.id().schema(), table.id().table())) {
                rows.forEach((layout, row, message) -> {
                    layout.read(message, row).ifPresent(violation -> {
                        throw new IllegalStateException("A row that was accepted cannot be stored: " + violation);
                    });
                    append(appender, table.columns(), row);
                });
            }
            insert("UPDATE emulator.streams SET flushed = ? WHERE name = ?", flushed, stream);
        });
    }

    private static void append(DuckDBAppender appender, List<Column> columns, RowLayout.Row row) throws SQLException {
        appender.beginRow();
        for (int i = 0; i < columns.size(); i++) {
            // A column that the table got after the rows were sent.
            if (i >= row.present.length || !row.present[i]) {
                appender.appendNull();
                continue;
            }
            switch (columns.get(i).type()) {
                case INT64 -> appender.append(row.bits[i]);
                case BOOL -> appender.append(row.bits[i] != 0);
                case DATE -> appender.appendEpochDays((int) row.bits[i]);
                case FLOAT64 -> appender.append(Double.longBitsToDouble(row.bits[i]));
                case NUMERIC -> appender.append((BigDecimal) row.values[i]);
                case STRING, JSON -> appender.append((String) row.values[i]);
                case TIMESTAMP -> appender.appendEpochMicros(row.bits[i]);
            }
        }
        appender.endRow();
    }

    /** Deletes what is older than the first partition kept. */
    void expire(Table table, Partitioning partitioning, Instant firstKept) {
        write(statement -> insert(
                "DELETE FROM " + quoted(table.id()) + " WHERE "
                        + quoted(partitioning.column().name()) + " < ?",
                LocalDateTime.ofInstant(firstKept, ZoneOffset.UTC)));
    }

    /** The partitions that have rows. */
    Set<Long> partitions(Table table, Partitioning partitioning) {
        Set<Long> partitions = new HashSet<>();
        read(partitionsOf(table, partitioning), row -> partitions.add(partitioning.partitionOf(row.getLong(1))));
        return partitions;
    }

    private static String partitionsOf(Table table, Partitioning partitioning) {
        String column = quoted(partitioning.column().name());
        String unit = partitioning.unit().name();
        return "SELECT DISTINCT "
                + (partitioning.column().type() == ColumnType.DATE
                        ? "date_diff('day', DATE '1970-01-01', " + column + ")"
                        : "epoch_us(date_trunc('" + unit + "', " + column + "))")
                + " FROM " + quoted(table.id()) + " WHERE " + column + " IS NOT NULL";
    }

    /**
     * Runs a statement that inserts into a table.
     *
     * @param partitions told which ones the table has afterwards; what it throws undoes the statement
     * @return how many rows are new
     * @throws SQLException if DuckDB refuses it
     */
    long insert(Table table, String sql, Consumer<Set<Long>> partitions) throws SQLException {
        long[] inserted = new long[1];
        inTransaction(statement -> {
            inserted[0] = statement.executeUpdate(sql);
            if (table.partitioning().isPresent()) {
                Partitioning partitioning = table.partitioning().get();
                Set<Long> after = new HashSet<>();
                try (ResultSet rows = statement.executeQuery(partitionsOf(table, partitioning))) {
                    while (rows.next()) {
                        after.add(partitioning.partitionOf(rows.getLong(1)));
                    }
                }
                partitions.accept(after);
            }
        });
        return inserted[0];
    }

    /**
     * Runs a statement that deletes rows.
     *
     * @return how many
     * @throws SQLException if DuckDB refuses it
     */
    long delete(String sql) throws SQLException {
        long[] deleted = new long[1];
        inTransaction(statement -> deleted[0] = statement.executeUpdate(sql));
        return deleted[0];
    }

    long count(TableId table) {
        long[] count = new long[1];
        read("SELECT count(*) FROM " + quoted(table), row -> count[0] = row.getLong(1));
        return count[0];
    }

    private interface RowReader {
        void read(ResultSet row) throws SQLException;
    }

    private void read(String sql, RowReader reader) {
        try (Connection connection = connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            while (rows.next()) {
                reader.read(rows);
            }
        } catch (SQLException e) {
            throw new EmulatorException("DuckDB: " + e.getMessage(), e);
        }
    }

    private void insert(String sql, Object... values) throws SQLException {
        try (PreparedStatement statement = writer.prepareStatement(sql)) {
            for (int i = 0; i < values.length; i++) {
                statement.setObject(i + 1, values[i]);
            }
            statement.execute();
        }
    }

    static String quoted(String name) {
        return '"' + name.replace("\"", "\"\"") + '"';
    }

    static String quoted(TableId id) {
        return quoted(id.schema()) + "." + quoted(id.table());
    }

    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            writer.close();
        } catch (SQLException e) {
            throw new EmulatorException("DuckDB cannot be closed: " + e.getMessage(), e);
        }
    }
}
