package dev.engagement.rollup;

import dev.engagement.connection.PostgresConnection;
import dev.engagement.event.RollupRow;
import dev.engagement.rollup.definition.KeyPart;
import dev.engagement.rollup.definition.Measure;
import dev.engagement.rollup.definition.RollupDefinition;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The database with the rollups' tables, for a command that compares or mends them: rows are read in order by one connection,
 * which may only read, and written by another one, each batch a transaction of its own. Whatever PostgreSQL refuses is a
 * {@link RollupTablesRefusedException}. Blocking; for one thread.
 */
public final class RollupDatabase implements AutoCloseable {

    /** A cursor waits while the source answers, which takes its time. */
    private static final String READING =
            "-c default_transaction_read_only=on -c statement_timeout=0 -c idle_in_transaction_session_timeout=0";

    private static final String WRITING = "-c statement_timeout=60s -c lock_timeout=20s";
    private static final Duration WRITING_TIMEOUT = Duration.ofSeconds(70);

    private static final int FETCH_ROWS = 1_000;

    private final PostgresConnection target;
    private final String applicationName;
    private final Connection reading;
    private @Nullable Connection writing;

    private RollupDatabase(PostgresConnection target, String applicationName, Connection reading) {
        this.target = target;
        this.applicationName = applicationName;
        this.reading = reading;
    }

    /**
     * Connects; the password is read now.
     *
     * @param applicationName by which PostgreSQL's views name it
     */
    public static RollupDatabase connect(PostgresConnection target, String applicationName) {
        try {
            Connection reading = target.open(applicationName, PostgresConnection.ANY_TIME, Map.of("options", READING));
            // With fetch sizes the driver reads by cursor, which lives in a transaction.
            reading.setAutoCommit(false);
            return new RollupDatabase(target, applicationName, reading);
        } catch (SQLException e) {
            throw failed(target, e, null);
        }
    }

    /**
     * Replaces rows, or inserts them: each that is newer than what its table has of its window and key.
     *
     * @param upsert of the rows' rollup
     * @return how many the table took; of the others it has as new a version, or a newer one
     */
    public int replace(RollupUpsert upsert, List<RollupRow> rows) {
        try {
            Connection connection = writing;
            if (connection == null) {
                connection = target.open(applicationName, WRITING_TIMEOUT, Map.of("options", WRITING));
                writing = connection;
            }
            return upsert.execute(connection, rows);
        } catch (SQLException e) {
            throw failed(target, e, upsert.table());
        }
    }

    /** The start of the first of the windows that has a row, in milliseconds since the epoch; null if none has. */
    @Nullable
    Long firstRow(RollupWindows windows) {
        RollupTable table = RollupTable.of(windows.rollup());
        String start = RollupTable.quote(RollupDefinition.WINDOW_START);
        String sql = "SELECT " + millis(start) + " FROM " + table.quoted() + where(windows) + " ORDER BY " + start
                + " LIMIT 1";
        try (PreparedStatement statement = reading.prepareStatement(sql);
                ResultSet row = statement.executeQuery()) {
            return row.next() ? (Long) row.getLong(1) : null;
        } catch (SQLException e) {
            throw failed(target, e, table);
        }
    }

    /** The rows of the windows, ordered by window and then by key, whose parts are compared by their code points. */
    Rows rows(RollupWindows windows) {
        RollupTable table = RollupTable.of(windows.rollup());
        try {
            PreparedStatement statement = reading.prepareStatement(select(table, windows));
            try {
                statement.setFetchSize(FETCH_ROWS);
                return new Rows(windows.rollup(), table, statement, statement.executeQuery());
            } catch (SQLException e) {
                statement.close();
                throw e;
            }
        } catch (SQLException e) {
            throw failed(target, e, table);
        }
    }

