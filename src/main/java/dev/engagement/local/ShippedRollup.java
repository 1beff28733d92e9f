package dev.engagement.local;

import java.util.List;
import java.util.stream.Collectors;

/** A rollup that comes with the job, told once more in plain SQL: what {@link RollupCheck} compares with. */
enum ShippedRollup {
    METRICS_30S(
            "metrics_30s",
            "metrics",
            "30s",
            30,
            10,
            "TRUE",
            DependsOn.NOTHING,
            List.of(key("event_type", "event_type")),
            List.of(
                    number("count", "count(*)"),
                    number("total_value", "coalesce(sum(payload_value), 0)"),
                    users("unique_users", "TRUE")),
            "count(*) - count(payload_value)"),
    CONTENT_VIEWS(
            "content_views",
            "content_view_window",
            "",
            120,
            120,
            "event_type = 'play'",
            DependsOn.NOTHING,
            List.of(key("content_id", "content_id::text")),
            List.of(number("view_count", "count(*)")),
            "0"),
    CATEGORY_ACTIVITY(
            "category_activity",
            "category_activity_window",
            "",
            120,
            120,
            "TRUE",
            DependsOn.CONTENT_TYPE,
            List.of(key("category", "coalesce(content_type, '')")),
            List.of(number("event_count", "count(*)")),
            "0"),
    CATEGORY_REVENUE(
            "category_revenue",
            "category_revenue_window",
            "",
            120,
            120,
            "TRUE",
            DependsOn.CONTENT_TYPE,
            List.of(key("category", "coalesce(content_type, '')")),
            List.of(number("total_revenue", "coalesce(sum(payload_price), 0)")),
            "count(*) - count(payload_price)"),
    AUDIENCE(
            "audience",
            "content_audience",
            "",
            300,
            30,
            "TRUE",
            DependsOn.NOTHING,
            List.of(key("content_id", "content_id::text")),
            List.of(users("active_users", "TRUE"), number("seconds", "coalesce(sum(duration_ms), 0)::numeric / 1000")),
            "0"),
    COMPLETION(
            "completion",
            "content_completion",
            "",
            3_600,
            3_600,
            "TRUE",
            DependsOn.LENGTH,
            List.of(key("content_id", "content_id::text")),
            List.of(
                    users("started", "event_type = 'play'"),
                    users("reached_25", reached(25)),
                    users("reached_50", reached(50)),
                    users("reached_75", reached(75)),
                    users("finished", "event_type = 'finish'")),
            "0"),
    HOURLY(
            "hourly",
            "engagement_hourly",
            "",
            3_600,
            3_600,
            "TRUE",
            DependsOn.CONTENT_TYPE,
            List.of(key("content_type", "coalesce(content_type, '')"), key("device", "coalesce(device, '')")),
            List.of(
                    number("count", "count(*)"),
                    number("seconds", "coalesce(sum(duration_ms), 0)::numeric / 1000"),
                    users("unique_users", "TRUE")),
            "0");

    /** What of a content its numbers depend on: an event counts by the content as it was. */
    enum DependsOn {
        NOTHING,
        CONTENT_TYPE,
        LENGTH
    }

    /** A part of the key, as SQL over an event. */
    record Part(String column, String sql) {}

    /**
     * A number, as SQL over the events of a cell.
     *
     * @param isUsers whether it counts users, and may be an estimate
     */
    record Measure(String column, String sql, boolean isUsers) {}

    /**
     * SQL: every event that counts, with what any rollup asks of it. A field of the payload counts if it is a number, or a
     * string that is a plain one, of at most 20 digits before the point and 18 behind it.
     */
    private static final String EVENTS = """
            SELECT e.content_id, e.user_id, e.event_type, e.device, e.duration_ms, c.content_type, c.length_seconds,
              (extract(epoch FROM e.event_ts) * 1000000)::bigint AS micros,
              %s AS payload_value, %s AS payload_price
            FROM engagement_events e JOIN content c ON c.id = e.content_id
            WHERE %s""".formatted(numberIn("value"), numberIn("price"), KeyCheck.TIMELY);

    private final String rollup;
    private final String table;
    private final String windowSize;
    private final long windowMillis;
    private final long slideMillis;
    private final String where;
    private final DependsOn dependsOn;
    private final List<Part> key;
    private final List<Measure> measures;
    private final String skipped;

