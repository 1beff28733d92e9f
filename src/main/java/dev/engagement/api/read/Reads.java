package dev.engagement.api.read;

import dev.engagement.connection.PostgresConnection;
import dev.engagement.liveview.LiveViewKeys;
import java.net.URI;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The reads of all operations, and the connections that they share. Thread-safe.
 *
 * <p>Opening waits for nobody: a store may be away then, and come back later. A thread of its own looks at the
 * leaderboards and at the newest event now and then, so that it is known how they were; what it could not see is not
 * known, and said so.
 */
public final class Reads implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Reads.class);

    private static final long LOOK_AT_BOARDS_EVERY_MILLIS = 10_000;

    private final Clock clock;
    private final LiveViewKeys keys;
    private final RedisStore redis;
    private final @Nullable PostgresStore source;
    private final @Nullable PostgresStore rollupTables;
    private final Map<String, Read> byOperation;
    private final ScheduledExecutorService looking;
    private final ScheduledExecutorService lookingAtJobs;

    private Reads(ReadOptions options, Clock clock) {
        this.clock = clock;
        this.keys = new LiveViewKeys(options.redis().keyPrefix());
        this.redis = new RedisStore(options.redis(), options.maxRedisConnections(), options.timeout());
        this.source = store(options.source(), "engagement-api-source", options);
        this.rollupTables = store(options.rollupTables(), "engagement-api-rollups", options);

        RollupRows rows = rollupTables == null ? null : new RollupRows(rollupTables);
        LiveWindows live = new LiveWindows(redis, keys);
        MetricRollups metrics = new MetricRollups(options.rollups());
        ContentMinutes minutes = new ContentMinutes(redis, keys);
        Trending trending = new Trending(minutes, new PastDays(rows, options.rollups()));
        Leaderboards boards = new Leaderboards(redis, keys, trending, clock);
        Freshness freshness =
                source == null ? null : new Freshness(redis, keys, source, options.schema(), options.eventsTable());
        URI flinkRest = options.pipeline().flinkRest();
        Path auditReport = options.pipeline().auditReport();
        JobMetrics jobs = flinkRest == null ? null : new JobMetrics(flinkRest, options.timeout());
        AuditFile audits = auditReport == null ? null : new AuditFile(auditReport);
        this.byOperation = Map.of(
                "realtime", new RealtimeRead(metrics, live, clock),
                "history", new HistoryRead(metrics, new History(rows, clock), clock),
                "leaderboard", new LeaderboardRead(boards, new ContentTitles(redis, keys)),
                "content", new ContentRead(redis, keys, live, minutes, options.rollups(), clock),
                "rollups", new RollupsRead(options.rollups(), clock),
                "rollup", new RollupRead(options.rollups(), live, new History(rows, clock), clock),
                "event", new EventRead(redis, keys, new WarehouseFallback(options, source, clock), clock),
                "stats", new StatsRead(freshness, boards, jobs, audits, clock));

        this.looking = looking("engagement-api-reads");
        this.lookingAtJobs = looking("engagement-api-jobs");
        for (String by : List.of(Leaderboards.EVENTS, Leaderboards.SECONDS, Leaderboards.TRENDING)) {
            lookEvery(LOOK_AT_BOARDS_EVERY_MILLIS, now -> boards.now(by));
        }
        if (freshness != null) {
            lookAtFreshness(freshness, 0);
        }
        if (jobs != null) {
            // Apart: a Flink that says nothing must not make everything else look late.
            ScheduledFuture<?> unused = lookingAtJobs.scheduleWithFixedDelay(
                    () -> take(jobs::look), 0, JobMetrics.LOOK_EVERY_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    private static ScheduledExecutorService looking(String name) {
        return Executors.newSingleThreadScheduledExecutor(run -> {
            Thread thread = new Thread(run, name);
            thread.setDaemon(true);
            return thread;
        });
    }

    /**
     * Opens them.
     *
     * @param options where the answers are
     * @param clock says what now is
     */
    public static Reads open(ReadOptions options, Clock clock) {
        return new Reads(options, clock);
    }

    private static @Nullable PostgresStore store(
            @Nullable PostgresConnection target, String applicationName, ReadOptions options) {
        return target == null
                ? null
                : new PostgresStore(target, applicationName, options.maxPostgresConnections(), options.timeout());
    }

    /** Something that is done again and again. */
    @FunctionalInterface
    private interface Look {
        void at(long nowMillis) throws UnavailableException;
    }

    private void lookEvery(long millis, Look look) {
        ScheduledFuture<?> unused = looking.scheduleWithFixedDelay(() -> take(look), 0, millis, TimeUnit.MILLISECONDS);
    }

    /** Looks then, and again as soon as it is worth it. */
    private void lookAtFreshness(Freshness freshness, long inMillis) {
        ScheduledFuture<?> unused = looking.schedule(
                () -> {
                    take(freshness::look);
                    if (!looking.isShutdown()) {
                        lookAtFreshness(freshness, freshness.nextLookMillis(clock.millis()));
                    }
                },
                inMillis,
                TimeUnit.MILLISECONDS);
    }

    private void take(Look look) {
        try {
            look.at(clock.millis());
        } catch (UnavailableException e) {
            // What nobody saw is not known, and every answer says so.
            LOG.debug("A look at the stores was in vain: {}", e.getMessage());
        } catch (RuntimeException e) {
            // Thrown on, it would be the last look.
            LOG.error("A look at the stores failed; the next one comes", e);
        }
    }

    /** The read of each operation that there is one of, by the operation's id. */
    public Map<String, Read> byOperation() {
        return byOperation;
    }

    /** Whether the stores answer now: asks them, and so takes as long as the timeout at the most. */
    public Health health() {
        List<String> silent = new ArrayList<>();
        boolean redisAnswers =
                answers(RedisStore.NAME, () -> redis.ask(pipeline -> pipeline.get(keys.epoch(""))), silent);
        boolean sourceAnswers = source == null || answers(PostgresStore.NAME + " (source)", () -> ping(source), silent);
        boolean tablesAnswer =
                rollupTables == null || answers(PostgresStore.NAME + " (rollups)", () -> ping(rollupTables), silent);
        return new Health(
                redisAnswers,
                sourceAnswers && tablesAnswer,
                silent.isEmpty() ? null : String.join(", ", silent) + " does not answer");
    }

    @FunctionalInterface
    private interface Ask {
        void ask() throws UnavailableException;
    }

    private static boolean answers(String store, Ask ask, List<String> silent) {
        try {
            ask.ask();
            return true;
        } catch (UnavailableException e) {
            LOG.debug("{} does not answer", store, e);
            silent.add(store);
            return false;
        }
    }

    private static void ping(PostgresStore store) throws UnavailableException {
        store.query("SELECT 1", List.of(), row -> row.getInt(1));
    }

    @Override
    public void close() {
        looking.shutdownNow();
        lookingAtJobs.shutdownNow();
        redis.close();
        if (source != null) {
            source.close();
        }
        if (rollupTables != null) {
            rollupTables.close();
        }
    }
}
