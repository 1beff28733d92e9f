package dev.engagement.api.read;

import dev.engagement.connection.PostgresConnection;
import dev.engagement.connection.PostgresDriver;
import dev.engagement.connection.SecretRef.UnreadableSecretException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Properties;
import org.postgresql.ds.PGSimpleDataSource;
import org.postgresql.util.PSQLState;

/**
 * Makes connections that may only read, each with the password as it is at that moment. A data source of the driver's,
 * as a pool wants one; of that it uses nothing but the form.
 */
final class ReadOnlySource extends PGSimpleDataSource {

    private static final long serialVersionUID = 1L;

    private static final long MILLIS_OF_SECOND = 1_000;

    private final PostgresConnection target;
    private final String applicationName;
    private final Duration timeout;

    ReadOnlySource(PostgresConnection target, String applicationName, Duration timeout) {
        this.target = target;
        this.applicationName = applicationName;
        this.timeout = timeout;
    }

    @Override
    public Connection getConnection() throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", target.username());
        try {
            String secret = target.password().read();
            if (secret != null) {
                properties.setProperty("password", secret);
            }
        } catch (UnreadableSecretException e) {
            throw new SQLException(e.getMessage(), PSQLState.INVALID_PASSWORD.getState(), e);
        }
        long seconds = (timeout.toMillis() + MILLIS_OF_SECOND - 1) / MILLIS_OF_SECOND;
        properties.setProperty("connectTimeout", Long.toString(seconds));
        // PostgreSQL ends a statement that takes too long, and tells so; this is for a server that says nothing any
        // more.
        properties.setProperty("socketTimeout", Long.toString(seconds + 1));
        properties.setProperty("tcpKeepAlive", "true");
        properties.setProperty("ApplicationName", applicationName);
        properties.setProperty(
                "options", "-c default_transaction_read_only=on -c statement_timeout=" + timeout.toMillis());
        return PostgresDriver.connect(target.jdbcUrl(), properties);
    }
}
