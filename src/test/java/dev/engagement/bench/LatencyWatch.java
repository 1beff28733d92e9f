package dev.engagement.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.engagement.liveview.LiveViewKeys;
import dev.engagement.ranking.RankingOptions;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Response;

/**
 * What has arrived of the rows that are due, told by readers that look again and again, each on a thread of its own: as a
 * reader of the destination would, and at the moment at which the answer is there.
 *
 * <ul>
 *   <li>{@code content:count} and the leaderboard: of the probes, the number that they show; for the leaderboard with what
 *       has left its window
 *   <li>{@code content:last}: of the probes, the number in the payload; a row counts once it or a later one is shown
 *   <li>the receiver: distinct events that it has answered; BigQuery: {@code COUNT(*)}
 * </ul>
 */
final class LatencyWatch implements AutoCloseable {

    private static final LiveViewKeys KEYS = new LiveViewKeys("");
    private static final Duration REDIS_EVERY = Duration.ofMillis(2);
    private static final int LOOKS_PER_BOARD = 5;
    private static final Duration RECEIVER_EVERY = Duration.ofMillis(5);
    private static final Duration WAREHOUSE_EVERY = Duration.ofMillis(50);
    private static final int ANSWER_LIMIT_MILLIS = 60_000;
    private static final String COUNT_ROWS = "SELECT COUNT(*) FROM analytics.engagement_events";
    private static final int CHUNK = 500;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final URI redis;
    private final URI stats;
    private final URI queries;
    private final URI jobs;
    private final List<CounterLatency> lasts;
    private final List<CounterLatency> counts;
    private final List<CounterLatency> boards;
    private final List<EventSeconds> probeSeconds =
            Stream.generate(EventSeconds::new).limit(ProbedLoad.PROBES).toList();
    private final CounterLatency commits;
    private final CounterLatency posts;
    private final CounterLatency rows;
    private final Destination count;
    private final List<Destination> destinations;
    private final AtomicReference<Exception> failure = new AtomicReference<>();
    private final List<Thread> threads = new ArrayList<>();
    private long committed;
    private long before;
    private volatile boolean closed;

    /**
     * Where rows arrive.
     *
     * @param counters of all rows, or one for each probe
     */
    record Destination(String name, List<CounterLatency> counters) {

        long missing(int phase) {
            return counters.stream().mapToLong(each -> each.missing(phase)).sum();
        }

        /** In microseconds. */
        Histogram latency(int phase) {
            Histogram sum = CounterLatency.histogram();
            counters.forEach(each -> each.addTo(sum, phase));
            return sum;
        }

        long lastArrival(int phase) {
            return counters.stream()
                    .mapToLong(each -> each.lastArrival(phase))
                    .max()
                    .orElseThrow();
        }
    }

    /** @param endpoints as the local stack writes them */
    LatencyWatch(Properties endpoints, int phases) {
        redis = URI.create(endpoints.getProperty("redis.url"));
        stats = URI.create(endpoints.getProperty("receiver.url") + "/stats");
        queries = URI.create(endpoints.getProperty("bigquery.rest") + "/bigquery/v2/projects/"
                + endpoints.getProperty("warehouse.project") + "/queries");
        jobs = URI.create(endpoints.getProperty("flink.rest") + "/jobs/overview");
        lasts = ofEachProbe(phases);
        counts = ofEachProbe(phases);
        boards = ofEachProbe(phases);
        commits = new CounterLatency(phases);
        posts = new CounterLatency(phases);
        rows = new CounterLatency(phases);
        count = new Destination("Redis: content:count", counts);
        destinations = List.of(
                new Destination("PostgreSQL: committed", List.of(commits)),
                new Destination("Redis: content:last", lasts),
                count,
                new Destination("Redis: " + KEYS.topByEvents(), boards),
                new Destination("receiver: posted", List.of(posts)),
                new Destination("BigQuery: COUNT(*)", List.of(rows)));
    }

    private static List<CounterLatency> ofEachProbe(int phases) {
        return Stream.generate(() -> new CounterLatency(phases))
                .limit(ProbedLoad.PROBES)
                .toList();
    }

    /** In the order of a table. */
    List<Destination> destinations() {
        return destinations;
    }

    /** The counts in Redis. */
    Destination count() {
        return count;
    }

