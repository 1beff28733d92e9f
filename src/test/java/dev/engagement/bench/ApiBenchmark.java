package dev.engagement.bench;

import dev.engagement.api.testing.WrittenHour;
import dev.engagement.local.ApiProcess;
import dev.engagement.local.PostgresServer;
import dev.engagement.local.RedisServer;
import dev.engagement.local.Schema;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.HdrHistogram.Histogram;
import redis.clients.jedis.ConnectionPoolConfig;
import redis.clients.jedis.RedisClient;

/**
 * The API beside its Redis, its PostgreSQL and the load, all on the same cores: answers a second, beside a bare GET of
 * Redis through the client that the API has; events a second that are committed; and how soon live clients hear of a
 * change.
 */
public final class ApiBenchmark {

    private static final Duration WARM_UP = Duration.ofSeconds(8);
    private static final Duration MEASURED = Duration.ofSeconds(8);

    private static final int READERS = 16;
    private static final int SINGLE_PRODUCERS = 64;
    private static final int BATCH_PRODUCERS = 16;
    private static final int BATCH = 100;
    private static final int LIVE_CLIENTS = 1_000;
    private static final int UPDATES_A_SECOND = 10;
    private static final int LIVE_SECONDS = 20;

    private static final String USER = "0b5b3d6c-6f0c-4c8a-9d0e-6a3f1f6f0a11";
    private static final String REDIS_GET = "redis GET, bare";

    private final PostgresServer postgres;
    private final RedisServer redis;
    private final ApiProgram api;
    private final WrittenHour hour;
    private final int rounds;
    private final AtomicLong keys = new AtomicLong();

    private ApiBenchmark(PostgresServer postgres, RedisServer redis, ApiProgram api, WrittenHour hour, int rounds) {
        this.postgres = postgres;
        this.redis = redis;
        this.api = api;
        this.hour = hour;
        this.rounds = rounds;
    }

    /** {@code DIRECTORY ROUNDS PART}. */
    public static void main(String[] args) throws Exception {
        Path directory = Path.of(args[0]).toAbsolutePath();
        int rounds = Integer.parseInt(args[1]);
        String part = args[2];
        PostgresServer.discard(directory.resolve("postgres"));
        RedisServer.discard(directory.resolve("redis"));
        try (PostgresServer postgres = PostgresServer.start(directory.resolve("postgres"), 0);
                RedisServer redis = RedisServer.start(directory.resolve("redis"), 0)) {
            Schema.create(postgres);
            postgres.createDatabase(PostgresServer.ANALYTICS);
            Path password = directory.resolve("password");
            Files.writeString(password, postgres.password());
            try (Connection source = postgres.connect();
                    WrittenHour hour = WrittenHour.write(
                            redis.connect(),
                            source,
                            postgres.connect(PostgresServer.ANALYTICS),
                            Duration.ofMinutes(15));
                    ApiProgram api =
                            ApiProgram.start(directory.resolve("api"), ApiProcess.options(postgres, password, redis))) {
                ApiBenchmark benchmark = new ApiBenchmark(postgres, redis, api, hour, rounds);
                if (!part.equals("track") && !part.equals("live")) {
                    benchmark.reads();
                }
                if (!part.equals("reads") && !part.equals("live")) {
                    benchmark.track();
                }
                if (!part.equals("reads") && !part.equals("track")) {
                    benchmark.live();
                }
            }
        }
        System.exit(0);
    }

    // -------------------------------------------------------------------------------------------------------- reads

