package dev.engagement.rollup;

import dev.engagement.connection.PostgresConnection;
import dev.engagement.connection.SecretRef.UnreadableSecretException;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/** What to tell the person who has to do something, of a failure that is {@link PostgresVerdict#REFUSED}. */
public final class PostgresAdvice {

    private PostgresAdvice() {}

    /**
     * One line: where, what PostgreSQL said, the way out. It holds no secret.
     *
     * @param table that was written to; null if it came to none
     */
    public static String text(PostgresConnection target, SQLException failure, @Nullable RollupTable table) {
        if (failure.getCause() instanceof UnreadableSecretException unreadable) {
            // In our own words, the way out included.
            return String.valueOf(unreadable.getMessage());
        }
        String of = table == null ? "" : " of the table " + table.name();
        return "PostgreSQL at " + target.jdbcUrl() + " refuses the rollups" + of + " (" + said(failure)
                + "). The way out: " + wayOut(target, String.valueOf(failure.getSQLState()), table);
    }

    /** The first line of what PostgreSQL or the driver said, without its full stop. */
    public static String said(SQLException failure) {
        return String.valueOf(failure.getMessage())
                .lines()
                .findFirst()
                .orElse("")
                .replaceFirst("\\.$", "");
    }

    private static String wayOut(PostgresConnection target, String state, @Nullable RollupTable table) {
        if (state.startsWith("28")) {
            return "check rollup.postgres.username, and rollup.postgres.password or the file that"
                    + " rollup.postgres.password.secret-file names; a file is read again at every try";
        }
        if (state.equals("3D000")) {
            return "create the database, or correct rollup.postgres.url";
        }
        if (state.equals("42501")) {
            return table == null
                    ? "give the role " + target.username() + " the right to connect, and to create tables"
                    : "GRANT SELECT, INSERT, UPDATE, DELETE ON " + table.quoted() + " TO "
                            + RollupTable.quote(target.username());
        }
        if (table == null) {
            return "check rollup.postgres.url, and the search_path of the role " + target.username();
        }
        if (state.equals("42P01")) {
            return "start the job anew, which creates the table, or run " + table.create();
        }
        return "give the table the form that the job makes, " + table.create()
                + ", or move it away and start the job anew";
    }
}