    /**
     * @param windowSize the constant of the column {@code window_size}; empty if the table has none
     * @param where which events, as SQL
     * @param skipped how many values no measure could use, as SQL over the events of a cell
     */
    ShippedRollup(
            String rollup,
            String table,
            String windowSize,
            int windowSeconds,
            int slideSeconds,
            String where,
            DependsOn dependsOn,
            List<Part> key,
            List<Measure> measures,
            String skipped) {
        this.rollup = rollup;
        this.table = table;
        this.windowSize = windowSize;
        this.windowMillis = windowSeconds * 1_000L;
        this.slideMillis = slideSeconds * 1_000L;
        this.where = where;
        this.dependsOn = dependsOn;
        this.key = key;
        this.measures = measures;
        this.skipped = skipped;
    }

    private static Part key(String column, String sql) {
        return new Part(column, sql);
    }

    private static Measure number(String column, String sql) {
        return new Measure(column, sql, false);
    }

    private static Measure users(String column, String condition) {
        return new Measure(column, "count(DISTINCT user_id) FILTER (WHERE " + condition + ")", true);
    }

    /** By the exact quotient, in whole numbers: no division rounds. */
    private static String reached(int percent) {
        return "length_seconds > 0 AND duration_ms::numeric * 100 >= length_seconds::numeric * 1000 * " + percent;
    }

    private static String numberIn(String field) {
        return """
                (SELECT CASE WHEN abs(n) < 1e20 AND scale(trim_scale(n)) <= 18 THEN n END
                 FROM (SELECT CASE
                   WHEN length(e.raw_payload ->> '%1$s') > 100 THEN NULL
                   WHEN jsonb_typeof(e.raw_payload -> '%1$s') = 'number'
                     OR jsonb_typeof(e.raw_payload -> '%1$s') = 'string'
                       AND e.raw_payload ->> '%1$s' ~ '^-?[0-9]+([.][0-9]+)?$'
                   THEN (e.raw_payload ->> '%1$s')::numeric END AS n) number)""".formatted(field);
    }

    /** Its name. */
    String rollup() {
        return rollup;
    }

    /** Its table in PostgreSQL. */
    String table() {
        return table;
    }

    /** The column {@code window_size}, empty if there is none. */
    String windowSize() {
        return windowSize;
    }

    long windowMillis() {
        return windowMillis;
    }

    DependsOn dependsOn() {
        return dependsOn;
    }

    List<Part> key() {
        return key;
    }

    List<Measure> measures() {
        return measures;
    }

    /** Whether it says of its users whether they were counted or estimated. */
    boolean countsUsers() {
        return measures.stream().anyMatch(Measure::isUsers);
    }

    /** What the names of its sorted sets in Redis begin with. */
    String shownAs() {
        return windowSize.isEmpty() ? "rollup:" + rollup + ":" : "metric:";
    }

    /** What they end with, behind the key. */
    String shownWith() {
        return windowSize.isEmpty() ? "" : ":" + windowSize;
    }

    /**
     * SQL: each cell that has events, by the source. Columns: {@code start}, milliseconds since the epoch; {@code newest},
     * microseconds of its newest event; {@code uncertain}, whether an event is of one of the contents of the one parameter,
     * an array; the key; the measures; {@code skipped}.
     */
    String cellsBySource() {
        String keys =
                key.stream().map(part -> part.sql() + " AS " + part.column()).collect(Collectors.joining(", "));
        String numbers = measures.stream()
                .map(measure -> measure.sql() + " AS " + measure.column())
                .collect(Collectors.joining(", "));
        String places = key.stream().map(Part::sql).collect(Collectors.joining(", "));
        return """
                SELECT (e.micros / %1$d - back.n) * %2$d AS start, max(e.micros) AS newest,
                  bool_or(e.content_id = ANY (?)) AS uncertain, %3$s, %4$s, %5$s AS skipped
                FROM (%6$s) e CROSS JOIN generate_series(0, %7$d) AS back(n)
                WHERE %8$s
                GROUP BY (e.micros / %1$d - back.n) * %2$d, %9$s""".formatted(
                        slideMillis * 1_000,
                        slideMillis,
                        keys,
                        numbers,
                        skipped,
                        EVENTS,
                        windowMillis / slideMillis - 1,
                        where,
                        places);
    }

    /** SQL: each row of the table. Columns: {@code start} and {@code ends}, milliseconds since the epoch, then as above. */
    String rowsOfTable() {
        return """
                SELECT (extract(epoch FROM window_start) * 1000)::bigint AS start,
                  (extract(epoch FROM window_end) * 1000)::bigint AS ends, %s, %s, %s AS exact, skipped
                FROM %s WHERE %s""".formatted(
                        key.stream().map(Part::column).collect(Collectors.joining(", ")),
                        measures.stream().map(Measure::column).collect(Collectors.joining(", ")),
                        countsUsers() ? "unique_users_exact" : "TRUE",
                        table,
                        windowSize.isEmpty() ? "TRUE" : "window_size = '" + windowSize + "'");
    }
}
