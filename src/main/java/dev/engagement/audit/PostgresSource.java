package dev.engagement.audit;

import dev.engagement.connection.PostgresDriver;
import dev.engagement.event.Timestamps;
import java.io.IOException;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/** The table of events in PostgreSQL, over one connection that may only read. Each answer sees one state of the table. */
final class PostgresSource implements Source, AutoCloseable {

    private static final String CONNECT_SECONDS = "10";
    private static final int FETCH_ROWS = 10_000;
    private static final int BATCH = 10_000;
    /** From here on it is cheaper to read the ids between the lowest and the highest. */
    private static final int MANY = 200_000;

    private static final String MICROS = "(extract(epoch FROM event_ts) * 1000000)::bigint";

    private final Connection connection;
    private final String server;
    private final String table;

    private PostgresSource(Connection connection, String server, String table) {
        this.connection = connection;
        this.server = server;
        this.table = table;
    }

    /**
     * Connects; the password is read now.
     *
     * @throws IOException if PostgreSQL does not answer, or refuses
     */
    static PostgresSource connect(AuditOptions.Database database) throws IOException {
        Properties properties = new Properties();
        properties.setProperty("user", database.username());
        String password = database.password().read();
        if (password != null) {
            properties.setProperty("password", password);
        }
        properties.setProperty("connectTimeout", CONNECT_SECONDS);
        properties.setProperty("tcpKeepAlive", "true");
        properties.setProperty("ApplicationName", "engagement-audit");
        properties.setProperty("options", "-c default_transaction_read_only=on");
        String server = "PostgreSQL at " + database.jdbcUrl();
        String table = quote(database.schema()) + '.' + quote(database.table());
        Connection connection = null;
        try {
            connection = PostgresDriver.connect(database.jdbcUrl(), properties);
            // With fetch sizes the driver reads by cursor, which lives in a transaction.
            connection.setAutoCommit(false);
            return new PostgresSource(connection, server, table);
        } catch (SQLException e) {
            close(connection);
            throw new IOException(
                    server + " cannot be read as " + database.username() + " (" + database.password() + "): "
                            + String.valueOf(e.getMessage()).replaceAll("\\.+$", "")
                            + ". Check postgres.url, postgres.username and the password",
                    e);
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

    @Override
    public List<Row> page(Range range, long after, int limit) throws IOException {
        List<Row> rows = new ArrayList<>();
        String sql = "SELECT id, " + MICROS + ", duration_ms FROM " + table
                + " WHERE event_ts >= ? AND event_ts < ? AND id > ? ORDER BY id LIMIT " + limit;
        query(sql, List.of(time(range.fromMicros()), time(range.toMicros()), after), row -> {
            BigDecimal duration = row.getBigDecimal(3);
            rows.add(new Row(row.getLong(1), row.getLong(2), duration == null ? null : duration.longValueExact(), 1));
        });
        return rows;
    }

    @Override
    public Map<Long, Long> times(List<Long> ids, Range range) throws IOException {
        Map<Long, Long> times = new HashMap<>();
        query(
                "SELECT id, " + MICROS + " FROM " + table + " WHERE id = ANY (?) AND event_ts >= ? AND event_ts < ?",
                List.of(ids.toArray(Long[]::new), time(range.fromMicros()), time(range.toMicros())),
                row -> times.put(row.getLong(1), row.getLong(2)));
        return times;
    }

    @Override
    public List<Long> idsOfContent(String contentId, long after, int limit) throws IOException {
        List<Long> ids = new ArrayList<>();
        query(
                "SELECT id FROM " + table + " WHERE content_id::text = ? AND id > ? ORDER BY id LIMIT " + limit,
                List.of(contentId, after),
                row -> ids.add(row.getLong(1)));
        return ids;
    }

    @Override
    public void ids(Range range, LongConsumer each) throws IOException {
        query(
                "SELECT id FROM " + table + " WHERE event_ts >= ? AND event_ts < ?",
                List.of(time(range.fromMicros()), time(range.toMicros())),
                row -> each.accept(row.getLong(1)));
    }

    @Override
    public IdSet existing(IdSet ids) throws IOException {
        IdSet existing = new IdSet();
        if (ids.size() > MANY) {
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
                query(
                        "SELECT id FROM " + table + " WHERE id = ANY (?)",
                        List.of((Object) batch.toArray(Long[]::new)),
                        row -> existing.add(row.getLong(1)));
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
        query(
                "SELECT content_id::text, count(*) FROM " + table
                        + " WHERE content_id::text = ANY (?) GROUP BY content_id",
                List.of((Object) contentIds.toArray(String[]::new)),
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
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    each.take(rows);
                }
            }
            // The next one sees a newer state, and vacuum is not held up.
            connection.commit();
        } catch (SQLException e) {
            throw new IOException(server + " does not answer what " + table + " holds: " + e.getMessage(), e);
        }
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
