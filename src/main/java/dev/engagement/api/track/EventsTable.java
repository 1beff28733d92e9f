package dev.engagement.api.track;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PSQLState;

/**
 * What the table of events is in this installation, and the statements that follow from it. Immutable.
 *
 * @param contentIds form of {@code content_id}
 * @param userIds form of {@code user_id}
 * @param sequence of the ids, as SQL names it
 * @param insert takes an array of ids and one of texts for each of {@link #COLUMNS}
 * @param missingContents takes an array of content ids and answers those that are not there; null if the table refers
 *     to no table of contents, or the role may not look into that
 */
record EventsTable(
        IdForm contentIds,
        IdForm userIds,
        String sequence,
        String insert,
        @Nullable String missingContents) {

    /** Beside the id. */
    static final List<String> COLUMNS =
            List.of("content_id", "user_id", "event_type", "event_ts", "duration_ms", "device", "raw_payload");

    private static final String CONTENT_ID = "content_id";

    /** A type without its length: a cast to one with it would cut a text short, where an assignment refuses. */
    private static final String TYPES = """
            SELECT a.attname, format_type(a.atttypid, -1) FROM pg_attribute AS a
            WHERE a.attrelid = ?::regclass AND a.attnum > 0 AND NOT a.attisdropped""";

    /** The one that the column owns; or, if it owns none, the one that its default asks. */
    private static final String SEQUENCE = """
            SELECT coalesce(pg_get_serial_sequence(?, 'id'), (
                SELECT substring(pg_get_expr(d.adbin, d.adrelid) FROM 'nextval\\(''(.*)''::regclass\\)')
                FROM pg_attrdef AS d JOIN pg_attribute AS a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
                WHERE d.adrelid = ?::regclass AND a.attname = 'id'))""";

    private static final String CONTENTS = """
            SELECT c.confrelid::regclass::text, quote_ident(held.attname)
            FROM pg_constraint AS c
            JOIN pg_attribute AS own ON own.attrelid = c.conrelid AND own.attnum = c.conkey[1]
            JOIN pg_attribute AS held ON held.attrelid = c.confrelid AND held.attnum = c.confkey[1]
            WHERE c.contype = 'f' AND c.conrelid = ?::regclass AND cardinality(c.conkey) = 1
              AND own.attname = 'content_id' AND has_table_privilege(c.confrelid, 'SELECT')
            LIMIT 1""";

    /**
     * Asks the database.
     *
     * @param quoted the table, as SQL names it
     * @throws SQLException also if the table lacks a column, or its ids have no sequence
     */
    static EventsTable of(Connection connection, String quoted) throws SQLException {
        Map<String, String> types = types(connection, quoted);
        for (String column : COLUMNS) {
            if (!types.containsKey(column)) {
                throw new SQLException(
                        "The table " + quoted + " has no column " + column, PSQLState.UNDEFINED_COLUMN.getState());
            }
        }
        return new EventsTable(
                IdForm.ofColumn(types.get(CONTENT_ID)),
                IdForm.ofColumn(types.get("user_id")),
                sequence(connection, quoted),
                insert(quoted, types),
                missingContents(connection, quoted, types.get(CONTENT_ID)));
    }

    private static Map<String, String> types(Connection connection, String quoted) throws SQLException {
        Map<String, String> types = new HashMap<>();
        try (PreparedStatement statement = connection.prepareStatement(TYPES)) {
            statement.setString(1, quoted);
            try (ResultSet column = statement.executeQuery()) {
                while (column.next()) {
                    types.put(column.getString(1), column.getString(2));
                }
            }
        }
        return types;
    }

    private static String sequence(Connection connection, String quoted) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(SEQUENCE)) {
            statement.setString(1, quoted);
            statement.setString(2, quoted);
            try (ResultSet row = statement.executeQuery()) {
                String sequence = row.next() ? row.getString(1) : null;
                if (sequence == null) {
                    throw new SQLException(
                            "The column id of " + quoted + " takes its numbers from no sequence",
                            PSQLState.UNDEFINED_OBJECT.getState());
                }
                return sequence;
            }
        }
    }

    private static String insert(String quoted, Map<String, String> types) {
        String names = String.join(", ", COLUMNS);
        String values = COLUMNS.stream()
                .map(column -> "CAST(e." + column + " AS " + types.get(column) + ")")
                .collect(Collectors.joining(", "));
        String texts = COLUMNS.stream().map(column -> "CAST(? AS text[])").collect(Collectors.joining(", "));
        // The ids are known before, as those who are answered with them are written in the same transaction.
        return "INSERT INTO " + quoted + " (id, " + names + ") OVERRIDING SYSTEM VALUE SELECT e.id, " + values
                + " FROM unnest(CAST(? AS bigint[]), " + texts + ") AS e (id, " + names + ")";
    }

    private static @Nullable String missingContents(Connection connection, String quoted, String type)
            throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(CONTENTS)) {
            statement.setString(1, quoted);
            try (ResultSet row = statement.executeQuery()) {
                return row.next()
                        ? "SELECT asked.id FROM unnest(CAST(? AS text[])) AS asked (id) WHERE NOT EXISTS (SELECT FROM "
                                + row.getString(1) + " AS held WHERE held." + row.getString(2) + " = CAST(asked.id AS "
                                + type + "))"
                        : null;
            }
        }
    }
}
