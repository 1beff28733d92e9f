package dev.engagement.connection;

import java.sql.SQLException;

/** What is said where a role may not read the tables. */
public final class ReadRight {

    private static final String INSUFFICIENT_PRIVILEGE = "42501";

    private ReadRight() {}

    /** Whether that is why PostgreSQL refused. */
    public static boolean isMissing(SQLException refusal) {
        return INSUFFICIENT_PRIVILEGE.equals(refusal.getSQLState());
    }

    /**
     * Why nothing goes on, and what to do.
     *
     * @param tables which may not be read, as they can stand in SQL
     */
    public static String message(PostgresConnection postgres, String tables, SQLException refusal) {
        return "The role " + postgres.username() + " may not read " + tables + " at " + postgres.jdbcUrl() + " ("
                + String.valueOf(refusal.getMessage()).lines().findFirst().orElse("")
                + "), and nothing else says what should be there: GRANT SELECT ON " + tables + " TO "
                + postgres.username() + ", or name a role that may in postgres.username. Capture of an outbox does"
                + " without that right; backfill, rebuild and audit do not";
    }
}
