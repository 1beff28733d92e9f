package dev.engagement.capture;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** What an outbox must have beside what every captured table must have. */
final class OutboxFitness {

    private static final String SQL = """
            SELECT EXISTS (SELECT FROM pg_attribute
                           WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attname = ?),
                   has_table_privilege(c.oid, 'DELETE')
            FROM pg_class AS c WHERE c.relname = ? AND c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = ?)""";

    private OutboxFitness() {}

    /**
     * What keeps capture from working with it, each with what to do about it; empty if nothing does, or if there is no such
     * table.
     *
     * @param firstStart whether rows that are there are about to be read
     */
    static List<String> problems(
            Connection connection, CaptureOptions options, OutboxOptions outbox, boolean firstStart)
            throws SQLException {
        List<String> problems = new ArrayList<>();
        String table = SourceShape.quote(options.schema()) + '.' + SourceShape.quote(outbox.table());
        try (PreparedStatement statement = connection.prepareStatement(SQL)) {
            statement.setString(1, outbox.createdAtColumn());
            statement.setString(2, outbox.table());
            statement.setString(3, options.schema());
            try (ResultSet row = statement.executeQuery()) {
                if (!row.next()) {
                    return problems;
                }
                boolean isOrdered = row.getBoolean(1);
                String order = "The table " + table + " has no column " + outbox.createdAtColumn()
                        + " (capture.outbox.created-at-column), so nobody knows in which order its rows say what became"
                        + " of a content: ALTER TABLE " + table + " ADD "
                        + SourceShape.quote(outbox.createdAtColumn())
                        + " TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()";
                if (!isOrdered && firstStart && options.start() == CaptureOptions.Start.INITIAL) {
                    problems.add(order + "; or set capture.start=latest, which reads no rows that are there already");
                }
                if (!isOrdered && outbox.purge()) {
                    problems.add(order + "; or leave capture.outbox.purge out");
                }
                if (outbox.purge() && !row.getBoolean(2)) {
                    problems.add("The role " + options.postgres().username() + " may not delete from " + table
                            + ", which capture.outbox.purge needs: GRANT DELETE ON " + table + " TO "
                            + SourceShape.quote(options.postgres().username()));
                }
            }
        }
        return problems;
    }
}
