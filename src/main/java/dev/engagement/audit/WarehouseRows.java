package dev.engagement.audit;

import dev.engagement.event.Timestamps;
import dev.engagement.warehouse.WarehouseOptions;
import dev.engagement.warehouse.WarehouseQuery;
import java.io.IOException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The warehouse's table, asked in GoogleSQL. Every question says which event_ts it reads, so that it costs as little. */
final class WarehouseRows implements RowStore {

    private static final int BATCH = 10_000;

    private final WarehouseQuery queries;
    private final String table;

    WarehouseRows(WarehouseOptions options) {
        this.queries = new WarehouseQuery(options);
        this.table = "`" + options.project() + "." + options.dataset() + "." + options.table() + "`";
    }

    @Override
    public SortedMap<Long, MinuteTotals> minutes(Range range) throws IOException {
        SortedMap<Long, MinuteTotals> minutes = new TreeMap<>();
        String sql = "SELECT UNIX_SECONDS(TIMESTAMP_TRUNC(event_ts, MINUTE)) AS minute, COUNT(*) AS number,"
                + " COUNT(DISTINCT event_id) AS ids, COALESCE(SUM(duration_ms), 0) AS durations, "
                + Fingerprint.inBigQuery("event_id") + " AS fingerprint FROM " + table + " WHERE " + within(range)
                + " GROUP BY minute";
        queries.run(
                sql,
                row -> minutes.put(
                        Math.floorDiv(number(row, 0), 60L),
                        new MinuteTotals(
                                number(row, 1),
                                number(row, 2),
                                number(row, 3),
                                new BigDecimal(text(row, 4)).toBigIntegerExact())));
        return minutes;
    }

    @Override
    public List<Row> page(Range range, long after, int limit) throws IOException {
        List<Row> rows = new ArrayList<>();
        String sql = "SELECT event_id, MIN(UNIX_MICROS(event_ts)) AS micros, MIN(duration_ms) AS duration,"
                + " COUNT(*) AS copies FROM " + table + " WHERE " + within(range) + above(after)
                + " GROUP BY event_id ORDER BY event_id LIMIT " + limit;
        queries.run(sql, row -> {
            String duration = row.get(2);
            rows.add(new Row(
                    number(row, 0), number(row, 1), duration == null ? null : Long.valueOf(duration), number(row, 3)));
        });
        return rows;
    }

    @Override
    public Map<Long, Long> times(List<Long> ids, Range range) throws IOException {
        Map<Long, Long> times = new HashMap<>();
        for (int from = 0; from < ids.size(); from += BATCH) {
            String list = ids.subList(from, Math.min(ids.size(), from + BATCH)).stream()
                    .map(String::valueOf)
                    .collect(Collectors.joining(", "));
            queries.run(
                    "SELECT event_id, MIN(UNIX_MICROS(event_ts)) AS micros FROM " + table + " WHERE " + within(range)
                            + " AND event_id IN (" + list + ") GROUP BY event_id",
                    row -> times.put(number(row, 0), number(row, 1)));
        }
        return times;
    }

    @Override
    public List<Long> idsOfContent(String contentId, long after, int limit) throws IOException {
        List<Long> ids = new ArrayList<>();
        queries.run(
                "SELECT DISTINCT event_id FROM " + table + " WHERE " + within(Range.ALWAYS) + " AND content_id = "
                        + literal(contentId) + above(after) + " ORDER BY event_id LIMIT " + limit,
                row -> ids.add(number(row, 0)));
        return ids;
    }

    private static String within(Range range) {
        return "event_ts >= TIMESTAMP '" + Timestamps.format(range.fromMicros()) + "' AND event_ts "
                + (range.toMicros() > Timestamps.MAX_MICROS
                        ? "<= TIMESTAMP '" + Timestamps.format(Timestamps.MAX_MICROS)
                        : "< TIMESTAMP '" + Timestamps.format(range.toMicros()))
                + "'";
    }

    /** The lowest INT64 has no literal of its own. */
    private static String above(long id) {
        return id == Long.MIN_VALUE ? "" : " AND event_id > " + id;
    }

    private static String literal(String text) {
        StringBuilder literal = new StringBuilder("'");
        text.chars().forEach(c -> {
            if (c == '\'' || c == '\\') {
                literal.append('\\');
            }
            literal.append(
                    switch (c) {
                        case '\n' -> "\\n";
                        case '\r' -> "\\r";
                        default -> Character.toString((char) c);
                    });
        });
        return literal.append('\'').toString();
    }

    private static long number(List<@Nullable String> row, int column) {
        return Long.parseLong(text(row, column));
    }

    private static String text(List<@Nullable String> row, int column) {
        String text = row.get(column);
        if (text == null) {
            throw new IllegalStateException("BigQuery answers null where there is always a number");
        }
        return text;
    }
}
