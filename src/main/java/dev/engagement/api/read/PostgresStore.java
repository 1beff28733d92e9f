package dev.engagement.api.read;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.engagement.connection.PostgresConnection;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * A database of PostgreSQL, read by a bounded number of connections, which are made when somebody asks and may only
 * read. Thread-safe.
 *
 * <p>Whatever PostgreSQL does, a query ends within some times the timeout, and at once while PostgreSQL is known not to
 * answer.
 */
final class PostgresStore implements AutoCloseable {

    /** For people. */
    static final String NAME = "PostgreSQL";

    /** Where a database is not configured, nobody need ask again soon. */
    private static final Duration WHEN_CONFIGURED = Duration.ofMinutes(1);

    private static final Duration LIFE = Duration.ofMinutes(30);
    private static final Duration IDLE = Duration.ofMinutes(2);

    /** Reads one row. */
    @FunctionalInterface
    interface RowMapper<T> {

        /** What the row says. */
        T map(ResultSet row) throws SQLException;
    }

    /** SQL states. */
    private static final String NO_TABLE = "42P01";

    private static final String NO_RIGHT = "42501";

    private final HikariDataSource pool;
    private final Silence silence = new Silence(NAME, System::nanoTime);

    /**
     * Connects to nobody yet.
     *
     * @param applicationName by which PostgreSQL's views name it
     */
    PostgresStore(PostgresConnection target, String applicationName, int maxConnections, Duration timeout) {
        HikariConfig config = new HikariConfig();
        config.setPoolName(applicationName);
        config.setDataSource(new ReadOnlySource(target, applicationName, timeout));
        config.setMaximumPoolSize(maxConnections);
        config.setMinimumIdle(0);
        config.setConnectionTimeout(timeout.toMillis());
        config.setValidationTimeout(timeout.toMillis() / 2);
        config.setIdleTimeout(IDLE.toMillis());
        config.setMaxLifetime(LIFE.toMillis());
        // It may be away when the API starts.
        config.setInitializationFailTimeout(-1);
        pool = new HikariDataSource(config);
    }

    /** What there is to say where a database is asked that is not configured. */
    static UnavailableException notConfigured(String what) {
        return UnavailableException.saying(NAME, WHEN_CONFIGURED, "No database is configured that has " + what, null);
    }

    /**
     * The rows of a query.
     *
     * @param sql with a question mark for each value
     * @param values of types that the driver knows; a list is an array of texts
     * @throws UnavailableException if PostgreSQL does not answer in time, or not as it should
     */
    <T> List<T> query(String sql, List<?> values, RowMapper<T> mapper) throws UnavailableException {
        silence.check();
        try (Connection connection = pool.getConnection();
                PreparedStatement statement = connection.prepareStatement(sql)) {
            int place = 1;
            for (Object value : values) {
                if (value instanceof List<?> texts) {
                    statement.setArray(place++, connection.createArrayOf("text", texts.toArray()));
                } else {
                    statement.setObject(place++, value);
                }
            }
            List<T> found = new ArrayList<>();
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    found.add(mapper.map(rows));
                }
            }
            return found;
        } catch (SQLException e) {
            throw failed(e);
        }
    }

    private UnavailableException failed(SQLException failure) {
        if (isAboutTheConnection(failure)) {
            silence.begin(String.valueOf(failure.getMessage()));
        }
        return switch (String.valueOf(failure.getSQLState())) {
            case NO_TABLE ->
                UnavailableException.saying(
                        NAME,
                        Silence.PAUSE,
                        "PostgreSQL has not got that table yet; the job makes those of the rollups when it starts",
                        failure);
            case NO_RIGHT ->
                UnavailableException.saying(
                        NAME, Silence.PAUSE, "PostgreSQL does not let the API's role read that table", failure);
            default -> new UnavailableException(NAME, Silence.PAUSE, failure);
        };
    }

    /**
     * As against a query that took too long, a right that is missing, and a pool of which every connection is in use.
     */
    private static boolean isAboutTheConnection(SQLException failure) {
        if (failure instanceof SQLTransientConnectionException) {
            // Of the pool: with the reason why it could not connect, if there is one.
            return failure.getCause() != null;
        }
        String state = failure.getSQLState();
        return state != null && (state.startsWith("08") || state.startsWith("57P"));
    }

    @Override
    public void close() {
        pool.close();
    }
}
