package dev.engagement.connection;

import java.io.Serializable;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;

/**
 * How to reach PostgreSQL.
 *
 * @param jdbcUrl {@code jdbc:postgresql://host:port/database}, without user and password
 * @param username a role; what it must be allowed is the caller's affair
 * @param password that role's, read where the connection is made
 */
public record PostgresConnection(String jdbcUrl, String username, SecretRef password) implements Serializable {

    private static final long serialVersionUID = 1L;

    /** An answer may take any time. */
    public static final Duration ANY_TIME = Duration.ZERO;

    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);

    public PostgresConnection {
        if (!jdbcUrl.startsWith("jdbc:postgresql://")) {
            throw new IllegalArgumentException("postgres.url is not of the form jdbc:postgresql://host:port/database");
        }
        if (jdbcUrl.matches(".*[?&](password|sslpassword)=.*")) {
            throw new IllegalArgumentException(
                    "postgres.url contains a password; give it as postgres.password from the environment or as"
                            + " postgres.password.secret-file");
        }
    }

    /**
     * A connection of its own, which the caller closes; the password is read now.
     *
     * @param applicationName by which PostgreSQL's views name it
     * @param timeout how long an answer may take; {@link #ANY_TIME} for what reads much
     * @throws SecretRef.UnreadableSecretException if the password is not where it should be
     */
    public Connection open(String applicationName, Duration timeout) throws SQLException {
        return open(applicationName, timeout, Map.of());
    }

    /**
     * As {@link #open(String, Duration)}.
     *
     * @param more further properties, by the driver's names
     */
    public Connection open(String applicationName, Duration timeout, Map<String, String> more) throws SQLException {
        Properties properties = new Properties();
        properties.putAll(more);
        properties.setProperty("user", username);
        String secret = password.read();
        if (secret != null) {
            properties.setProperty("password", secret);
        }
        properties.setProperty("connectTimeout", Long.toString(CONNECT_TIMEOUT.toSeconds()));
        properties.setProperty("socketTimeout", Long.toString(timeout.toSeconds()));
        // A server that is gone is noticed, however long an answer may take.
        properties.setProperty("tcpKeepAlive", "true");
        properties.setProperty("ApplicationName", applicationName);
        return PostgresDriver.connect(jdbcUrl, properties);
    }

    /** Names the address, the role and where its password is, never the password. */
    @Override
    public String toString() {
        return jdbcUrl + " as " + username + " (" + password + ")";
    }
}
