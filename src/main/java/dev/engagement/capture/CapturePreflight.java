package dev.engagement.capture;

import java.sql.SQLException;
import java.util.List;
import org.postgresql.util.PSQLException;

/** Whether PostgreSQL is set up for capture. */
public final class CapturePreflight {

    private CapturePreflight() {}

    /**
     * Checks it from here, before anything is submitted: server, role, tables, publication and slot. Blocks for at most
     * some seconds and changes nothing.
     *
     * @throws CaptureSetupException if it cannot connect, or with everything that is missing and the SQL that creates it
     */
    public static void check(CaptureOptions options) {
        try {
            require(options, true);
        } catch (SQLException e) {
            throw new CaptureSetupException(
                    "Capture cannot connect to " + options.jdbcUrl() + " as " + options.username() + " ("
                            + options.password() + "): " + reason(e)
                            + ". Check postgres.url, postgres.username and the password",
                    e);
        }
    }

    /** The same where a database that is away is to be tried again: the cause of not reaching it goes through. */
    static void require(CaptureOptions options, boolean firstStart) throws SQLException {
        List<String> problems = new SourceDatabase(options).problems(firstStart);
        if (!problems.isEmpty()) {
            throw new CaptureSetupException("PostgreSQL at " + options.jdbcUrl() + " is not set up for capture:\n- "
                    + String.join("\n- ", problems));
        }
    }

    private static String reason(SQLException e) {
        Throwable cause = e.getCause();
        // The driver wraps a missing secret's own message.
        return e instanceof PSQLException && cause instanceof IllegalStateException
                ? String.valueOf(cause.getMessage())
                : String.valueOf(e.getMessage());
    }
}