    private void reads() throws Exception {
        System.out.printf(Locale.ROOT, "%nreads, %d connections, closed loop%n", READERS);
        Map<String, IntFunction<byte[]>> paths = new LinkedHashMap<>();
        List<String> types = WrittenHour.eventTypes();
        List<String> contents = WrittenHour.contents();
        paths.put("/metrics/realtime", i -> PlainHttp.get("/metrics/realtime?event_type=" + types.get(i % 4)));
        paths.put(
                "/leaderboard",
                i -> PlainHttp.get("/leaderboard?limit=10&by="
                        + List.of("events", "seconds").get(i % 2)));
        paths.put("/content/{id}", i -> PlainHttp.get("/content/" + contents.get(i % contents.size())));
        // Up to now, hence an answer that is not kept.
        paths.put("/metrics/history", i -> PlainHttp.get("/metrics/history?event_type=" + types.get(i % 4)));
        Map<String, List<ClosedLoop.Result>> results = new LinkedHashMap<>();
        for (int round = 0; round <= rounds; round++) {
            Duration howLong = round == 0 ? WARM_UP : MEASURED;
            // Turn about, so that a slow moment of the machine meets all.
            add(results, REDIS_GET, round, bareGet(howLong));
            for (Map.Entry<String, IntFunction<byte[]>> path : paths.entrySet()) {
                add(
                        results,
                        path.getKey(),
                        round,
                        ClosedLoop.run(READERS, howLong, client -> new PlainHttp(api.port(), path.getValue(), 200)));
            }
        }
        table(results, "requests/s", 1);
    }

    private ClosedLoop.Result bareGet(Duration howLong) throws Exception {
        ConnectionPoolConfig pool = new ConnectionPoolConfig();
        pool.setMaxTotal(READERS);
        pool.setMaxIdle(READERS);
        String key = "content:count:" + WrittenHour.LEADER;
        try (RedisClient client = RedisClient.builder()
                .hostAndPort(redis.host(), redis.port())
                .poolConfig(pool)
                .build()) {
            return ClosedLoop.run(READERS, howLong, number -> new ClosedLoop.Client() {
                @Override
                public void ask() {
                    if (client.get(key) == null) {
                        throw new IllegalStateException(key + " is not there");
                    }
                }

                @Override
                public void close() {
                    // The pool is all clients'.
                }
            });
        }
    }

    // -------------------------------------------------------------------------------------------------------- track

    private void track() throws Exception {
        System.out.printf(Locale.ROOT, "%ntrack, closed loop, each request with an Idempotency-Key%n");
        String single = event();
        String batch = IntStream.range(0, BATCH).mapToObj(i -> event()).collect(Collectors.joining("\n"));
        Map<String, List<ClosedLoop.Result>> singles = new LinkedHashMap<>();
        Map<String, List<ClosedLoop.Result>> batches = new LinkedHashMap<>();
        long before = rows();
        long answered = 0;
        for (int round = 0; round <= rounds; round++) {
            Duration howLong = round == 0 ? WARM_UP : MEASURED;
            ClosedLoop.Result one = ClosedLoop.run(
                    SINGLE_PRODUCERS,
                    howLong,
                    client -> new PlainHttp(api.port(), i -> PlainHttp.track("application/json", key(), single), 202));
            add(singles, "single, " + SINGLE_PRODUCERS + " connections", round, one);
            ClosedLoop.Result many = ClosedLoop.run(
                    BATCH_PRODUCERS,
                    howLong,
                    client ->
                            new PlainHttp(api.port(), i -> PlainHttp.track("application/x-ndjson", key(), batch), 202));
            add(batches, BATCH + " a request, " + BATCH_PRODUCERS + " connections", round, many);
            answered += one.micros().getTotalCount() + BATCH * many.micros().getTotalCount();
        }
        table(singles, "events/s", 1);
        table(batches, "events/s", BATCH);
        long written = rows() - before;
        System.out.printf(Locale.ROOT, "  %,d events answered, %,d rows%n", answered, written);
        if (written != answered) {
            throw new IllegalStateException("What was answered is not what was written");
        }
    }

    private static String event() {
        return "{\"content_id\":\"" + WrittenHour.LEADER + "\",\"user_id\":\"" + USER
                + "\",\"event_type\":\"play\",\"duration_ms\":45000,\"device\":\"ios\",\"payload\":{\"value\":4.5}}";
    }

    private String key() {
        return "bench-" + keys.incrementAndGet();
    }

