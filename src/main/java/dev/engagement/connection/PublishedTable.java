package dev.engagement.connection;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a PostgreSQL publication lets through of a table.
 *
 * @param filter condition in SQL of the rows that come through, in parentheses; null if all do
 * @param leftOut those of the columns that were asked about which the table has, and which do not come through
 * @param absent those of the columns that were asked about which the table does not have
 * @param filtersPartitions whether partitions of the table are published by themselves, and some of them with a filter or a
 *     list of columns of its own
 */
public record PublishedTable(
        @Nullable String filter, List<String> leftOut, List<String> absent, boolean filtersPartitions) {

    /** Servers before 15 have neither filters nor lists. A partition that is published by itself has its own. */
    private static final String ENTRIES = """
            SELECT c.oid = ?::regclass, to_jsonb(t) ->> 'rowfilter',
                   ARRAY(SELECT a.attname::text FROM pg_attribute AS a
                         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
                           AND a.attname::text = ANY (?)
                           AND NOT to_jsonb(t) -> 'attnames' @> to_jsonb(a.attname::text) ORDER BY a.attnum)
            FROM pg_publication_tables AS t
            JOIN pg_namespace AS n ON n.nspname = t.schemaname
            JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = t.tablename
            WHERE t.pubname = ? AND (c.oid = ?::regclass OR c.oid IN (SELECT relid FROM pg_partition_tree(?::regclass)))""";

    private static final String ABSENT = """
            SELECT ARRAY(SELECT asked FROM unnest(?::text[]) AS asked WHERE NOT EXISTS (
                SELECT FROM pg_attribute AS a WHERE a.attrelid = ?::regclass AND a.attnum > 0 AND NOT a.attisdropped
                AND a.attname::text = asked))""";

    public PublishedTable {
        leftOut = List.copyOf(leftOut);
        absent = List.copyOf(absent);
    }

    /**
     * Asks the database. A table that is not in the publication counts as whole.
     *
     * @param table as SQL names it
     * @param columns that are of interest
     */
    public static PublishedTable of(Connection connection, String publication, String table, List<String> columns)
            throws SQLException {
        String filter = null;
        List<String> leftOut = List.of();
        boolean filtersPartitions = false;
        try (PreparedStatement statement = connection.prepareStatement(ENTRIES)) {
            statement.setString(1, table);
            statement.setArray(2, connection.createArrayOf("text", columns.toArray()));
            statement.setString(3, publication);
            statement.setString(4, table);
            statement.setString(5, table);
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    List<String> unlisted = List.of((String[]) row.getArray(3).getArray());
                    if (row.getBoolean(1)) {
                        filter = row.getString(2);
                        leftOut = unlisted;
                    } else {
                        filtersPartitions |= row.getString(2) != null || !unlisted.isEmpty();
                    }
                }
            }
        }
        return new PublishedTable(filter, leftOut, absent(connection, table, columns), filtersPartitions);
    }

    private static List<String> absent(Connection connection, String table, List<String> columns) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(ABSENT)) {
            statement.setArray(1, connection.createArrayOf("text", columns.toArray()));
            statement.setString(2, table);
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                return List.of((String[]) row.getArray(1).getArray());
            }
        }
    }

    /** Whether it is the whole table, with all columns that were asked about. */
    public boolean isWhole() {
        return filter == null && leftOut.isEmpty() && absent.isEmpty() && !filtersPartitions;
    }

    /** Whether no value of that column comes through, which was asked about. */
    public boolean lacks(String column) {
        return leftOut.contains(column) || absent.contains(column);
    }
}
