package dev.engagement.liveview.sink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.connection.SecretRef;
import dev.engagement.event.ContentChange;
import dev.engagement.event.ContentChange.Unchanged;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.EventJson;
import dev.engagement.event.Position;
import dev.engagement.event.types.EventTypes;
import dev.engagement.liveview.LiveValue;
import dev.engagement.liveview.LiveViewOptions;
import dev.engagement.liveview.LiveViewRules;
import dev.engagement.liveview.Samples;
import dev.engagement.local.RedisServer;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.api.common.state.CheckpointListener;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.Jedis;

/** The three sinks in a Flink job that fails on its way, on a real Redis, against what was sent in. */
class RedisSinkIT {

    private static final int EVENTS = 200_000;
    private static final int CONTENTS = 97;
    private static final long NOW_MICROS = System.currentTimeMillis() * 1_000;

    /** Which run of the test's job is to fail how often; static, since functions are serialized. */
    private static final AtomicInteger FAILURES_LEFT = new AtomicInteger();

    private RedisServer server;

    @BeforeEach
    void start() {
        server = RedisServer.start(Path.of("target/redis/RedisSinkIT"), 0);
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void a_job_that_fails_after_a_checkpoint_ends_with_what_was_sent_in_and_a_second_run_changes_nothing()
            throws Exception {
        FAILURES_LEFT.set(2);
        run();
        assertThat(FAILURES_LEFT).as("failures that did not happen").hasValue(0);
        Map<String, Object> shown = shown();
        assertThat(shown).isEqualTo(oracle());

        run();

        assertThat(shown()).isEqualTo(shown);
    }

    private void run() throws Exception {
        Configuration configuration = new Configuration();
        configuration.set(PipelineOptions.GENERIC_TYPES, false);
        configuration.set(PipelineOptions.AUTO_GENERATE_UIDS, false);
        configuration.set(PipelineOptions.OBJECT_REUSE, true);
        configuration.set(RestartStrategyOptions.RESTART_STRATEGY, "fixed-delay");
        configuration.set(RestartStrategyOptions.RESTART_STRATEGY_FIXED_DELAY_ATTEMPTS, 5);
        configuration.set(RestartStrategyOptions.RESTART_STRATEGY_FIXED_DELAY_DELAY, Duration.ofMillis(10));
        try (StreamExecutionEnvironment env = StreamExecutionEnvironment.createLocalEnvironment(2, configuration)) {
            env.enableCheckpointing(20);
            DataStream<EnrichedEvent> unique = env.fromSequence(1, EVENTS)
                    .uid("numbers")
                    .map(new FailingEvents())
                    .returns(EventTypes.ENRICHED)
                    .uid("events");
            unique.sinkTo(sink(LiveViewMappings.last(new LiveViewRules(Duration.ofMinutes(1))), "last"))
                    .uid("last");
            LiveViewStreams.counts(unique, "partials", "totals")
                    .sinkTo(sink(LiveViewMappings.values(), "counts"))
                    .uid("counts");
            DataStream<ContentChange> changes = env.fromSequence(0, 2 * CONTENTS - 1)
                    .setParallelism(1)
                    .uid("offsets")
                    .map(RedisSinkIT::change)
                    .setParallelism(1)
                    .returns(EventTypes.CONTENT_CHANGE)
                    .uid("changes");
            LiveViewStreams.metas(changes, "content changes", "metas")
                    .sinkTo(sink(LiveViewMappings.values(), "metas"))
                    .uid("contents");
            env.execute();
        }
    }

    private <T> Sink<T> sink(LiveViewMapping<T> mapping, String name) {
        return RedisSink.<T>builder()
                .options(new LiveViewOptions(URI.create(server.url()), SecretRef.none(), "p:"))
                .mapping(mapping)
                .name(name)
                .build();
    }

    /** Times run backwards every now and then, so that the last event is not the one that came last. */
    private static EnrichedEvent event(long id) {
        return Samples.event("c" + id % CONTENTS, id, NOW_MICROS - (id * 7_919 % 1_000) * 1_000);
    }

    /** Every content is put; then every third one is deleted and the others are put again. */
    private static ContentChange change(long offset) {
        String contentId = "c" + offset % CONTENTS;
        Position position = new Position(0, offset, 0);
        return offset >= CONTENTS && offset % 3 == 0
                ? new ContentChange.Delete(contentId, position)
                : new ContentChange.Put(Samples.content(contentId), Unchanged.NOTHING, position);
    }

    private static Map<String, Object> oracle() {
        Map<String, LiveValue.Last> lasts = new HashMap<>();
        Map<String, Object> shown = new TreeMap<>();
        for (long id = 1; id <= EVENTS; id++) {
            LiveValue.Last last = new LiveValue.Last(event(id));
            lasts.merge(last.slot().id(), last, (some, other) -> other.newerThan(some) ? other : some);
            shown.merge(
                    "p:content:count:" + last.slot().id(),
                    "1",
                    (before, one) -> Long.toString(Long.parseLong((String) before) + 1));
        }
        lasts.forEach((contentId, last) -> shown.put(
                "p:content:last:" + contentId,
                new String(EventJson.enriched(last.enriched()), StandardCharsets.UTF_8)));
        for (long offset = CONTENTS; offset < 2 * CONTENTS; offset++) {
            if (change(offset) instanceof ContentChange.Put put) {
                shown.put(
                        "p:content:meta:" + put.content().id(),
                        Map.of(
                                "_version",
                                Long.toString(offset),
                                "slug",
                                "slug-" + put.content().id(),
                                "title",
                                "Title of " + put.content().id(),
                                "content_type",
                                "video",
                                "length_seconds",
                                "300",
                                "publish_ts",
                                "2026-01-08T14:21:52.000000Z"));
            }
        }
        return shown;
    }

    private Map<String, Object> shown() {
        Map<String, Object> shown = new TreeMap<>();
        try (Jedis redis = server.connect()) {
            for (String key : redis.keys("p:content:*")) {
                shown.put(key, redis.type(key).equals("hash") ? redis.hgetAll(key) : redis.get(key));
            }
        }
        return shown;
    }

    /** Fails after a completed checkpoint, as often as it is told to. */
    private static final class FailingEvents extends RichMapFunction<Long, EnrichedEvent>
            implements CheckpointListener {

        private static final long serialVersionUID = 1L;

        private long seen;
        private long completed;

        @Override
        public EnrichedEvent map(Long id) {
            seen++;
            if (completed >= 2 && seen > 1_000 && FAILURES_LEFT.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
                throw new IllegalStateException("failing as told");
            }
            return event(id);
        }

        @Override
        public void notifyCheckpointComplete(long checkpointId) {
            completed++;
        }
    }
}