    private long rows() throws SQLException {
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement();
                ResultSet count = statement.executeQuery("SELECT count(*) FROM engagement_events")) {
            count.next();
            return count.getLong(1);
        }
    }

    // --------------------------------------------------------------------------------------------------------- live

    private void live() throws Exception {
        System.out.printf(
                Locale.ROOT,
                "%nlive, %,d clients, %d updates/s, open loop; delay from when each was due%n  %10s %10s %10s %12s %10s"
                        + " %10s%n",
                LIVE_CLIENTS,
                UPDATES_A_SECOND,
                "p50, ms",
                "p99, ms",
                "max, ms",
                "not told, %",
                "cores",
                "MB");
        try (LiveListeners listeners = LiveListeners.connect(api.port(), LIVE_CLIENTS)) {
            int number = 1_000_000;
            for (int round = 0; round <= rounds; round++) {
                int updates = LIVE_SECONDS * UPDATES_A_SECOND;
                live(listeners, number, updates, round > 0);
                number += updates;
            }
        }
    }

    private void live(LiveListeners listeners, int first, int updates, boolean isShown) throws Exception {
        long interval = TimeUnit.SECONDS.toNanos(1) / UPDATES_A_SECOND;
        long due = System.nanoTime() + interval;
        List<String> types = WrittenHour.eventTypes();
        long window = System.currentTimeMillis() / 10_000 * 10_000;
        Duration cpuBefore = api.cpu();
        long begin = System.nanoTime();
        listeners.measure(first, due, interval);
        for (int i = 0; i < updates; i++) {
            for (long left = due + i * interval - System.nanoTime();
                    left > 0;
                    left = due + i * interval - System.nanoTime()) {
                LockSupport.parkNanos(left);
            }
            // The number is the version too: it only grows.
            hour.window(types.get(i % types.size()), window, first + i, first + i);
        }
        // What is late belongs to this round.
        long patience = System.nanoTime() + TimeUnit.SECONDS.toNanos(5);
        long all = (long) LIVE_CLIENTS * updates;
        while (listeners.heard() < all && System.nanoTime() < patience) {
            LockSupport.parkNanos(interval);
        }
        double seconds = (System.nanoTime() - begin) / 1e9;
        double cores = api.cpu().minus(cpuBefore).toNanos() / 1e9 / seconds;
        if (listeners.lost() > 0) {
            throw new IllegalStateException(listeners.lost() + " live clients lost their connection");
        }
        if (isShown) {
            Histogram micros = listeners.micros();
            System.out.printf(
                    Locale.ROOT,
                    "  %10.1f %10.1f %10.1f %12.2f %10.2f %10.0f%n",
                    micros.getValueAtPercentile(50) / 1e3,
                    micros.getValueAtPercentile(99) / 1e3,
                    micros.getMaxValue() / 1e3,
                    100.0 * (all - listeners.heard()) / all,
                    cores,
                    api.residentBytes() / 1e6);
        }
    }

    // -------------------------------------------------------------------------------------------------------- tables

    private static void add(
            Map<String, List<ClosedLoop.Result>> results, String what, int round, ClosedLoop.Result result) {
        List<ClosedLoop.Result> own = results.computeIfAbsent(what, key -> new ArrayList<>());
        if (round > 0) {
            own.add(result);
        }
    }

    private static void table(Map<String, List<ClosedLoop.Result>> results, String unit, int each) {
        System.out.printf(Locale.ROOT, "  %-30s %12s %10s %10s %26s%n", "", unit, "p50, ms", "p99, ms", "rounds");
        results.forEach((what, rounds) -> {
            Spread speed = new Spread(
                    rounds.stream().map(result -> result.perSecond() * each).toList());
            System.out.printf(
                    Locale.ROOT,
                    "  %-30s %,12.0f %10.2f %10.2f %,12.0f to %,10.0f%n",
                    what,
                    speed.median(),
                    new Spread(rounds.stream()
                                    .map(result -> result.millisAt(50))
                                    .toList())
                            .median(),
                    new Spread(rounds.stream()
                                    .map(result -> result.millisAt(99))
                                    .toList())
                            .median(),
                    speed.min(),
                    speed.max());
        });
    }
}
