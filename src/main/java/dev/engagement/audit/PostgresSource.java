package dev.engagement.audit;

import dev.engagement.connection.PostgresConnection;
import dev.engagement.connection.ReadRight;
import dev.engagement.connection.TimeIndex;
import dev.engagement.event.EventId;
import dev.engagement.event.EventIdKind;
import dev.engagement.event.EventIdNumbers;
import dev.engagement.event.Integers;
import dev.engagement.event.Timestamps;
import java.io.IOException;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The table of events in PostgreSQL, over one connection that may only read. Each answer sees one state of the table. */
final class PostgresSource implements Source, AutoCloseable {

    /** A cursor waits while another store answers, and a look at a large table takes its time. */
    private static final String SESSION =
            "-c default_transaction_read_only=on -c idle_in_transaction_session_timeout=0 -c statement_timeout=0";

    private static final int FETCH_ROWS = 10_000;
    private static final int BATCH = 10_000;
    /** From here on it is cheaper to read the ids between the lowest and the highest. */
    private static final int MANY = 200_000;

    private static final Pattern UUID = Pattern.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}");
    /** As PostgreSQL writes them. */
    private static final Pattern INTEGER = Pattern.compile("0|-?[1-9][0-9]*");

    private static final Pattern PLAN_ROWS = Pattern.compile("\"Plan Rows\": (\\d+)");

    private static final String MICROS = "(extract(epoch FROM event_ts) * 1000000)::bigint";

    private final Connection connection;
    private final String server;
    /** The table, or what is published of it. */
    private final String table;

    private final String whole;
    private final List<String> notes;
    private final EventIdNumbers numbers;

    private PostgresSource(
            Connection connection, String server, String whole, Published published, EventIdNumbers numbers) {
        this.numbers = numbers;
        this.connection = connection;
        this.server = server;
        this.table = published.relation();
        this.whole = whole;
        this.notes = published.notes();
    }

    /** For ids that are numbers. */
    static PostgresSource connect(AuditOptions.Database database) throws IOException {
        return connect(database, new EventIdNumbers(EventIdKind.LONG));
    }

    /**
     * Connects; the password is read now.
     *
     * @param numbers of the ids of events
     * @throws IOException if PostgreSQL does not answer, or refuses
     */
    static PostgresSource connect(AuditOptions.Database database, EventIdNumbers numbers) throws IOException {
        PostgresConnection postgres = database.postgres();
        String server = "PostgreSQL at " + postgres.jdbcUrl();
        String table = quote(database.schema()) + '.' + quote(database.table());
        Connection connection = null;
        try {
            connection = postgres.open("engagement-audit", PostgresConnection.ANY_TIME, Map.of("options", SESSION));
            try (Statement statement = connection.createStatement()) {
                // The driver asked for this JVM's zone; a time without a zone is one in UTC.
                statement.execute("SET TIME ZONE 'UTC'");
            }
            // With fetch sizes the driver reads by cursor, which lives in a transaction.
            connection.setAutoCommit(false);
            requireReadable(connection, table);
            Published published = Published.of(connection, table, database.publication());
            connection.commit();
            return new PostgresSource(connection, server, table, published, numbers);
        } catch (IOException e) {
            close(connection);
            throw e;
        } catch (SQLException e) {
            close(connection);
            if (ReadRight.isMissing(e)) {
                throw new IOException(ReadRight.message(postgres, table, e), e);
            }
            throw new IOException(
                    server + " cannot be read as " + postgres.username() + " (" + postgres.password() + "): "
                            + String.valueOf(e.getMessage()).replaceAll("\\.+$", "")
                            + ". Check postgres.url, postgres.username and the password",
                    e);
        }
    }

    /** At once, and not when the other stores have been asked. */
    private static void requireReadable(Connection connection, String table) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("SELECT FROM " + table + " LIMIT 0");
        } catch (SQLException e) {
            if (ReadRight.isMissing(e)) {
                throw e;
            }
            // What else is wrong with it is said where it is asked.
            connection.rollback();
        }
    }

    private static void close(@Nullable Connection connection) {
        if (connection != null) {
            try {
                connection.close();
            } catch (SQLException e) {
                throw new IllegalStateException("A connection to PostgreSQL cannot be closed", e);
            }
        }
    }

    @Override
    public SortedMap<Long, MinuteTotals> minutes(Range range) throws IOException {
        SortedMap<Long, MinuteTotals> minutes = new TreeMap<>();
        String sql = "SELECT floor(extract(epoch FROM minute) / 60)::bigint, rows, durations, fingerprint FROM (SELECT"
                + " date_trunc('minute', event_ts AT TIME ZONE 'UTC') AS minute, count(*) AS rows, coalesce(sum(duration_ms), 0) AS durations, "
                + Fingerprint.inPostgres("id") + " AS fingerprint FROM " + table
                + " WHERE event_ts >= ? AND event_ts < ? GROUP BY 1) AS by_minute";
        query(sql, List.of(time(range.fromMicros()), time(range.toMicros())), row -> {
            long rows = row.getLong(2);
            minutes.put(
                    row.getLong(1),
                    new MinuteTotals(
                            rows, rows, row.getLong(3), row.getBigDecimal(4).toBigIntegerExact()));
        });
        return minutes;
    }

    /** By a cursor, whose transaction sees one state; others wait until it is closed. */
    @Override
    public Rows open(List<Range> ranges) throws IOException {
        Range all = new Range(
                ranges.get(0).fromMicros(), ranges.get(ranges.size() - 1).toMicros());
        List<Object> arguments = new ArrayList<>(List.of(time(all.fromMicros()), time(all.toMicros())));
        String parts = "";
        if (ranges.size() > 1) {
            parts = ranges.stream()
                    .map(range -> "event_ts >= ? AND event_ts < ?")
                    .collect(Collectors.joining(" OR ", " AND (", ")"));
            for (Range range : ranges) {
                arguments.add(time(range.fromMicros()));
                arguments.add(time(range.toMicros()));
            }
        }
        // Texts by their bytes, as the warehouse has them in order, whatever the database's collation is.
        String order = isText() ? "id::text COLLATE \"C\"" : "id";
        String sql = "SELECT " + id() + ", " + MICROS + ", duration_ms FROM " + table
                + " WHERE event_ts >= ? AND event_ts < ?" + parts + " ORDER BY " + order;
        try {
            PreparedStatement statement = connection.prepareStatement(sql);
            try {
                bind(statement, arguments);
                return new Cursor(statement, statement.executeQuery());
            } catch (SQLException e) {
                statement.close();
                throw e;
            }
        } catch (SQLException e) {
            throw failed(e);
        }
    }

    private final class Cursor implements Rows {

        private final PreparedStatement statement;
        private final ResultSet rows;

        Cursor(PreparedStatement statement, ResultSet rows) {
            this.statement = statement;
            this.rows = rows;
        }

        @Override
        public @Nullable Row next() throws IOException {
            try {
                if (!rows.next()) {
                    return null;
                }
                BigDecimal duration = rows.getBigDecimal(3);
                return new Row(id(rows, 1), rows.getLong(2), duration == null ? null : duration.longValueExact(), 1);
            } catch (SQLException e) {
                throw failed(e);
            }
        }

        @Override
        public void close() throws IOException {
            try {
                statement.close();
                connection.rollback();
            } catch (SQLException e) {
                throw failed(e);
            }
        }
    }

    private boolean isText() {
        return numbers.kind() == EventIdKind.TEXT;
    }

    private String id() {
        return isText() ? "id::text" : "id";
    }

    private long id(ResultSet row, int column) throws SQLException {
        return isText() ? numbers.of(EventId.of(row.getString(column))) : row.getLong(column);
    }

    @Override
    public EventIdNumbers numbers() {
        return numbers;
    }

    @Override
    public List<String> notes() {
        return notes;
    }

    @Override
    public Map<Long, Long> times(List<Long> ids, Range range) throws IOException {
        Map<Long, Long> times = new HashMap<>();
        OfValues of = ofIds(ids);
        query(
                "SELECT " + id() + ", " + MICROS + " FROM " + table + " WHERE " + of.condition()
                        + " AND event_ts >= ? AND event_ts < ?",
                List.of(of.argument(), time(range.fromMicros()), time(range.toMicros())),
                row -> times.put(id(row, 1), row.getLong(2)));
        return times;
    }

    @Override
    public void idsOfContents(Collection<String> contentIds, EachOfContent each) throws IOException {
        OfValues of = ofTexts("content_id", contentIds);
        query(
                "SELECT content_id::text, " + id() + " FROM " + table + " WHERE " + of.condition(),
                List.of(of.argument()),
                row -> each.take(row.getString(1), id(row, 2)));
    }

    /** What is said of some values: in the column's own type, as an index of it is of no use for its text. */
    private record OfValues(String condition, Object argument) {}

    private OfValues ofIds(Collection<Long> ids) throws IOException {
        return isText()
                ? ofTexts(
                        "id", ids.stream().map(id -> numbers.id(id).toString()).toList())
                : new OfValues("id = ANY (?)", ids.toArray(Long[]::new));
    }

    private OfValues ofTexts(String column, Collection<String> texts) throws IOException {
        // Of an empty table nothing is known, and nothing found.
        String[] type = {""};
        query(
                "SELECT pg_typeof(" + column + ")::text FROM (SELECT " + column + " FROM " + table + " LIMIT 1) AS one",
                List.of(),
                row -> type[0] = row.getString(1));
        String own = type[0];
        Collection<String> valid = texts;
        switch (own) {
            case "uuid" ->
                valid = texts.stream().filter(id -> UUID.matcher(id).matches()).toList();
            case "bigint" ->
                valid = texts.stream()
                        .filter(id -> INTEGER.matcher(id).matches()
                                && Integers.parse(id).isPresent())
                        .toList();
            case "text", "character varying" -> own = "text";
            default -> {
                return new OfValues(column + "::text = ANY (?)", texts.toArray(String[]::new));
            }
        }
        return new OfValues(column + " = ANY (?::" + own + "[])", valid.toArray(String[]::new));
    }

    /** How many rows the planner expects in a range: an estimate that costs nothing. */
    long estimatedRows(Range range) throws IOException {
        StringBuilder plan = new StringBuilder();
        query(
                "EXPLAIN (FORMAT JSON) SELECT 1 FROM " + table + " WHERE event_ts >= ? AND event_ts < ?",
                List.of(time(range.fromMicros()), time(range.toMicros())),
                row -> plan.append(row.getString(1)));
        Matcher rows = PLAN_ROWS.matcher(plan);
        return rows.find() ? Long.parseLong(rows.group(1)) : 0;
    }

    /** By what rows of a range are found. */
    TimeIndex timeIndex() throws IOException {
        try {
            TimeIndex index = TimeIndex.of(connection, whole);
            connection.commit();
            return index;
        } catch (SQLException e) {
            throw failed(e);
        }
    }

    @Override
    public void ids(Range range, LongConsumer each) throws IOException {
        query(
                "SELECT " + id() + " FROM " + table + " WHERE event_ts >= ? AND event_ts < ?",
                List.of(time(range.fromMicros()), time(range.toMicros())),
                row -> each.accept(id(row, 1)));
    }

    @Override
    public IdSet existing(IdSet ids) throws IOException {
        IdSet existing = new IdSet();
        if (ids.size() > MANY && !isText()) {
            query(
                    "SELECT id FROM " + table + " WHERE id BETWEEN ? AND ?",
                    List.of(ids.first(1).get(0), ids.last()),
                    row -> {
                        if (ids.contains(row.getLong(1))) {
                            existing.add(row.getLong(1));
                        }
                    });
        } else {
            for (List<Long> batch : ids.batches(BATCH)) {
                OfValues of = ofIds(batch);
                query(
                        "SELECT " + id() + " FROM " + table + " WHERE " + of.condition(),
                        List.of(of.argument()),
                        row -> existing.add(id(row, 1)));
            }
        }
        return existing;
    }

    @Override
    public Map<String, Long> eventsByContent() throws IOException {
        Map<String, Long> events = new HashMap<>();
        query(
                "SELECT content_id::text, count(*) FROM " + table + " WHERE content_id IS NOT NULL GROUP BY content_id",
                List.of(),
                row -> events.put(row.getString(1), row.getLong(2)));
        return events;
    }

    @Override
    public Map<String, Long> eventsByContent(Collection<String> contentIds) throws IOException {
        Map<String, Long> events = new HashMap<>();
        OfValues of = ofTexts("content_id", contentIds);
        query(
                "SELECT content_id::text, count(*) FROM " + table + " WHERE " + of.condition() + " GROUP BY content_id",
                List.of(of.argument()),
                row -> events.put(row.getString(1), row.getLong(2)));
        return events;
    }

    /** Takes one row. */
    @FunctionalInterface
    private interface Each {
        void take(ResultSet row) throws SQLException;
    }

    private void query(String sql, List<Object> arguments, Each each) throws IOException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            bind(statement, arguments);
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    each.take(rows);
                }
            }
            // The next one sees a newer state, and vacuum is not held up.
            connection.commit();
        } catch (SQLException e) {
            throw failed(e);
        }
    }

    private void bind(PreparedStatement statement, List<Object> arguments) throws SQLException {
        statement.setFetchSize(FETCH_ROWS);
        for (int i = 0; i < arguments.size(); i++) {
            Object argument = arguments.get(i);
            if (argument instanceof Long[] ids) {
                statement.setArray(i + 1, connection.createArrayOf("bigint", ids));
            } else if (argument instanceof String[] texts) {
                statement.setArray(i + 1, connection.createArrayOf("text", texts));
            } else {
                statement.setObject(i + 1, argument);
            }
        }
    }

    private IOException failed(SQLException e) {
        return new IOException(server + " does not answer what " + whole + " holds: " + e.getMessage(), e);
    }

    private static Object time(long micros) {
        return Instant.EPOCH
                .plus(Math.min(micros, Timestamps.MAX_MICROS), ChronoUnit.MICROS)
                .atOffset(ZoneOffset.UTC);
    }

    private static String quote(String name) {
        return '"' + name.replace("\"", "\"\"") + '"';
    }

    @Override
    public void close() {
        close(connection);
    }
}
