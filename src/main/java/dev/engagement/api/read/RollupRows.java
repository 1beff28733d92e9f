package dev.engagement.api.read;

import dev.engagement.rollup.definition.KeyPart;
import dev.engagement.rollup.definition.Measure;
import dev.engagement.rollup.definition.RollupDefinition;
import java.math.BigDecimal;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The rows of the rollups' tables. Names of tables and columns are from definitions, which hold lower-case letters,
 * digits and underscores alone, and are quoted all the same; everything else is a parameter of a prepared statement.
 */
final class RollupRows {

    private final PostgresStore postgres;

    RollupRows(PostgresStore postgres) {
        this.postgres = postgres;
    }

    /**
     * Which rows.
     *
     * @param key the parts of the key; null: all keys
     * @param from the first window begins then or later; null: the first of the table
     * @param before the last one begins before
     * @param endedBy and has ended by then
     * @param behind the last one of the answer before; null: from the newest
     * @param limit how many at most
     */
    record Range(
            @Nullable List<String> key,
            @Nullable Instant from,
            Instant before,
            Instant endedBy,
            @Nullable WindowCursor behind,
            int limit) {}

    private record Sum(String contentId, long events) {}

    /** Rows of windows that have ended, the newest window first, its keys in the order of their characters. */
    List<RollupWindow> rows(RollupDefinition definition, Range range) throws UnavailableException {
        List<Object> values = new ArrayList<>();
        String sql = select(definition) + where(definition, range, values) + order(definition, range) + " LIMIT ?";
        values.add(range.limit());
        return postgres.query(sql, values, row -> window(row, definition));
    }

    private static String select(RollupDefinition definition) {
        List<String> columns = new ArrayList<>();
        columns.add(millis(quote(RollupDefinition.WINDOW_START)));
        columns.add(millis(quote(RollupDefinition.WINDOW_END)));
        definition.eventKey().forEach(part -> columns.add(quote(part.column())));
        definition.measures().forEach(measure -> columns.add(quote(measure.column())));
        columns.add(definition.countsUsers() ? quote(RollupDefinition.UNIQUE_USERS_EXACT) : "true");
        return "SELECT " + String.join(", ", columns) + " FROM " + quote(definition.table());
    }

    private static String where(RollupDefinition definition, Range range, List<Object> values) {
        String start = quote(RollupDefinition.WINDOW_START);
        StringBuilder where = new StringBuilder(" WHERE ").append(start).append(" < ?");
        values.add(time(range.before()));
        if (range.from() != null) {
            where.append(" AND ").append(start).append(" >= ?");
            values.add(time(range.from()));
        }
        where.append(" AND ").append(quote(RollupDefinition.WINDOW_END)).append(" <= ?");
        values.add(time(range.endedBy()));
        if (definition.hasWindowSize()) {
            where.append(" AND ").append(quote(RollupDefinition.WINDOW_SIZE)).append(" = ?");
            values.add(definition.windowSizeText());
        }
        List<String> key = range.key();
        if (key != null) {
            List<KeyPart> parts = definition.eventKey();
            for (int i = 0; i < parts.size(); i++) {
                where.append(" AND ").append(quote(parts.get(i).column())).append(" = ?");
                values.add(key.get(i));
            }
        }
        if (range.behind() != null) {
            behind(definition, range.behind(), where, values);
        }
        return where.toString();
    }

    private static void behind(
            RollupDefinition definition, WindowCursor cursor, StringBuilder where, List<Object> values) {
        String start = quote(RollupDefinition.WINDOW_START);
        OffsetDateTime time = time(Instant.ofEpochMilli(cursor.startMillis()));
        if (cursor.key().isEmpty()) {
            where.append(" AND ").append(start).append(" < ?");
            values.add(time);
            return;
        }
        where.append(" AND ").append(start).append(" <= ? AND (").append(start).append(" < ? OR (");
        where.append(collated(definition)).append(") > (");
        where.append("?, ".repeat(cursor.key().size() - 1)).append("?))");
        values.add(time);
        values.add(time);
        values.addAll(cursor.key());
    }

