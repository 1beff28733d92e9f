package dev.engagement.audit;

import dev.engagement.rollup.CellComparison;
import dev.engagement.rollup.RollupDatabase;
import dev.engagement.rollup.RollupSource;
import dev.engagement.rollup.RollupTablesRefusedException;
import dev.engagement.rollup.RollupWindows;
import dev.engagement.source.SourceOptions;
import dev.engagement.source.SourceTables;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** The cells in PostgreSQL, by two connections that may only read. */
final class PostgresCells implements Cells, AutoCloseable {

    private static final String APPLICATION = "engagement-audit";

    private final SourceTables source;
    private final Connection connection;
    private final RollupSource tables;
    private final RollupDatabase database;
    private final CellComparison comparison;

    private PostgresCells(SourceTables source, Connection connection, RollupSource tables, RollupDatabase database) {
        this.source = source;
        this.connection = connection;
        this.tables = tables;
        this.database = database;
        this.comparison = new CellComparison(connection, tables, database);
    }

    /**
     * Connects; the passwords are read now.
     *
     * @throws IOException if PostgreSQL does not answer, or refuses
     */
    static PostgresCells connect(AuditOptions.Rollups options) throws IOException {
        SourceOptions of = options.source();
        SourceTables source = new SourceTables(of, APPLICATION);
        Connection connection = null;
        boolean isOpen = false;
        try {
            connection = source.connect();
            RollupSource tables = RollupSource.of(
                    connection,
                    of.quotedEvents(),
                    of.quotedContents(),
                    of.publication(),
                    of.rules().contentRequired(),
                    options.maxClockSkew());
            SourceTables.begin(connection);
            PostgresCells cells = new PostgresCells(
                    source, connection, tables, RollupDatabase.connect(options.target(), APPLICATION));
            isOpen = true;
            return cells;
        } catch (SQLException e) {
            throw new IOException(source.explain(e, null), e);
        } catch (RollupTablesRefusedException e) {
            throw new IOException(e.getMessage(), e);
        } finally {
            if (!isOpen && connection != null) {
                close(connection);
            }
        }
    }

    @Override
    public void compare(RollupWindows windows, IdSet without, Each each) throws IOException {
        try {
            comparison.run(windows, ids(without), each::take);
        } catch (SQLException e) {
            throw new IOException(source.explain(e, null), e);
        } catch (RollupTablesRefusedException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    private static long[] ids(IdSet set) {
        List<Long> ids = new ArrayList<>();
        set.forEach(ids::add);
        return ids.stream().mapToLong(Long::longValue).toArray();
    }

    @Override
    public long oldestEventMicros() throws IOException {
        try {
            return comparison.oldestEventMicros();
        } catch (SQLException e) {
            throw new IOException(source.explain(e, null), e);
        }
    }

    @Override
    public boolean knowsCommits() {
        return tables.knowsCommits();
    }

    @Override
    public void close() {
        try {
            database.close();
        } finally {
            close(connection);
        }
    }

    private static void close(Connection connection) {
        try {
            connection.close();
        } catch (SQLException e) {
            throw new IllegalStateException("A connection to PostgreSQL cannot be closed", e);
        }
    }
}