    private static String select(RollupTable table, RollupWindows windows) {
        RollupDefinition rollup = windows.rollup();
        List<String> columns = new ArrayList<>();
        columns.add(millis(RollupTable.quote(RollupDefinition.WINDOW_START)));
        columns.add(millis(RollupTable.quote(RollupDefinition.WINDOW_END)));
        for (KeyPart part : rollup.eventKey()) {
            columns.add(RollupTable.quote(part.column()));
        }
        for (Measure measure : rollup.measures()) {
            columns.add(RollupTable.quote(measure.column()));
        }
        columns.add(rollup.countsUsers() ? RollupTable.quote(RollupDefinition.UNIQUE_USERS_EXACT) : "true");
        columns.add(RollupTable.quote(RollupDefinition.SKIPPED));
        columns.add(RollupTable.quote(RollupDefinition.VERSION));
        String order = rollup.eventKey().stream()
                .map(part -> ", " + RollupTable.quote(part.column()) + " COLLATE \"C\"")
                .collect(Collectors.joining());
        return "SELECT " + String.join(", ", columns) + " FROM " + table.quoted() + where(windows) + " ORDER BY "
                + RollupTable.quote(RollupDefinition.WINDOW_START) + order;
    }

    private static String where(RollupWindows windows) {
        RollupDefinition rollup = windows.rollup();
        String start = RollupTable.quote(RollupDefinition.WINDOW_START);
        return " WHERE " + start + " >= " + time(windows.fromMillis()) + " AND " + start + " < "
                + time(windows.toMillis())
                + (rollup.hasWindowSize()
                        ? " AND " + RollupTable.quote(RollupDefinition.WINDOW_SIZE) + " = "
                                + RollupTable.literal(rollup.windowSizeText())
                        : "");
    }

    private static String time(long millis) {
        return "TIMESTAMPTZ '" + Instant.ofEpochMilli(millis) + "'";
    }

    private static String millis(String time) {
        return "(extract(epoch FROM " + time + ") * 1000)::bigint";
    }

    /** Rows, fetched some at a time. */
    final class Rows implements AutoCloseable {

        private final RollupDefinition rollup;
        private final RollupTable table;
        private final PreparedStatement statement;
        private final ResultSet rows;

        private Rows(RollupDefinition rollup, RollupTable table, PreparedStatement statement, ResultSet rows) {
            this.rollup = rollup;
            this.table = table;
            this.statement = statement;
            this.rows = rows;
        }

        /** The next row; null behind the last. */
        @Nullable
        RollupRow next() {
            try {
                if (!rows.next()) {
                    return null;
                }
                int column = 1;
                long start = rows.getLong(column++);
                long end = rows.getLong(column++);
                List<String> key = new ArrayList<>();
                for (int i = 0; i < rollup.eventKey().size(); i++) {
                    key.add(rows.getString(column++));
                }
                List<@Nullable BigDecimal> values = new ArrayList<>();
                for (int i = 0; i < rollup.measures().size(); i++) {
                    values.add(rows.getBigDecimal(column++));
                }
                boolean exact = rows.getBoolean(column++);
                long skipped = rows.getLong(column++);
                return new RollupRow(
                        rollup.name(), start, end, key, values, exact, skipped, rows.getLong(column), true);
            } catch (SQLException e) {
                throw failed(target, e, table);
            }
        }

        /** Ends the transaction, too: the next rows are of a newer state. */
        @Override
        public void close() {
            try {
                statement.close();
                reading.rollback();
            } catch (SQLException e) {
                throw failed(target, e, table);
            }
        }
    }

    private static RollupTablesRefusedException failed(
            PostgresConnection target, SQLException failure, @Nullable RollupTable table) {
        PostgresVerdict verdict = PostgresVerdict.of(failure);
        boolean passes = verdict == PostgresVerdict.TRANSIENT || verdict == PostgresVerdict.LOCKED;
        return new RollupTablesRefusedException(
                passes
                        ? "PostgreSQL at " + target.jdbcUrl() + " does not answer for the rollups now ("
                                + PostgresAdvice.said(failure) + "). Try again once it does; what was done is done"
                        : PostgresAdvice.text(target, failure, table),
                failure);
    }

    @Override
    public void close() {
        try {
            try {
                if (writing != null) {
                    writing.close();
                }
            } finally {
                reading.close();
            }
        } catch (SQLException e) {
            throw new IllegalStateException("A connection to PostgreSQL cannot be closed", e);
        }
    }
}
