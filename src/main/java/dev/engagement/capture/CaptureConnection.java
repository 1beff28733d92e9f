package dev.engagement.capture;

import dev.engagement.connection.PostgresDriver;
import io.debezium.connector.postgresql.PostgresConnectorConfig;
import io.debezium.connector.postgresql.PostgresValueConverter;
import io.debezium.connector.postgresql.TypeRegistry;
import io.debezium.connector.postgresql.connection.PostgresConnection;
import io.debezium.connector.postgresql.connection.PostgresDefaultValueConverter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import org.jspecify.annotations.Nullable;
import org.postgresql.core.BaseConnection;

/**
 * Debezium's connection, with types of its own reading: Debezium's takes an enum without values for one whose values
 * are missing, and fails on any that is anywhere in the database. Safe for a {@link #close} by another thread, and for no
 * other use by several.
 */
final class CaptureConnection extends PostgresConnection {

    private final PostgresConnectorConfig config;
    private final boolean closedOnce;
    private @Nullable TypeRegistry types;
    private @Nullable PostgresDefaultValueConverter defaultValues;
    private boolean ended;

    private CaptureConnection(PostgresConnectorConfig config, String usage, boolean closedOnce) {
        super(config.getJdbcConfig(), null, usage, FACTORY);
        this.config = config;
        this.closedOnce = closedOnce;
        // Debezium loads the driver, which makes itself known when it is loaded.
        PostgresDriver.forget();
    }

    /** Connects when it is first used, and again when it is used after it was closed, until it is {@link #end}ed. */
    static CaptureConnection reconnecting(PostgresConnectorConfig config, String usage) {
        return new CaptureConnection(config, usage, false);
    }

    /** Connects when it is first used; once closed it stays closed. */
    static CaptureConnection closedOnce(PostgresConnectorConfig config, String usage) {
        return new CaptureConnection(config, usage, true);
    }

    @Override
    public synchronized Connection connection(boolean executeOnConnect) throws SQLException {
        if (ended) {
            throw new SQLException("Capture's connection to "
                    + config.getJdbcConfig().getHostname() + " was closed, as its job or split has ended");
        }
        return super.connection(executeOnConnect);
    }

    /**
     * Closes it for good. Debezium, which closes it on its way and uses it again, would connect once more on a thread that a
     * cancelled job leaves behind, and nobody would close that.
     */
    synchronized void end() {
        ended = true;
        super.close();
    }

    @Override
    public synchronized void close() {
        ended |= closedOnce;
        super.close();
    }

    /** Reads them when it is called first. */
    @Override
    public TypeRegistry getTypeRegistry() {
        TypeRegistry known = types;
        if (known == null) {
            known = new TypeRegistry(new TypeReading(config, this));
            types = known;
        }
        return known;
    }

    @Override
    public PostgresDefaultValueConverter getDefaultValueConverter() {
        PostgresDefaultValueConverter known = defaultValues;
        if (known == null) {
            known = new PostgresDefaultValueConverter(values(), getTimestampUtils());
            defaultValues = known;
        }
        return known;
    }

    /** How values of this database become values of Connect. */
    PostgresValueConverter values() {
        return PostgresValueConverter.of(config, StandardCharsets.UTF_8, getTypeRegistry());
    }

    /** The same connection, whose queries give an enum without values an empty list of them. */
    private static final class TypeReading extends PostgresConnection {

        private static final String VALUES = "e.values as enum_values";
        private static final String VALUES_OR_NONE = "coalesce(e.values, '{}') as enum_values";

        private final CaptureConnection connection;

        TypeReading(PostgresConnectorConfig config, CaptureConnection connection) {
            super(config.getJdbcConfig(), null, "");
            this.connection = connection;
        }

        @Override
        public synchronized Connection connection() throws SQLException {
            return around(BaseConnection.class, (BaseConnection) connection.connection());
        }

        private static <T> T around(Class<T> type, T target) {
            return type.cast(Proxy.newProxyInstance(
                    CaptureConnection.class.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> {
                        if (arguments != null && arguments.length > 0 && arguments[0] instanceof String sql) {
                            arguments[0] = sql.replace(VALUES, VALUES_OR_NONE);
                        }
                        try {
                            Object result = method.invoke(target, arguments);
                            return result instanceof Statement statement && !(result instanceof PreparedStatement)
                                    ? around(Statement.class, statement)
                                    : result;
                        } catch (InvocationTargetException e) {
                            throw e.getTargetException();
                        }
                    }));
        }
    }
}