    private static String order(RollupDefinition definition, Range range) {
        boolean isOneKey = range.key() != null || definition.eventKey().isEmpty();
        return " ORDER BY " + quote(RollupDefinition.WINDOW_START) + " DESC"
                + (isOneKey ? "" : ", " + collated(definition));
    }

    /** By code points, whatever the database's language is. */
    private static String collated(RollupDefinition definition) {
        return definition.eventKey().stream()
                .map(part -> quote(part.column()) + " COLLATE \"C\"")
                .collect(Collectors.joining(", "));
    }

    private static RollupWindow window(ResultSet row, RollupDefinition definition) throws SQLException {
        int column = 1;
        long start = row.getLong(column++);
        long end = row.getLong(column++);
        List<String> key = new ArrayList<>();
        for (int i = 0; i < definition.eventKey().size(); i++) {
            key.add(row.getString(column++));
        }
        List<@Nullable BigDecimal> values = new ArrayList<>();
        for (Measure measure : definition.measures()) {
            values.add(value(row, column++, measure));
        }
        return new RollupWindow(start, end, key, values, row.getBoolean(column));
    }

    private static @Nullable BigDecimal value(ResultSet row, int column, Measure measure) throws SQLException {
        if (!measure.function().isWhole()) {
            return row.getBigDecimal(column);
        }
        long whole = row.getLong(column);
        return row.wasNull() ? null : BigDecimal.valueOf(whole);
    }

    /**
     * Sums of a number of events by content, over windows that do not overlap.
     *
     * @param definition by content alone
     * @param column of a measure that is a number of events
     * @param fromMillis the first window's start
     * @param toMillis behind the last window
     * @return by content id, without those that have no row; null if there is no row of any content
     */
    @Nullable
    Map<String, Long> sums(
            RollupDefinition definition, String column, long fromMillis, long toMillis, List<String> contentIds)
            throws UnavailableException {
        String start = quote(RollupDefinition.WINDOW_START);
        List<Object> range = new ArrayList<>();
        StringBuilder where = new StringBuilder(" FROM ").append(quote(definition.table()));
        where.append(" WHERE ").append(start).append(" >= ? AND ").append(start).append(" < ?");
        range.add(time(Instant.ofEpochMilli(fromMillis)));
        range.add(time(Instant.ofEpochMilli(toMillis)));
        if (definition.hasWindowSize()) {
            where.append(" AND ").append(quote(RollupDefinition.WINDOW_SIZE)).append(" = ?");
            range.add(definition.windowSizeText());
        }
        if (postgres.query("SELECT 1" + where + " LIMIT 1", range, row -> row.getInt(1))
                .isEmpty()) {
            return null;
        }
        String content = quote(definition.eventKey().get(0).column());
        List<Object> values = new ArrayList<>(range);
        values.add(definition.windowMillis());
        values.add(contentIds);
        String sql = "SELECT " + content + ", sum(" + quote(column) + ")::bigint" + where + " AND " + millis(start)
                + " % ? = 0 AND " + content + " = ANY (?) GROUP BY " + content;
        Map<String, Long> sums = new HashMap<>();
        for (Sum sum : postgres.query(sql, values, row -> new Sum(row.getString(1), row.getLong(2)))) {
            sums.put(sum.contentId(), sum.events());
        }
        return sums;
    }

    private static OffsetDateTime time(Instant time) {
        return time.atOffset(ZoneOffset.UTC);
    }

    private static String millis(String time) {
        return "(extract(epoch FROM " + time + ") * 1000)::bigint";
    }

    /** A name as it stands in SQL. */
    static String quote(String name) {
        return '"' + name.replace("\"", "\"\"") + '"';
    }
}
