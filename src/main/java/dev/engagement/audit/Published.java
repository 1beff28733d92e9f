package dev.engagement.audit;

import java.io.IOException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a publication lets through of the table of events.
 *
 * @param relation what to read it from, in SQL: the table, or its rows and columns that are published
 * @param notes what a reader of the report should know of it, a sentence each
 */
record Published(String relation, List<String> notes) {

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

    private static final String[] COMPARED = {"id", "event_ts", "duration_ms", "content_id"};

    /**
     * Asks the database.
     *
     * @param table quoted
     * @param publication null if the table is read by itself
     * @throws IOException if what comes through cannot be compared
     */
    static Published of(Connection connection, String table, AuditOptions.@Nullable Publication publication)
            throws SQLException, IOException {
        if (publication == null) {
            return new Published(table, List.of());
        }
        String filter = null;
        List<String> leftOut = List.of();
        boolean ofPartitions = false;
        try (PreparedStatement statement = connection.prepareStatement(ENTRIES)) {
            statement.setString(1, table);
            statement.setArray(2, connection.createArrayOf("text", COMPARED));
            statement.setString(3, publication.name());
            statement.setString(4, table);
            statement.setString(5, table);
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    List<String> absent = List.of((String[]) row.getArray(3).getArray());
                    if (row.getBoolean(1)) {
                        filter = row.getString(2);
                        leftOut = absent;
                    } else {
                        ofPartitions |= row.getString(2) != null || !absent.isEmpty();
                    }
                }
            }
        }
        if (filter == null && leftOut.isEmpty() && !ofPartitions) {
            return new Published(table, List.of());
        }
        String what = "The publication " + publication.name() + " leaves out of " + table + " "
                + (filter == null ? "" : "the rows that are not " + filter)
                + (filter == null || leftOut.isEmpty() ? "" : ", and ")
                + (leftOut.isEmpty() ? "" : "the columns " + String.join(", ", leftOut));
        if (!publication.isFilteredMeant()) {
            return new Published(
                    table,
                    List.of((ofPartitions
                                    ? "The publication " + publication.name() + " filters partitions of " + table
                                    : what)
                            + "; that is not accepted (capture.accept-filtered), so the whole table is compared"));
        }
        if (ofPartitions) {
            throw new IOException("The publication " + publication.name() + " filters partitions of " + table
                    + " one by one, and audit compares a table by one filter. Publish the table by its root:"
                    + " ALTER PUBLICATION … SET (publish_via_partition_root = true)");
        }
        if (leftOut.contains("id") || leftOut.contains("event_ts")) {
            throw new IOException(what + ", without which there is nothing to compare events by");
        }
        List<String> columns = new ArrayList<>(List.of("id", "event_ts"));
        columns.add(leftOut.contains("duration_ms") ? "NULL::integer AS duration_ms" : "duration_ms");
        columns.add(leftOut.contains("content_id") ? "NULL::text AS content_id" : "content_id");
        return new Published(
                "(SELECT " + String.join(", ", columns) + " FROM " + table + (filter == null ? "" : " WHERE " + filter)
                        + ") AS published",
                List.of(what + "; only what is left is compared (capture.accept-filtered)"));
    }
}