    /** Whether capture and stream run. */
    boolean jobsRun() {
        try {
            int running = 0;
            for (JsonNode job : ask(jobs, null).path("jobs")) {
                running += job.path("state").asText().equals("RUNNING") ? 1 : 0;
            }
            return running == 2;
        } catch (IOException e) {
            throw new UncheckedIOException("Flink does not answer", e);
        }
    }

    /**
     * Begins to look.
     *
     * @param rowsBefore rows in the source that are not ours; they are in front of ours everywhere
     */
    void start(long rowsBefore) {
        before = rowsBefore;
        watch("redis", this::watchRedis);
        watch("receiver", () -> {
            long distinct = ask(stats, null).path("distinctEvents").asLong();
            posts.reached(distinct - before, System.nanoTime());
            LockSupport.parkNanos(RECEIVER_EVERY.toNanos());
        });
        watch("warehouse", () -> {
            long visible = countWarehouse();
            rows.reached(visible - before, System.nanoTime());
            LockSupport.parkNanos(WAREHOUSE_EVERY.toNanos());
        });
    }

    private interface Look {
        void look() throws Exception;
    }

    private void watch(String what, Look look) {
        Thread thread = new Thread(
                () -> {
                    try {
                        while (!closed) {
                            look.look();
                        }
                    } catch (Exception e) {
                        failure.compareAndSet(null, e);
                    }
                },
                "latency-" + what);
        thread.setDaemon(true);
        threads.add(thread);
        thread.start();
    }

    /** Fails as a reader has failed. */
    void check() {
        Exception reason = failure.get();
        if (reason != null) {
            throw new IllegalStateException("A destination could not be read", reason);
        }
    }

    /** A row is due, and about to be written. */
    void due(int phase, ProbedLoad.Row row, long nanoTime) {
        commits.due(phase, nanoTime);
        posts.due(phase, nanoTime);
        rows.due(phase, nanoTime);
        if (row.probe() != ProbedLoad.NONE) {
            probeSeconds.get(row.probe()).add(row.event().eventTs().toEpochMilli());
            lasts.get(row.probe()).due(phase, nanoTime);
            counts.get(row.probe()).due(phase, nanoTime);
            boards.get(row.probe()).due(phase, nanoTime);
        }
    }

    /** So many more rows are committed. By the thread that writes. */
    void committed(int rows) {
        committed += rows;
        commits.reached(committed, System.nanoTime());
    }

    // ---------------------------------------------------------------------------------------------------- reading

    private void watchRedis() throws IOException {
        List<String> ids = IntStream.range(0, ProbedLoad.PROBES)
                .mapToObj(probe -> ProbedLoad.contentId(probe).toString())
                .toList();
        String[] keys = Stream.concat(
                        ids.stream().map(KEYS::count), ids.stream().map(KEYS::last))
                .toArray(String[]::new);
        String[] shown = new String[ProbedLoad.PROBES];
        try (Jedis jedis = new Jedis(redis, ANSWER_LIMIT_MILLIS)) {
            for (long looks = 0; !closed; looks++) {
                List<String> values = jedis.mget(keys);
                long now = System.nanoTime();
                for (int probe = 0; probe < ProbedLoad.PROBES; probe++) {
                    String count = values.get(probe);
                    if (count != null) {
                        counts.get(probe).reached(Long.parseLong(count), now);
                    }
                    String last = values.get(ProbedLoad.PROBES + probe);
                    if (last != null && !last.equals(shown[probe])) {
                        shown[probe] = last;
                        lasts.get(probe).reached(numberOf(last), now);
                    }
                }
                if (looks % LOOKS_PER_BOARD == 0) {
                    readBoard(jedis, ids);
                }
                LockSupport.parkNanos(REDIS_EVERY.toNanos());
            }
        }
    }

    private static long numberOf(String last) throws JsonProcessingException {
        return JSON.readTree(last).path("raw_payload").path(ProbedLoad.NUMBER).asLong();
    }

    private void readBoard(Jedis jedis, List<String> ids) {
        Response<String> version;
        Response<List<Double>> scores;
        // At once: the score is that of a window, whose end says what has left it.
        try (AbstractTransaction both = jedis.multi()) {
            version = both.get(KEYS.boardVersion(KEYS.topByEvents()));
            scores = both.zmscore(KEYS.topByEvents(), ids.toArray(String[]::new));
            both.exec();
        }
        long now = System.nanoTime();
        if (version.get() == null) {
            return;
        }
        long windowBegin = Long.parseLong(version.get()) / 1_000
                - RankingOptions.DEFAULT.window().toSeconds();
        for (int probe = 0; probe < ProbedLoad.PROBES; probe++) {
            Double score = scores.get().get(probe);
            if (score != null) {
                boards.get(probe)
                        .reached(score.longValue() + probeSeconds.get(probe).before(windowBegin), now);
            }
        }
    }

