package dev.engagement.faults;

import dev.engagement.local.PostgresServer;
import dev.engagement.local.RedisServer;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.exceptions.JedisException;

/**
 * Rows of a content of its own, ten a second, and when each could be read in Redis: how recovery is measured. A row is
 * readable when the count holds it and everything committed before it, and {@code content:last} is it or a newer one.
 *
 * <p>It writes and reads around the proxies, on threads of its own. While a server is down it waits for it.
 */
final class Probe implements AutoCloseable {

    private static final String CONTENT = "00000000-0000-4000-8000-00000000beef";
    private static final String INSERT = "INSERT INTO engagement_events (content_id, event_type, event_ts) VALUES ('"
            + CONTENT + "', 'play', clock_timestamp()) RETURNING id";
    private static final long WRITE_MILLIS = 100;
    private static final long READ_MILLIS = 20;
    private static final String EVENT_ID = "{\"event_id\":";
    private static final int CALM_ROWS = 10;

    /** A row is fresh if it is readable that long after its commit: measured, and nothing is awaited or judged by it. */
    static final Duration FRESH = Duration.ofSeconds(1);

    /** A row; times are of {@code System.nanoTime}. */
    private static final class Row {
        private final long number;
        private final long id;
        private final long committedAt;
        private @Nullable Long readableAt;

        Row(long number, long id, long committedAt) {
            this.number = number;
            this.id = id;
            this.committedAt = committedAt;
        }

        /** Until it was readable, or until now if it is not yet. */
        long lateness(long now) {
            Long readable = readableAt;
            return (readable == null ? now : readable) - committedAt;
        }
    }

    /**
     * How rows fared after a moment.
     *
     * @param firstRow from that moment until a row committed after it was readable
     * @param fresh from that moment until the last row that was not fresh was readable; not before {@code firstRow}
     * @param worst from the commit until readable, of the slowest row
     */
    record Recovery(Duration firstRow, Duration fresh, Duration worst) {}

    private final PostgresServer postgres;
    private final RedisServer redis;
    private final List<Row> rows = new ArrayList<>();
    private int firstPending;
    private final ScheduledExecutorService writing = daemon("probe-writer");
    private final ScheduledExecutorService reading = daemon("probe-reader");
    private @Nullable Connection connection;
    private @Nullable Jedis jedis;
    private long written;
    private volatile boolean paused;

    private Probe(PostgresServer postgres, RedisServer redis) {
        this.postgres = postgres;
        this.redis = redis;
    }

    static Probe start(PostgresServer postgres, RedisServer redis) throws SQLException {
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement()) {
            statement.execute("INSERT INTO content (id, slug, title, content_type, publish_ts) VALUES ('" + CONTENT
                    + "', 'probe', 'Probe', 'video', now())");
        }
        Probe probe = new Probe(postgres, redis);
        var writes = probe.writing.scheduleAtFixedRate(probe::write, 0, WRITE_MILLIS, TimeUnit.MILLISECONDS);
        var reads = probe.reading.scheduleWithFixedDelay(probe::read, 0, READ_MILLIS, TimeUnit.MILLISECONDS);
        assert !writes.isDone() && !reads.isDone();
        return probe;
    }

    void pause() {
        paused = true;
    }

    void resume() {
        paused = false;
    }

    /** Whether enough rows that came after that moment are readable, and with them all that came before. */
    boolean isCalmAfter(long since) {
        return readableAfter(since) >= CALM_ROWS;
    }

    /**
     * Rows committed after that moment that can be read.
     *
     * @param since of {@code System.nanoTime}
     */
    synchronized int readableAfter(long since) {
        int readable = 0;
        for (int i = firstPending - 1; i >= 0 && rows.get(i).committedAt > since; i--) {
            readable++;
        }
        return readable;
    }

    /**
     * What happened to the rows around and after that moment.
     *
     * @param begin when the fault began; of {@code System.nanoTime}
     * @param since from when on recovery counts
     */
    synchronized Recovery recovery(long begin, long since) {
        long now = System.nanoTime();
        long worst = 0;
        long first = Long.MAX_VALUE;
        long fresh = 0;
        for (Row row : rows) {
            long lateness = row.lateness(now);
            long readable = row.committedAt + lateness;
            if (readable < begin) {
                continue;
            }
            worst = Math.max(worst, lateness);
            if (row.committedAt >= since) {
                first = Math.min(first, readable - since);
            }
            if (lateness > FRESH.toNanos()) {
                fresh = Math.max(fresh, readable - since);
            }
        }
        first = first == Long.MAX_VALUE ? now - since : first;
        return new Recovery(Duration.ofNanos(first), Duration.ofNanos(Math.max(fresh, first)), Duration.ofNanos(worst));
    }

    /** Rows that cannot be read yet, and since when the oldest waits, in words. */
    synchronized String pending() {
        if (firstPending == rows.size()) {
            return "every probe row is readable";
        }
        Row oldest = rows.get(firstPending);
        return (rows.size() - firstPending) + " of " + rows.size() + " probe rows are not readable, the oldest for "
                + TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - oldest.committedAt) + " ms: event "
                + oldest.id;
    }

    private void write() {
        if (paused) {
            return;
        }
        try {
            Connection open = connection;
            if (open == null) {
                open = postgres.connect();
                connection = open;
                // After a failure nobody knows whether the last commit took place.
                written = count(open);
            }
            try (PreparedStatement insert = open.prepareStatement(INSERT);
                    ResultSet result = insert.executeQuery()) {
                result.next();
                written++;
                add(new Row(written, result.getLong(1), System.nanoTime()));
            }
        } catch (SQLException down) {
            closeQuietly(connection);
            connection = null;
        }
    }

    private static long count(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(
                        "SELECT count(*) FROM engagement_events WHERE content_id = '" + CONTENT + "'")) {
            rows.next();
            return rows.getLong(1);
        }
    }

    private synchronized void add(Row row) {
        rows.add(row);
    }

    private void read() {
        try {
            Jedis open = jedis;
            if (open == null) {
                open = redis.connect();
                jedis = open;
            }
            List<String> values = open.mget("content:count:" + CONTENT, "content:last:" + CONTENT);
            String count = values.get(0);
            String last = values.get(1);
            if (count != null && last != null && last.startsWith(EVENT_ID)) {
                seen(Long.parseLong(count), Long.parseLong(last.substring(EVENT_ID.length(), last.indexOf(','))));
            }
        } catch (JedisException down) {
            closeQuietly(jedis);
            jedis = null;
        }
    }

    private synchronized void seen(long count, long lastId) {
        long now = System.nanoTime();
        while (firstPending < rows.size()
                && rows.get(firstPending).number <= count
                && rows.get(firstPending).id <= lastId) {
            rows.get(firstPending).readableAt = now;
            firstPending++;
        }
    }

    @Override
    public void close() {
        writing.shutdownNow();
        reading.shutdownNow();
        closeQuietly(connection);
        closeQuietly(jedis);
    }

    /** Of a connection that is not trusted any more. */
    private static void closeQuietly(@Nullable AutoCloseable broken) {
        if (broken != null) {
            try {
                broken.close();
            } catch (Exception alreadyGone) {
                assert !(alreadyGone instanceof InterruptedException) : alreadyGone;
            }
        }
    }

    private static ScheduledExecutorService daemon(String name) {
        return Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, name);
            thread.setDaemon(true);
            return thread;
        });
    }
}
