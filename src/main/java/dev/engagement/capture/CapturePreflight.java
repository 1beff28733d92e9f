package dev.engagement.capture;

import java.sql.SQLException;
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
            require(options, new SourceDatabase(options).fitness(true));
        } catch (SQLException e) {
            throw new CaptureSetupException(
                    "Capture cannot connect to " + options.postgres().jdbcUrl() + " as "
                            + options.postgres().username() + " ("
                            + options.postgres().password() + "): " + reason(e)
                            + ". Check postgres.url, postgres.username and the password",
                    e);
        }
    }

    /** Throws if there is a problem. */
    static void require(CaptureOptions options, SourceDatabase.Fitness fitness) {
        if (!fitness.problems().isEmpty()) {
            throw new CaptureSetupException(
                    "PostgreSQL at " + options.postgres().jdbcUrl() + " is not set up for capture:\n- "
                            + String.join("\n- ", fitness.problems()));
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
