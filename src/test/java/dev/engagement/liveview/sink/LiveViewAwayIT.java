package dev.engagement.liveview.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.engagement.connection.SecretRef;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.types.EventShards;
import dev.engagement.event.types.EventTypes;
import dev.engagement.liveview.LiveViewKeys;
import dev.engagement.liveview.LiveViewOptions;
import dev.engagement.liveview.LiveViewRules;
import dev.engagement.liveview.Samples;
import dev.engagement.liveview.Tally;
import dev.engagement.local.RedisServer;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.api.common.state.CheckpointListener;
import org.apache.flink.api.connector.source.util.ratelimit.GuavaRateLimiter;
import org.apache.flink.api.connector.source.util.ratelimit.RateLimiter;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.Jedis;

/** A job under load whose Redis is killed, comes back empty, and stands still. */
class LiveViewAwayIT {

    private static final int CONTENTS = 10_000;
    private static final int MINUTES = 5;
    /** The first ones give each content an event in each minute; the others are load, on contents of their own. */
    private static final long COUNTED = (long) CONTENTS * MINUTES;

    private static final int LOAD_CONTENTS = 100;
    private static final LiveViewKeys KEYS = new LiveViewKeys("");
    private static final long NOW_MICROS = System.currentTimeMillis() * 1_000;

    /** In the same JVM as the job. */
    private static final AtomicLong SEEN = new AtomicLong();

    private static final AtomicLong CHECKPOINTS = new AtomicLong();

    private RedisServer server;
    private JobClient job;

    @BeforeEach
    void start() throws Exception {
        server = RedisServer.start(Path.of("target/redis/LiveViewAwayIT"), 0);
        SEEN.set(0);
        job = run();
        await().until(() -> SEEN.get() > COUNTED);
        await().until(this::isRight);
    }

    @AfterEach
    void stop() throws Exception {
        job.cancel().get();
        server.close();
    }

    @Test
    void killed_and_back_empty_everything_is_right_again() {
        server.kill();
        goesOn();
        server.restart();
        await().until(this::isRight);
    }

    @Test
    void flushed_while_connected_everything_is_right_again() {
        try (Jedis redis = server.connect()) {
            redis.flushAll();
        }
        await().until(this::isRight);
    }

    @Test
    void frozen_it_holds_up_neither_events_nor_checkpoints() throws Exception {
        signal("STOP");
        try {
            goesOn();
        } finally {
            signal("CONT");
        }
        long seen = SEEN.get();
        await().until(() -> loadShown() >= seen - COUNTED);
        assertThat(isRight()).isTrue();
    }

    /** Events are processed and checkpoints complete. */
    private static void goesOn() {
        long seen = SEEN.get();
        long checkpoints = CHECKPOINTS.get();
        await().until(() -> SEEN.get() > seen + 1_000 && CHECKPOINTS.get() > checkpoints + 5);
    }

    private JobClient run() throws Exception {
        Configuration configuration = new Configuration();
        configuration.set(PipelineOptions.GENERIC_TYPES, false);
        configuration.set(PipelineOptions.AUTO_GENERATE_UIDS, false);
        configuration.set(PipelineOptions.OBJECT_REUSE, true);
        StreamExecutionEnvironment env = StreamExecutionEnvironment.createLocalEnvironment(2, configuration);
        env.setMaxParallelism(EventShards.SHARDS);
        env.enableCheckpointing(200);
        LiveViewStreams view = new LiveViewStreams(
                new LiveViewOptions(URI.create(server.url()), SecretRef.none(), ""),
                new LiveViewRules(Duration.ofMinutes(1), false));
        DataStream<EnrichedEvent> unique = env.fromSequence(0, Long.MAX_VALUE - 1)
                .setParallelism(1)
                .uid("numbers")
                .map(new Events())
                .setParallelism(1)
                .returns(EventTypes.ENRICHED)
                .uid("events")
                .keyBy(EventShards.ofEnriched(), EventShards.KEY_TYPE)
                .map(event -> event)
                .returns(EventTypes.ENRICHED)
                .uid("unique");
        view.lastEvents(unique, "last");
        view.counts(unique, "partials", "counts");
        return env.executeAsync();
    }

    private static EnrichedEvent event(long id) {
        if (id >= COUNTED) {
            return Samples.event("load" + id % LOAD_CONTENTS, id, NOW_MICROS);
        }
        long minutesAgo = MINUTES - 1 - id / CONTENTS;
        return Samples.event("c" + id % CONTENTS, id, NOW_MICROS - minutesAgo * 60_000_000);
    }

    private boolean isRight() {
        try (Jedis redis = server.connect()) {
            for (int from = 0; from < CONTENTS; from += 1_000) {
                List<String> keys = new ArrayList<>();
                for (int i = from; i < Math.min(from + 1_000, CONTENTS); i++) {
                    keys.add(KEYS.last("c" + i));
                    keys.add(KEYS.count("c" + i));
                }
                List<String> values = redis.mget(keys.toArray(String[]::new));
                for (int i = 0; i < values.size(); i += 2) {
                    long newest = COUNTED - CONTENTS + from + i / 2;
                    String last = values.get(i);
                    if (last == null
                            || !last.startsWith("{\"event_id\":" + newest + ",")
                            || !Integer.toString(MINUTES).equals(values.get(i + 1))) {
                        return false;
                    }
                }
            }
            for (int i = 0; i < MINUTES; i++) {
                long minute = Tally.minuteOf(NOW_MICROS - i * 60_000_000L);
                if (redis.zcount(KEYS.bucket(minute), 1, 1) != CONTENTS) {
                    return false;
                }
            }
            return true;
        }
    }

    private long loadShown() {
        try (Jedis redis = server.connect()) {
            long sum = 0;
            for (int i = 0; i < LOAD_CONTENTS; i++) {
                String count = redis.get(KEYS.count("load" + i));
                sum += count == null ? 0 : Long.parseLong(count);
            }
            return sum;
        }
    }

    private void signal(String signal) throws Exception {
        int exit = new ProcessBuilder("/bin/sh", "-c", "kill -" + signal + " " + server.pid())
                .inheritIO()
                .start()
                .waitFor();
        assertThat(exit).isZero();
    }

    /** As fast as possible up to the load, which is about a thousand a second. */
    private static final class Events extends RichMapFunction<Long, EnrichedEvent> implements CheckpointListener {

        private static final long serialVersionUID = 1L;

        private transient RateLimiter limiter;

        @Override
        public EnrichedEvent map(Long id) throws Exception {
            if (id >= COUNTED) {
                if (limiter == null) {
                    limiter = new GuavaRateLimiter(1_000);
                }
                limiter.acquire().toCompletableFuture().get();
            }
            SEEN.incrementAndGet();
            return event(id);
        }

        @Override
        public void notifyCheckpointComplete(long checkpointId) {
            CHECKPOINTS.incrementAndGet();
        }
    }
}