    private long countWarehouse() throws IOException {
        String query = JSON.createObjectNode()
                .put("query", COUNT_ROWS)
                .put("useLegacySql", false)
                .toString();
        return ask(queries, query).at("/rows/0/f/0/v").asLong();
    }

    /** The answer to a GET, or to a POST of that body; nothing if there is no such thing yet. */
    private static JsonNode ask(URI uri, @Nullable String body) throws IOException {
        HttpURLConnection connection = (HttpURLConnection) uri.toURL().openConnection();
        connection.setConnectTimeout(ANSWER_LIMIT_MILLIS);
        connection.setReadTimeout(ANSWER_LIMIT_MILLIS);
        if (body != null) {
            connection.setDoOutput(true);
            connection.getOutputStream().write(body.getBytes(StandardCharsets.UTF_8));
        }
        int status = connection.getResponseCode();
        // Read to its end, or the connection is not used again.
        try (InputStream in = status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
            byte[] answer = in.readAllBytes();
            if (status == HttpURLConnection.HTTP_NOT_FOUND) {
                return MissingNode.getInstance();
            }
            if (status != HttpURLConnection.HTTP_OK) {
                throw new IOException(uri + " answers " + status + ": " + new String(answer, StandardCharsets.UTF_8));
            }
            return JSON.readTree(answer);
        }
    }

    // ---------------------------------------------------------------------------------------------------- in the end

    /** How many events the source has. */
    static long countRows(Connection source) throws SQLException {
        try (Statement statement = source.createStatement();
                ResultSet result = statement.executeQuery("SELECT count(*) FROM engagement_events")) {
            result.next();
            return result.getLong(1);
        } finally {
            source.commit();
        }
    }

    /** What the source, and the numbers of all its rows at the destinations, do not have in common; empty if all is well. */
    List<String> differences(Connection source) throws SQLException, IOException {
        List<String> differences = new ArrayList<>();
        long expected = countRows(source);
        if (expected != before + committed) {
            differences.add(String.format(
                    "PostgreSQL has %,d rows, %,d of them written here and %,d before: somebody else writes too",
                    expected, committed, before));
        }
        compare("Redis, the sum of content:count", expected, sumOfCounts(source), differences);
        compare(
                "receiver, distinct events",
                expected,
                ask(stats, null).path("distinctEvents").asLong(),
                differences);
        compare("BigQuery, COUNT(*)", expected, countWarehouse(), differences);
        for (Destination destination : destinations) {
            long surplus = destination.counters().stream()
                    .mapToLong(CounterLatency::surplus)
                    .sum();
            if (surplus > 0) {
                differences.add(destination.name() + " had " + surplus + " more than were written");
            }
        }
        return differences;
    }

    private static void compare(String what, long expected, long actual, List<String> differences) {
        if (expected != actual) {
            differences.add(String.format("PostgreSQL has %,d rows; %s: %,d", expected, what, actual));
        }
    }

    private long sumOfCounts(Connection source) throws SQLException {
        List<String> keys = new ArrayList<>();
        try (Statement statement = source.createStatement();
                ResultSet ids = statement.executeQuery("SELECT id FROM content")) {
            while (ids.next()) {
                keys.add(KEYS.count(ids.getString(1)));
            }
        } finally {
            source.commit();
        }
        long sum = 0;
        try (Jedis jedis = new Jedis(redis, ANSWER_LIMIT_MILLIS)) {
            for (int from = 0; from < keys.size(); from += CHUNK) {
                String[] chunk =
                        keys.subList(from, Math.min(keys.size(), from + CHUNK)).toArray(String[]::new);
                for (String count : jedis.mget(chunk)) {
                    sum += count == null ? 0 : Long.parseLong(count);
                }
            }
        }
        return sum;
    }

    /** Stops looking. */
    @Override
    public void close() throws InterruptedException {
        closed = true;
        for (Thread thread : threads) {
            thread.join();
        }
    }
}
