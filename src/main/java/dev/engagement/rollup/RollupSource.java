package dev.engagement.rollup;

import dev.engagement.connection.PublishedTable;
import dev.engagement.connection.RefusedOptionException;
import dev.engagement.connection.TimeIndex;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The tables of events and contents, as SQL over them names what the job has of them. Immutable.
 *
 * @param events a relation with the columns in use; without events that are stamped too far ahead of their commit, if the
 *     database knows when that was
 * @param contents a relation with {@code id}, {@code content_type} and {@code length_seconds}
 * @param join the condition by which an event {@code e} has its content {@code c}
 * @param contentRequired whether an event without a content does not count
 * @param isIndexed whether events of a range are found without reading the whole table
 * @param knowsCommits whether the database says when a row was committed
 */
public record RollupSource(
        String events, String contents, String join, boolean contentRequired, boolean isIndexed, boolean knowsCommits) {

    private static final String ID = "id";
    private static final String CONTENT_ID = "content_id";

    private static final List<String> EVENT_COLUMNS =
            List.of(ID, CONTENT_ID, "user_id", "event_type", "event_ts", "duration_ms", "device", "raw_payload");

    private static final List<String> CONTENT_COLUMNS = List.of(ID, "content_type", "length_seconds");

    private static final String FACTS = """
            SELECT current_setting('track_commit_timestamp') = 'on' AND NOT pg_is_in_recovery(),
                   (SELECT atttypid FROM pg_attribute WHERE attrelid = ?::regclass AND attname = 'content_id')
                   = (SELECT atttypid FROM pg_attribute WHERE attrelid = ?::regclass AND attname = 'id')""";

    /**
     * Asks the database.
     *
     * @param events table of events, as SQL names it
     * @param contents table of contents, as SQL names it
     * @param publication of which no more counts than it lets through, rows and columns; null for the whole tables
     * @param contentRequired whether an event without a content does not count
     * @param maxClockSkew how far ahead of its arrival an event may be stamped to be in a window
     * @throws RefusedOptionException if the publication lets too little through
     */
    public static RollupSource of(
            Connection connection,
            String events,
            String contents,
            @Nullable String publication,
            boolean contentRequired,
            Duration maxClockSkew)
            throws SQLException {
        boolean knowsCommits;
        boolean isOfOneType;
        try (PreparedStatement statement = connection.prepareStatement(FACTS)) {
            statement.setString(1, events);
            statement.setString(2, contents);
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                knowsCommits = row.getBoolean(1);
                isOfOneType = row.getBoolean(2);
            }
        }
        // A row was in Kafka a moment after its commit.
        String timely = knowsCommits
                ? "coalesce(event_ts <= pg_xact_commit_timestamp(xmin) + " + maxClockSkew.toMillis()
                        + " * interval '1 millisecond', true)"
                : null;
        return new RollupSource(
                relation(connection, events, EVENT_COLUMNS, List.of(ID, CONTENT_ID, "event_ts"), publication, timely),
                relation(connection, contents, CONTENT_COLUMNS, List.of(ID), publication, null),
                isOfOneType ? "c.id = e.content_id" : "c.id::text = e.content_id::text",
                contentRequired,
                TimeIndex.of(connection, events).isOrdered(),
                knowsCommits);
    }

    private static String relation(
            Connection connection,
            String table,
            List<String> columns,
            List<String> indispensable,
            @Nullable String publication,
            @Nullable String condition)
            throws SQLException {
        PublishedTable published = publication == null
                ? new PublishedTable(null, List.of(), List.of(), false)
                : PublishedTable.of(connection, publication, table, columns);
        if (published.filtersPartitions()) {
            throw new RefusedOptionException("postgres.publication is " + publication + ", which filters partitions of "
                    + table
                    + " one by one, and rollups are computed from a table by one filter. Publish the table by its"
                    + " root: ALTER PUBLICATION … SET (publish_via_partition_root = true)");
        }
        for (String column : indispensable) {
            if (published.lacks(column)) {
                throw new RefusedOptionException("postgres.publication is " + publication
                        + ", through which the column "
                        + column + " of " + table + " does not come (capture.accept-filtered), and without it no event"
                        + " counts. Add it to the table, or to the publication's list of columns");
            }
        }
        String names = columns.stream()
                .map(column -> column(column, published.lacks(column)))
                .collect(Collectors.joining(", "));
        String where = Stream.of(condition, published.filter())
                .filter(Objects::nonNull)
                .collect(Collectors.joining(" AND "));
        return "(SELECT " + names + " FROM " + table + (where.isEmpty() ? "" : " WHERE " + where) + ")";
    }

    /** Texts as texts, whatever type they have; ids and numbers as they are, by which they are found and added up. */
    private static String column(String name, boolean isAbsent) {
        String type =
                switch (name) {
                    case "event_type", "device", "content_type" -> "::text";
                    case "raw_payload" -> "::jsonb";
                    case "duration_ms", "length_seconds" -> isAbsent ? "::integer" : "";
                    default -> isAbsent ? "::text" : "";
                };
        return (isAbsent ? "NULL" : name) + type + (type.isEmpty() ? "" : " AS " + name);
    }
}
