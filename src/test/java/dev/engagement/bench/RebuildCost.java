package dev.engagement.bench;

import dev.engagement.connection.SecretRef;
import dev.engagement.event.Content;
import dev.engagement.event.Engagement;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.Position;
import dev.engagement.event.types.EventShards;
import dev.engagement.event.types.EventTypes;
import dev.engagement.liveview.LiveViewKeys;
import dev.engagement.liveview.LiveViewOptions;
import dev.engagement.liveview.LiveViewRules;
import dev.engagement.liveview.Tally;
import dev.engagement.liveview.sink.LiveViewStreams;
import dev.engagement.local.RedisServer;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.IntFunction;
import org.apache.flink.api.common.JobID;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Pipeline;
import redis.clients.jedis.Response;

/** How soon a Redis that forgot everything shows 100,000 contents again, while events go on. */
final class RebuildCost {

    private static final int CONTENTS = 100_000;
    private static final int MINUTES = 5;

    /** Each content has an event in each minute. */
    private static final long EVENTS = (long) CONTENTS * MINUTES;

    private static final int LOAD_PER_SECOND = 1_000;
    private static final Duration LIMIT = Duration.ofMinutes(2);
    private static final int AT_ONCE = 2_000;
    private static final LiveViewKeys KEYS = new LiveViewKeys("");

    private final RedisServer redis;
    private final long nowMicros = System.currentTimeMillis() * 1_000;

    private RebuildCost(RedisServer redis) {
        this.redis = redis;
    }

    static void measure(BenchCluster cluster, Path directory) throws Exception {
        System.out.printf(
                "%nrebuild: %,d contents, each with last, count and %d minutes; %,d events/s go on; parallelism %d%n",
                CONTENTS, MINUTES, LOAD_PER_SECOND, BenchCluster.PARALLELISM);
        try (RedisServer redis = RedisServer.start(directory.resolve("redis-rebuild"), 0)) {
            new RebuildCost(redis).measure(cluster);
        }
    }

    private void measure(BenchCluster cluster) throws Exception {
        StreamExecutionEnvironment env = job(cluster);
        JobID job = cluster.start(env);
        try (Jedis jedis = redis.connect()) {
            await("the first time", () -> all(jedis, KEYS::count) && all(jedis, KEYS::last) && allBuckets(jedis));
            for (String loss : List.of("FLUSHALL", "killed, empty")) {
                if (loss.equals("FLUSHALL")) {
                    jedis.flushAll();
                } else {
                    redis.restartEmpty();
                }
                try (Jedis after = redis.connect()) {
                    print(loss, after);
                }
            }
        } finally {
            cluster.cancel(job);
        }
    }

    private void print(String loss, Jedis jedis) {
        double cpuBefore = cpuSeconds(jedis);
        double buckets = await("buckets", () -> allBuckets(jedis));
        double lasts = buckets + await("last events", () -> all(jedis, KEYS::last));
        double counts = lasts + await("counts", () -> all(jedis, KEYS::count));
        System.out.printf(
                "%-16s all buckets after %.1f s, all last events %.1f s (goal 5), all counts %.1f s; Redis' CPU %.1f s%n",
                loss, buckets, lasts, counts, cpuSeconds(jedis) - cpuBefore);
    }

    private static double cpuSeconds(Jedis jedis) {
        return jedis.info("cpu")
                .lines()
                .filter(line -> line.startsWith("used_cpu_user:") || line.startsWith("used_cpu_sys:"))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.indexOf(':') + 1)))
                .sum();
    }

    /** Seconds until it is so. */
    private static double await(String what, BooleanSupplier condition) {
        long start = System.nanoTime();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - start > LIMIT.toNanos()) {
                throw new IllegalStateException("Not there after " + LIMIT + ": " + what);
            }
            LockSupport.parkNanos(Duration.ofMillis(100).toNanos());
        }
        return (System.nanoTime() - start) / 1e9;
    }

    private static boolean all(Jedis jedis, IntFunction<String> key, int from) {
        try (Pipeline pipeline = jedis.pipelined()) {
            List<Response<Boolean>> found = new ArrayList<>();
            for (int i = from; i < from + AT_ONCE; i++) {
                found.add(pipeline.exists(key.apply(i)));
            }
            pipeline.sync();
            return found.stream().allMatch(Response::get);
        }
    }

    private interface Key {
        String of(String contentId);
    }

    /** Stops at the first that is missing, so that a look costs Redis little. */
    private static boolean all(Jedis jedis, Key key) {
        for (int from = 0; from < CONTENTS; from += AT_ONCE) {
            if (!all(jedis, number -> key.of(BenchEnvelopes.contentId(number)), from)) {
                return false;
            }
        }
        return true;
    }

    private boolean allBuckets(Jedis jedis) {
        for (int minutesAgo = 0; minutesAgo < MINUTES; minutesAgo++) {
            if (jedis.zcard(KEYS.bucket(Tally.minuteOf(nowMicros) - minutesAgo)) < CONTENTS) {
                return false;
            }
        }
        return true;
    }

    private StreamExecutionEnvironment job(BenchCluster cluster) {
        StreamExecutionEnvironment env = cluster.environmentWithoutCheckpoints();
        long now = nowMicros;
        DataStream<EnrichedEvent> unique = env.fromSequence(0, Long.MAX_VALUE - 1)
                .setParallelism(1)
                .map(id -> {
                    if (id >= EVENTS) {
                        LockSupport.parkNanos(1_000_000_000L / LOAD_PER_SECOND);
                    }
                    return event(id, now);
                })
                .returns(EventTypes.ENRICHED)
                .setParallelism(1)
                .keyBy(EventShards.ofEnriched(), EventShards.KEY_TYPE)
                .map(event -> event)
                .returns(EventTypes.ENRICHED);
        LiveViewStreams view = new LiveViewStreams(
                new LiveViewOptions(URI.create(redis.url()), SecretRef.none(), ""),
                new LiveViewRules(Duration.ofMinutes(1), false));
        view.lastEvents(unique, "rebuild-last");
        view.counts(unique, "rebuild-partials", "rebuild-counts");
        return env;
    }

    private static EnrichedEvent event(long id, long nowMicros) {
        int number = (int) (id % CONTENTS);
        long minutesAgo = id < EVENTS ? MINUTES - 1 - id / CONTENTS : 0;
        String contentId = BenchEnvelopes.contentId(number);
        return new EnrichedEvent(
                new EngagementEvent(
                        id,
                        contentId,
                        "1d9fb3b0-7c3a-4c55-9f3c-0a3d8a1f2b11",
                        "play",
                        nowMicros - minutesAgo * 60_000_000,
                        7_000,
                        "web",
                        "{\"session\": \"a-session-of-some-length\", \"position\": 12}",
                        false,
                        EngagementEvent.UNKNOWN_TIME,
                        new Position(0, id, nowMicros / 1_000)),
                new Content(contentId, "slug", "A title of usual length", "podcast", 300, nowMicros),
                new Engagement(7_000, 2, (byte) 2));
    }
}
