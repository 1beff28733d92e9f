package dev.engagement.connection;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/**
 * By what PostgreSQL finds rows of a table by their event_ts.
 *
 * @param exists whether rows of a range are found without reading the table
 * @param isOrdered whether they are found in the order of event_ts
 * @param createSql the SQL that makes one that does both
 * @param isMadeBesideWriters whether that lets writers go on, as it does of all but partitioned tables
 */
public record TimeIndex(boolean exists, boolean isOrdered, String createSql, boolean isMadeBesideWriters) {

    private static final String SQL = """
            SELECT count(a.attname) > 0, count(a.attname) FILTER (WHERE m.amname = 'btree') > 0, t.relkind = 'p'
            FROM pg_class AS t
            LEFT JOIN pg_index AS i ON i.indrelid = t.oid AND i.indisvalid AND i.indpred IS NULL
            LEFT JOIN pg_class AS c ON c.oid = i.indexrelid
            LEFT JOIN pg_am AS m ON m.oid = c.relam
            LEFT JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = i.indkey[0] AND a.attname = 'event_ts'
            WHERE t.oid = ?::regclass GROUP BY t.relkind""";

    /** {@link #createSql}, and what it costs others, for a sentence to begin with. */
    public String advice() {
        return createSql + (isMadeBesideWriters ? "" : ", which keeps writers waiting while it is made,");
    }

    /**
     * Asks the database.
     *
     * @param table as SQL names it
     */
    public static TimeIndex of(Connection connection, String table) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(SQL)) {
            statement.setString(1, table);
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                boolean partitioned = row.getBoolean(3);
                String create =
                        "CREATE INDEX " + (partitioned ? "" : "CONCURRENTLY ") + "ON " + table + " (event_ts, id)";
                return new TimeIndex(row.getBoolean(1), row.getBoolean(2), create, !partitioned);
            }
        }
    }
}
