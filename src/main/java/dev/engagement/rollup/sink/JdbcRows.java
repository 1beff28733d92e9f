package dev.engagement.rollup.sink;

import dev.engagement.connection.PostgresConnection;
import dev.engagement.connection.SecretRef.UnreadableSecretException;
import dev.engagement.event.RollupRow;
import dev.engagement.rollup.RollupTable;
import dev.engagement.rollup.RollupUpsert;
import dev.engagement.rollup.definition.RollupDefinition;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.postgresql.util.PSQLState;

/** A {@link RowConnection} over JDBC. */
final class JdbcRows implements RowConnection {

    /** How long somebody else's lock is waited for; most are held for milliseconds. */
    private static final Duration LOCK_TIMEOUT = Duration.ofMillis(500);

    /** As above, when it is known that somebody holds one. */
    private static final Duration BRIEF_LOCK_TIMEOUT = Duration.ofMillis(50);

    private static final Duration STATEMENT_TIMEOUT = Duration.ofSeconds(20);

    /** PostgreSQL ends a statement that takes too long, and tells so; this is for a server that says nothing any more. */
    private static final Duration ANSWER_TIMEOUT = STATEMENT_TIMEOUT.plusSeconds(10);

    /** Locks of a client that is gone without a word are given back. */
    private static final String SESSION = "-c lock_timeout=" + LOCK_TIMEOUT.toMillis() + " -c statement_timeout="
            + STATEMENT_TIMEOUT.toMillis() + " -c idle_in_transaction_session_timeout=" + ANSWER_TIMEOUT.toMillis();

    private static final String BE_BRIEF = "SET LOCAL lock_timeout = " + BRIEF_LOCK_TIMEOUT.toMillis();

    private static final long MILLIS_OF_SECOND = 1_000;

    private final Connection connection;
    private final Map<String, RollupUpsert> upserts;
    private final Map<String, RollupDefinition> definitions;

    private JdbcRows(Connection connection, List<RollupDefinition> definitions) {
        this.connection = connection;
        this.definitions = definitions.stream().collect(Collectors.toMap(RollupDefinition::name, Function.identity()));
        this.upserts = definitions.stream().collect(Collectors.toMap(RollupDefinition::name, RollupUpsert::new));
    }

    /** Makes connections to {@code target}, with the tables of these rollups. */
    static RowConnection.Connector connector(PostgresConnection target, List<RollupDefinition> definitions) {
        return () -> connect(target, definitions);
    }

    private static JdbcRows connect(PostgresConnection target, List<RollupDefinition> definitions) throws SQLException {
        Connection connection;
        try {
            connection = target.open("engagement-rollups", ANSWER_TIMEOUT, Map.of("options", SESSION));
        } catch (UnreadableSecretException e) {
            throw new SQLException(e.getMessage(), PSQLState.INVALID_PASSWORD.getState(), e);
        }
        try {
            connection.setAutoCommit(false);
            return new JdbcRows(connection, definitions);
        } catch (SQLException e) {
            connection.close();
            throw e;
        }
    }

    @Override
    public int write(List<RollupRow> rows, boolean impatient) throws SQLException {
        // Of each table and rollup in turn: as all writers do, so that none waits for one that waits for it.
        Map<String, List<RollupRow>> byRollup =
                rows.stream().collect(Collectors.groupingBy(RollupRow::rollup, TreeMap::new, Collectors.toList()));
        return inTransaction(() -> {
            if (impatient) {
                execute(BE_BRIEF);
            }
            int taken = 0;
            for (Map.Entry<String, List<RollupRow>> each : byRollup.entrySet()) {
                taken += upserts.get(each.getKey()).execute(connection, each.getValue());
            }
            return taken;
        });
    }

    @Override
    public int removeOld(String rollup, int atMost) throws SQLException {
        RollupDefinition definition = definitions.get(rollup);
        String table = RollupTable.of(definition).quoted();
        String start = RollupTable.quote(RollupDefinition.WINDOW_START);
        String ofRollup =
                definition.hasWindowSize() ? " AND " + RollupTable.quote(RollupDefinition.WINDOW_SIZE) + " = ?" : "";
        // ONLY, since a place in a table is none in another one that inherits from it.
        String sql = "DELETE FROM ONLY " + table + " WHERE ctid = ANY (ARRAY(SELECT ctid FROM ONLY " + table + " WHERE "
                + start + " < now() - ? * interval '1 second'" + ofRollup + " ORDER BY " + start + " LIMIT ?"
                + " FOR UPDATE SKIP LOCKED))";
        return inTransaction(() -> {
            try (PreparedStatement statement = connection.prepareStatement(sql)) {
                int parameter = 1;
                statement.setLong(parameter++, definition.retention().toMillis() / MILLIS_OF_SECOND);
                if (definition.hasWindowSize()) {
                    statement.setString(parameter++, definition.windowSizeText());
                }
                statement.setInt(parameter, atMost);
                return statement.executeUpdate();
            }
        });
    }

    @Override
    public void ping() throws SQLException {
        inTransaction(() -> {
            execute("SELECT 1");
            return 0;
        });
    }

    private void execute(String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private interface Work {
        int run() throws SQLException;
    }

    private int inTransaction(Work work) throws SQLException {
        try {
            int result = work.run();
            connection.commit();
            return result;
        } catch (SQLException e) {
            try {
                connection.rollback();
            } catch (SQLException again) {
                // The first one says why.
                e.addSuppressed(again);
            }
            throw e;
        }
    }

    @Override
    public void close() {
        try {
            connection.close();
        } catch (SQLException e) {
            abort();
        }
    }

    @Override
    public void abort() {
        try {
            connection.abort(Runnable::run);
        } catch (SQLException e) {
            throw new IllegalStateException("A connection to PostgreSQL cannot be closed", e);
        }
    }
}
