package dev.engagement.capture;

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
 * are missing, and fails on any that is anywhere in the database. Not safe for use by several threads.
 */
final class CaptureConnection extends PostgresConnection {

    private final PostgresConnectorConfig config;
    private @Nullable TypeRegistry types;
    private @Nullable PostgresDefaultValueConverter defaultValues;

    /** Connects by address and port. */
    CaptureConnection(PostgresConnectorConfig config, String usage) {
        this(config, usage, FACTORY);
    }

    CaptureConnection(PostgresConnectorConfig config, String usage, ConnectionFactory factory) {
        super(config.getJdbcConfig(), null, usage, factory);
        this.config = config;
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
