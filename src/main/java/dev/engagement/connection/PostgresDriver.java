package dev.engagement.connection;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Properties;
import org.jspecify.annotations.Nullable;
import org.postgresql.Driver;

/**
 * PostgreSQL's driver, unknown to {@link DriverManager}: that would keep each job's driver, and with it the job's classes, as
 * long as the process of Flink lives in which the job ran. Thread-safe.
 */
public final class PostgresDriver {

    private static final Driver DRIVER = unregistered();

    private PostgresDriver() {}

    private static Driver unregistered() {
        // It looks for drivers when it is first used, and would find this one then.
        DriverManager.getDrivers();
        Driver driver = new Driver();
        forget();
        return driver;
    }

    /**
     * A new connection, which the caller closes.
     *
     * @throws SQLException if there is none, or the address is none of PostgreSQL
     */
    public static Connection connect(String url, Properties properties) throws SQLException {
        Connection connection = DRIVER.connect(url, properties);
        if (connection == null) {
            throw new SQLException("The driver does not take the address " + url);
        }
        return connection;
    }

    /** What an address of PostgreSQL says, by the driver's own names; null if it is none. */
    public static @Nullable Properties parse(String url) {
        return Driver.parseURL(url, null);
    }

    /** Sees to it that {@link DriverManager} does not know the driver, whoever made it known. */
    public static synchronized void forget() {
        try {
            if (Driver.isRegistered()) {
                Driver.deregister();
            }
        } catch (SQLException e) {
            throw new IllegalStateException("PostgreSQL's driver cannot be deregistered", e);
        }
    }
}
