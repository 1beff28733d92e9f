package dev.engagement.audit;

import dev.engagement.event.EventId;
import dev.engagement.event.EventIdKind;
import dev.engagement.event.EventIdNumbers;
import dev.engagement.event.Timestamps;
import dev.engagement.warehouse.WarehouseOptions;
import dev.engagement.warehouse.WarehouseQuery;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The warehouse's table, asked in GoogleSQL. Every question says which event_ts it reads, so that it costs as little. */
final class WarehouseRows implements RowStore {

    private static final int MAX_IN_STATEMENT = 10_000;

    private final WarehouseQuery queries;
    private final String table;
    private final EventIdNumbers numbers;

    WarehouseRows(WarehouseOptions options, EventIdNumbers numbers) {
        this.numbers = numbers;
        this.queries = new WarehouseQuery(options);
        this.table = "`" + options.project() + "." + options.dataset() + "." + options.table() + "`";
    }

    @Override
    public SortedMap<Long, MinuteTotals> minutes(Range range) throws IOException {
        SortedMap<Long, MinuteTotals> minutes = new TreeMap<>();
        queries.run(
                minutesOf(range),
                row -> minutes.put(
                        Math.floorDiv(number(row, 0), 60L),
                        new MinuteTotals(
                                number(row, 1),
                                number(row, 2),
                                number(row, 3),
                                new BigDecimal(text(row, 4)).toBigIntegerExact())));
        return minutes;
    }

    private String minutesOf(Range range) {
        return "SELECT UNIX_SECONDS(TIMESTAMP_TRUNC(event_ts, MINUTE)) AS minute, COUNT(*) AS number,"
                + " COUNT(DISTINCT event_id) AS ids, COALESCE(SUM(duration_ms), 0) AS durations, "
                + Fingerprint.inBigQuery("event_id") + " AS fingerprint FROM " + table + " WHERE " + within(range)
                + " GROUP BY minute";
    }

    @Override
    public void rows(List<Range> ranges, EachRow each) throws IOException {
        try {
            queries.run(rowsOf(ranges), row -> {
                String duration = row.get(2);
                try {
                    each.take(new Row(
                            id(row, 0),
                            number(row, 1),
                            duration == null ? null : Long.valueOf(duration),
                            number(row, 3),
                            number(row, 4)));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private String rowsOf(List<Range> ranges) {
        Range all = new Range(
                ranges.get(0).fromMicros(), ranges.get(ranges.size() - 1).toMicros());
        return "SELECT event_id, MIN(UNIX_MICROS(event_ts)) AS micros, MIN(duration_ms) AS duration, COUNT(*) AS copies,"
                + " COALESCE(SUM(duration_ms), 0) AS durations FROM " + table + " WHERE " + within(all)
                + (ranges.size() == 1
                        ? ""
                        : ranges.stream()
                                .map(range -> within(range))
                                .collect(Collectors.joining(" OR ", " AND (", ")")))
                + " GROUP BY event_id ORDER BY event_id";
    }

    @Override
    public Map<Long, Long> times(List<Long> ids, Range range) throws IOException {
        Map<Long, Long> times = new HashMap<>();
        Set<Long> wanted = new HashSet<>(ids);
        // A statement has its bounds; beyond them all are read, which costs the same, and chosen here.
        String chosen = ids.size() > MAX_IN_STATEMENT
                ? ""
                : ids.stream().map(this::literal).collect(Collectors.joining(", ", " AND event_id IN (", ")"));
        queries.run(
                "SELECT event_id, MIN(UNIX_MICROS(event_ts)) AS micros FROM " + table + " WHERE " + within(range)
                        + chosen + " GROUP BY event_id",
                row -> {
                    long id = id(row, 0);
                    if (wanted.contains(id)) {
                        times.put(id, number(row, 1));
                    }
                });
        return times;
    }

    @Override
    public void idsOfContents(Collection<String> contentIds, EachOfContent each) throws IOException {
        queries.run(idsOf(contentIds), row -> each.take(text(row, 0), id(row, 1)));
    }

    private long id(List<@Nullable String> row, int column) {
        return numbers.kind() == EventIdKind.LONG ? number(row, column) : numbers.of(EventId.of(text(row, column)));
    }

    private String literal(Long id) {
        EventId of = numbers.id(id);
        return of.text() == null ? of.toString() : literal(of.text());
    }

    private String idsOf(Collection<String> contentIds) {
        return "SELECT content_id, event_id FROM " + table + " WHERE " + within(Range.ALWAYS) + " AND content_id IN ("
                + contentIds.stream().map(WarehouseRows::literal).collect(Collectors.joining(", ")) + ")";
    }

    /**
     * Bytes that BigQuery reads for the totals of a range, and once more for its rows if every minute differs.
     *
     * @throws IOException if BigQuery refuses, or does not answer in time
     */
    long bytesToRead(Range range) throws IOException {
        return queries.bytesToRead(minutesOf(range));
    }

    /** The same of the rows, if every minute differs. */
    long bytesOfRows(Range range) throws IOException {
        return queries.bytesToRead(rowsOf(List.of(range)));
    }

    /** Bytes that BigQuery reads to bear witness of counts, however many they are. */
    long bytesOfCounts() throws IOException {
        return queries.bytesToRead(idsOf(List.of("")));
    }

    private static String within(Range range) {
        return "event_ts >= TIMESTAMP '" + Timestamps.format(range.fromMicros()) + "' AND event_ts "
                + (range.toMicros() > Timestamps.MAX_MICROS
                        ? "<= TIMESTAMP '" + Timestamps.format(Timestamps.MAX_MICROS)
                        : "< TIMESTAMP '" + Timestamps.format(range.toMicros()))
                + "'";
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
