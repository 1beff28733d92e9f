package dev.engagement.audit;

import dev.engagement.connection.PublishedTable;
import java.io.IOException;
import java.sql.Connection;
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

    private static final List<String> COMPARED = List.of("id", "event_ts", "duration_ms", "content_id");

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
        PublishedTable found = PublishedTable.of(connection, publication.name(), table, COMPARED);
        if (found.isWhole()) {
            return new Published(table, List.of());
        }
        String filter = found.filter();
        List<String> leftOut = found.leftOut();
        List<String> lacks = new ArrayList<>();
        if (filter != null || !leftOut.isEmpty()) {
            lacks.add("The publication " + publication.name() + " leaves out of " + table + " "
                    + (filter == null ? "" : "the rows that are not " + filter)
                    + (filter == null || leftOut.isEmpty() ? "" : ", and ")
                    + (leftOut.isEmpty() ? "" : "the columns " + String.join(", ", leftOut)));
        }
        if (!found.absent().isEmpty()) {
            lacks.add((lacks.isEmpty() ? "The table " + table : "it") + " has no column "
                    + String.join(", ", found.absent()));
        }
        String what = String.join(", and ", lacks);
        if (!publication.isFilteredMeant()) {
            return new Published(
                    table,
                    List.of((found.filtersPartitions()
                                    ? "The publication " + publication.name() + " filters partitions of " + table
                                    : what)
                            + "; that is not accepted (capture.accept-filtered), so the whole table is compared"));
        }
        if (found.filtersPartitions()) {
            throw new IOException("The publication " + publication.name() + " filters partitions of " + table
                    + " one by one, and audit compares a table by one filter. Publish the table by its root:"
                    + " ALTER PUBLICATION … SET (publish_via_partition_root = true)");
        }
        if (found.lacks("id") || found.lacks("event_ts")) {
            throw new IOException(what + ", without which there is nothing to compare events by");
        }
        List<String> columns = new ArrayList<>(List.of("id", "event_ts"));
        columns.add(found.lacks("duration_ms") ? "NULL::integer AS duration_ms" : "duration_ms");
        columns.add(found.lacks("content_id") ? "NULL::text AS content_id" : "content_id");
        return new Published(
                "(SELECT " + String.join(", ", columns) + " FROM " + table + (filter == null ? "" : " WHERE " + filter)
                        + ") AS published",
                List.of(what + "; only what is left is compared (capture.accept-filtered)"));
    }
}
