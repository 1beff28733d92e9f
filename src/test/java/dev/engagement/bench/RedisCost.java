package dev.engagement.bench;

import com.sun.management.OperatingSystemMXBean;
import dev.engagement.connection.SecretRef;
import dev.engagement.event.ContentChange;
import dev.engagement.event.ContentChange.Unchanged;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.Position;
import dev.engagement.event.types.EventTypes;
import dev.engagement.liveview.LiveViewOptions;
import dev.engagement.liveview.LiveViewRules;
import dev.engagement.local.RedisServer;
import dev.engagement.pipeline.OperatorIds;
import dev.engagement.pipeline.RedisLiveView;
import dev.engagement.ranking.Ranking;
import dev.engagement.ranking.RankingOptions;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.locks.LockSupport;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import redis.clients.jedis.Jedis;

/** What the live view asks of Redis at several rates of events, all keys and both leaderboards included. */
final class RedisCost {

    private static final int CONTENTS = 10_000;
    private static final int[] EVENTS_PER_SECOND = {1_000, 10_000, 50_000};
    private static final List<Load> LOADS = List.of(Load.UNIFORM, Load.ZIPF);

    /** Until the job runs evenly. */
    private static final int WARM_UP_SECONDS = 3;

    private static final int MEASURED_SECONDS = 8;

    /** So that the end of the job is not measured. */
    private static final int LAST_SECONDS = 1;

    private static final OperatingSystemMXBean PROCESS =
            ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

    private final BenchCluster cluster;
    private final RedisServer redis;

    /** What Redis and the process had done at one moment. */
    private record Moment(long nanos, long events, double processCpuSeconds, Map<String, Double> info) {

        double grownSince(Moment earlier, String field) {
            return info.getOrDefault(field, 0.0) - earlier.info.getOrDefault(field, 0.0);
        }
    }

    private RedisCost(BenchCluster cluster, RedisServer redis) {
        this.cluster = cluster;
        this.redis = redis;
    }

    static void measure(BenchCluster cluster, Path directory) throws Exception {
        System.out.printf(
                "%nredis: %,d contents, every key and both leaderboards each second, parallelism %d, %d s each;%n"
                        + "       writes are calls of a script, commands what these call; CPU/event of the job includes ranking%n",
                CONTENTS, BenchCluster.PARALLELISM, MEASURED_SECONDS);
        System.out.printf(
                "%-12s %10s %12s %12s %12s %12s %12s %14s %14s%n",
                "load",
                "events/s",
                "writes/event",
                "cmds/event",
                "reads/event",
                "B in/event",
                "B out/event",
                "CPU s/M events",
                "job µs/event");
        for (Load load : LOADS) {
            for (int rate : EVENTS_PER_SECOND) {
                try (RedisServer redis = RedisServer.start(directory.resolve("redis"), 0)) {
                    new RedisCost(cluster, redis).at(load, rate);
                }
            }
            SyntheticEvents.forget();
        }
    }

    private void at(Load load, int rate) throws Exception {
        int events = rate * (WARM_UP_SECONDS + MEASURED_SECONDS + LAST_SECONDS);
        SyntheticEvents.prepare(load, CONTENTS, events);
        // A job whose input ends has written everything: all contents are there, and what follows is events.
        cluster.run(job(load, rate, BenchCluster.PARALLELISM, CONTENTS));
        long madeBefore = SyntheticEvents.made();
        StreamExecutionEnvironment env = job(load, rate, events, 1);
        CompletableFuture<Void> running = CompletableFuture.runAsync(() -> {
            try {
                cluster.run(env);
            } catch (Exception e) {
                throw new CompletionException(e);
            }
        });
        Moment first = when(madeBefore + (long) rate * WARM_UP_SECONDS, running);
        Moment last = when(first.events + (long) rate * MEASURED_SECONDS, running);
        running.join();
        print(load, first, last);
    }

    private StreamExecutionEnvironment job(Load load, int rate, int events, int contents) {
        StreamExecutionEnvironment env = cluster.environmentWithoutCheckpoints();
        DataStream<EnrichedEvent> unique = SyntheticEvents.paced(env, load, CONTENTS, events, rate);
        List<ContentChange> changes = new ArrayList<>();
        for (int i = 0; i < contents; i++) {
            changes.add(new ContentChange.Put(
                    SyntheticEvents.contents(CONTENTS)[i], Unchanged.NOTHING, new Position(0, i, 0)));
        }
        new RedisLiveView(
                        new LiveViewOptions(URI.create(redis.url()), SecretRef.none(), ""),
                        new LiveViewRules(Duration.ofMinutes(1), false))
                .show(
                        unique,
                        Ranking.slidingTopN(unique, RankingOptions.DEFAULT, OperatorIds.RANKING),
                        env.fromData(changes, EventTypes.CONTENT_CHANGE));
        return env;
    }

    private Moment when(long made, CompletableFuture<Void> running) {
        while (SyntheticEvents.made() < made && !running.isDone()) {
            LockSupport.parkNanos(Duration.ofMillis(5).toNanos());
        }
        if (running.isDone()) {
            running.join();
            throw new IllegalStateException("The job ended before it was measured");
        }
        Map<String, Double> info = new HashMap<>();
        try (Jedis jedis = redis.connect()) {
            for (String section : List.of("stats", "cpu", "commandstats")) {
                read(jedis.info(section), info);
            }
        }
        return new Moment(System.nanoTime(), SyntheticEvents.made(), PROCESS.getProcessCpuTime() / 1e9, info);
    }

    /** Numbers by name; of a command, the number of its calls. */
    private static void read(String section, Map<String, Double> info) {
        for (String line : section.split("\r\n")) {
            int colon = line.indexOf(':');
            if (colon > 0 && !line.startsWith("#")) {
                String value = line.substring(colon + 1).replaceFirst("^calls=(\\d+),.*", "$1");
                if (value.matches("\\d+(\\.\\d+)?")) {
                    info.put(line.substring(0, colon), Double.parseDouble(value));
                }
            }
        }
    }

    private static void print(Load load, Moment first, Moment last) {
        double events = last.events - first.events;
        double seconds = (last.nanos - first.nanos) / 1e9;
        double writes = last.grownSince(first, "cmdstat_evalsha");
        double commands = last.info.keySet().stream()
                .filter(name -> name.startsWith("cmdstat_") && !name.equals("cmdstat_evalsha"))
                .mapToDouble(name -> last.grownSince(first, name))
                .sum();
        double cpu = last.grownSince(first, "used_cpu_user") + last.grownSince(first, "used_cpu_sys");
        System.out.printf(
                "%-12s %,10.0f %12.3f %12.3f %12.4f %12.0f %12.1f %14.2f %14.2f%n",
                load.text,
                events / seconds,
                writes / events,
                commands / events,
                last.grownSince(first, "total_reads_processed") / events,
                last.grownSince(first, "total_net_input_bytes") / events,
                last.grownSince(first, "total_net_output_bytes") / events,
                cpu * 1e6 / events,
                (last.processCpuSeconds - first.processCpuSeconds) * 1e6 / events);
    }
}
