package dev.engagement.capture;

import com.zaxxer.hikari.HikariDataSource;
import dev.engagement.connection.PostgresDriver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.TreeMap;
import org.apache.flink.cdc.connectors.base.config.JdbcSourceConfig;
import org.apache.flink.cdc.connectors.base.relational.connection.JdbcConnectionPools;
import org.apache.flink.cdc.connectors.postgres.source.PostgresConnectionPoolFactory;
import org.postgresql.PGProperty;

/**
 * Flink CDC's connection pool, with the connection properties that only Debezium's own connections would get: SSL and
 * whatever else stands in the JDBC address, and where the password is to be read.
 */
public final class CaptureConnectionPool extends PostgresConnectionPoolFactory {

    private static final String CONNECT_SECONDS = "5";
    private static final String PREFIX = "database.";

    @Override
    public HikariDataSource createPooledDataSource(JdbcSourceConfig config) {
        return PostgresDriver.known(() -> super.createPooledDataSource(config));
    }

    /** Closes all pools of this class loader, which Flink CDC leaves open in the processes of its readers. */
    static void closeAll() {
        try {
            JdbcConnectionPools.getInstance(new CaptureConnectionPool()).clear();
        } catch (IOException e) {
            throw new UncheckedIOException("Capture's pooled connections cannot be closed", e);
        } finally {
            PostgresDriver.forget();
        }
    }

    @Override
    public String getJdbcUrl(JdbcSourceConfig config) {
        StringBuilder url = new StringBuilder(super.getJdbcUrl(config));
        TreeMap<String, String> parameters = new TreeMap<>();
        for (String name : config.getDbzProperties().stringPropertyNames()) {
            String property = name.startsWith(PREFIX) ? name.substring(PREFIX.length()) : "";
            if (isParameter(property)) {
                parameters.put(property, config.getDbzProperties().getProperty(name));
            }
        }
        // While a pool is closed a connection attempt is waited for, by a thread that all jobs of the process need.
        parameters.putIfAbsent(PGProperty.CONNECT_TIMEOUT.getName(), CONNECT_SECONDS);
        char separator = '?';
        for (var parameter : parameters.entrySet()) {
            url.append(separator)
                    .append(parameter.getKey())
                    .append('=')
                    .append(URLEncoder.encode(parameter.getValue(), StandardCharsets.UTF_8));
            separator = '&';
        }
        return url.toString();
    }

    private static boolean isParameter(String property) {
        return property.equals(SecretPassword.PROPERTY)
                || (!property.equals(PGProperty.USER.getName())
                        && !property.equals(PGProperty.PASSWORD.getName())
                        && PGProperty.forName(property) != null);
    }
}
