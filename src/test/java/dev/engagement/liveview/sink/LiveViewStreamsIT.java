package dev.engagement.liveview.sink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.connection.SecretRef;
import dev.engagement.event.ContentChange;
import dev.engagement.event.ContentChange.Unchanged;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.EventJson;
import dev.engagement.event.Position;
import dev.engagement.event.RollupJson;
import dev.engagement.event.RollupRow;
import dev.engagement.event.Standings;
import dev.engagement.event.types.EventShards;
import dev.engagement.event.types.EventTypes;
import dev.engagement.event.types.RollupRowType;
import dev.engagement.liveview.LiveValue;
import dev.engagement.liveview.LiveViewKeys;
import dev.engagement.liveview.LiveViewOptions;
import dev.engagement.liveview.LiveViewRules;
import dev.engagement.liveview.Samples;
import dev.engagement.liveview.Tally;
import dev.engagement.local.RedisServer;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.api.common.state.CheckpointListener;
import org.apache.flink.api.connector.source.util.ratelimit.GuavaRateLimiter;
import org.apache.flink.api.connector.source.util.ratelimit.RateLimiter;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.resps.Tuple;

/** The whole live view in Flink jobs that fail on their way, on a real Redis, against what was sent in. */
class LiveViewStreamsIT {

    private static final int EVENTS = 100_000;
    private static final int CONTENTS = 97;
    private static final int BOARDS = 2_000;
    private static final int ROWS = 10_000;
    private static final int PARALLELISM = 2;
    /** Ahead, so that the boards of it, which live two minutes, outlive the test, however slow. */
    private static final long NOW_MICROS = (System.currentTimeMillis() + 600_000) * 1_000;

    private static final LiveViewKeys KEYS = new LiveViewKeys("p:");

    /** How often the test's jobs are to fail; static, since functions are serialized. */
    private static final AtomicInteger FAILURES_LEFT = new AtomicInteger();

    private RedisServer server;

    @BeforeEach
    void start() {
        server = RedisServer.start(Path.of("target/redis/LiveViewStreamsIT"), 0);
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void a_job_that_fails_after_a_checkpoint_ends_with_what_was_sent_in_and_a_second_run_changes_nothing()
            throws Exception {
        FAILURES_LEFT.set(2);
        run(1);
        assertThat(FAILURES_LEFT).as("failures that did not happen").hasValue(0);
        Map<String, Object> shown = shown();
        assertThat(shown).containsExactlyInAnyOrderEntriesOf(oracle());

        run(1);

        assertThat(shown()).containsExactlyInAnyOrderEntriesOf(shown);
    }

    @Test
    void of_two_jobs_at_once_one_of_which_goes_back_to_old_checkpoints_no_reader_sees_anything_go_back()
            throws Exception {
        FAILURES_LEFT.set(2);
        run(2);

        assertThat(FAILURES_LEFT).as("failures that did not happen").hasValue(0);
        assertThat(shown()).containsExactlyInAnyOrderEntriesOf(oracle());
    }

    private void run(int jobs) throws Exception {
        Configuration configuration = new Configuration();
        configuration.set(PipelineOptions.GENERIC_TYPES, false);
        configuration.set(PipelineOptions.AUTO_GENERATE_UIDS, false);
        configuration.set(PipelineOptions.OBJECT_REUSE, true);
        configuration.set(RestartStrategyOptions.RESTART_STRATEGY, "fixed-delay");
        configuration.set(RestartStrategyOptions.RESTART_STRATEGY_FIXED_DELAY_ATTEMPTS, 5);
        configuration.set(RestartStrategyOptions.RESTART_STRATEGY_FIXED_DELAY_DELAY, Duration.ofMillis(10));
        List<JobClient> clients = new ArrayList<>();
        for (int i = 0; i < jobs; i++) {
            StreamExecutionEnvironment env =
                    StreamExecutionEnvironment.createLocalEnvironment(PARALLELISM, configuration);
            env.setMaxParallelism(EventShards.SHARDS);
            env.enableCheckpointing(20);
            wire(env);
            clients.add(env.executeAsync());
        }
        try (Jedis redis = server.connect()) {
            Reader reader = new Reader(redis);
            for (JobClient client : clients) {
                var result = client.getJobExecutionResult();
                while (!result.isDone()) {
                    reader.look();
                }
                result.get();
            }
        }
    }

    private void wire(StreamExecutionEnvironment env) {
        LiveViewStreams view = new LiveViewStreams(
                new LiveViewOptions(URI.create(server.url()), SecretRef.none(), "p:"),
                new LiveViewRules(Duration.ofMinutes(1), false));
        DataStream<EnrichedEvent> unique = env.fromSequence(1, EVENTS)
                .uid("numbers")
                .map(new FailingEvents())
                .returns(EventTypes.ENRICHED)
                .uid("events")
                .keyBy(EventShards.ofEnriched(), EventShards.KEY_TYPE)
                .map(event -> event)
                .returns(EventTypes.ENRICHED)
                .uid("unique");
        view.lastEvents(unique, "last");
        view.counts(unique, "partials", "counts");
        view.contents(
                env.fromSequence(0, 2 * CONTENTS - 1)
                        .setParallelism(1)
                        .uid("offsets")
                        .map(LiveViewStreamsIT::change)
                        .setParallelism(1)
                        .returns(EventTypes.CONTENT_CHANGE)
                        .uid("changes"),
                "content changes",
                "contents");
        view.boards(
                env.fromSequence(1, BOARDS)
                        .setParallelism(1)
                        .uid("slides")
                        .map(LiveViewStreamsIT::standings)
                        .setParallelism(1)
                        .returns(EventTypes.STANDINGS)
                        .uid("standings"),
                "boards");
        view.rollups(
                // Of one window each subtask has versions of its own.
                env.fromSequence(1, ROWS)
                        .uid("windows")
                        .map(LiveViewStreamsIT::row)
                        .returns(RollupRowType.ROW)
                        .uid("rows"),
                List.of(Samples.METRICS),
                "rollups");
    }

    /** Times run backwards every now and then, so that the last event is not the one that came last. */
    private static EnrichedEvent event(long id) {
        return Samples.event("c" + id % CONTENTS, id, NOW_MICROS - (id * 7_919 % 1_000) * 1_000);
    }

    /** Every content is put; then every third one is deleted and the others are put again. */
    private static ContentChange change(long offset) {
        String contentId = "c" + offset % CONTENTS;
        Position position = new Position(0, offset, NOW_MICROS / 1_000);
        return offset >= CONTENTS && offset % 3 == 0
                ? new ContentChange.Delete(contentId, position)
                : new ContentChange.Put(Samples.content(contentId), Unchanged.NOTHING, position);
    }

    /** The score is the slide, so that a reader can tell which board it sees. */
    private static Standings standings(long slide) {
        List<Standings.Place> places =
                List.of(new Standings.Place("first", slide), new Standings.Place("second", slide));
        return new Standings(NOW_MICROS / 1_000 + slide, places, places);
    }

    /** The number is the version. */
    private static RollupRow row(long number) {
        return Samples.metric("t{" + number % 5 + "}", NOW_MICROS / 1_000 + number % 13 * 10_000, number);
    }

    private static Map<String, Object> oracle() {
        Map<String, LiveValue.Last> lasts = new HashMap<>();
        Map<String, Long> counts = new TreeMap<>();
        Map<String, Map<String, Long>> buckets = new TreeMap<>();
        for (long id = 1; id <= EVENTS; id++) {
            EnrichedEvent event = event(id);
            LiveValue.Last last = new LiveValue.Last(event);
            lasts.merge(last.id(), last, (some, other) -> other.newerThan(some) ? other : some);
            counts.merge(KEYS.count(last.id()), 1L, Long::sum);
            long minute = Tally.minuteOf(event.event().eventTsMicros());
            buckets.computeIfAbsent(KEYS.bucket(minute), any -> new TreeMap<>()).merge(last.id(), 1L, Long::sum);
        }
        Map<String, Object> shown = new TreeMap<>(buckets);
        counts.forEach((key, count) -> shown.put(key, count.toString()));
        lasts.forEach((contentId, last) -> shown.put(
                KEYS.last(contentId), new String(EventJson.enriched(last.enriched()), StandardCharsets.UTF_8)));
        for (long offset = CONTENTS; offset < 2 * CONTENTS; offset++) {
            if (change(offset) instanceof ContentChange.Put put) {
                String id = put.content().id();
                Map<String, String> fields = new TreeMap<>(Map.of(
                        "_version",
                        Long.toString(offset),
                        "slug",
                        "slug-" + id,
                        "title",
                        "Title of " + id,
                        "content_type",
                        "video",
                        "length_seconds",
                        "300",
                        "publish_ts",
                        "2026-01-08T14:21:52.000000Z"));
                shown.put(KEYS.meta(id), fields);
            }
        }
        // Five event types, thirteen windows of each.
        Map<String, Map<String, Long>> windows = new TreeMap<>();
        for (long number = ROWS - 5 * 13 + 1; number <= ROWS; number++) {
            RollupRow row = row(number);
            windows.computeIfAbsent(KEYS.windows(Samples.METRICS, row.key()), any -> new TreeMap<>())
                    .put(
                            new String(RollupJson.window(row, Samples.METRICS), StandardCharsets.UTF_8),
                            row.windowEndMillis());
        }
        shown.putAll(windows);
        shown.put(KEYS.topByEvents(), Map.of("first", (long) BOARDS, "second", (long) BOARDS));
        return shown;
    }

    private Map<String, Object> shown() {
        Map<String, Object> shown = new TreeMap<>();
        try (Jedis redis = server.connect()) {
            Set<String> keys = new TreeSet<>(redis.keys("p:*content:*"));
            keys.addAll(redis.keys("p:metric:*"));
            for (String key : keys) {
                switch (redis.type(key)) {
                    case "hash" -> shown.put(key, new TreeMap<>(redis.hgetAll(key)));
                    case "zset" -> {
                        Map<String, Long> members = new TreeMap<>();
                        for (Tuple member : redis.zrangeWithScores(key, 0, -1)) {
                            members.put(member.getElement(), (long) member.getScore());
                        }
                        shown.put(key, members);
                    }
                    default -> shown.put(key, redis.get(key));
                }
            }
            // Versions of boards and tombstones of contents are not for readers.
            shown.keySet().removeIf(key -> key.startsWith("p:version:") || key.startsWith("p:gone:"));
        }
        return shown;
    }

    /** Somebody who reads all the while. */
    private static final class Reader {
        private final Jedis redis;
        private final Map<String, Long> counts = new HashMap<>();
        private final Map<String, String> lastTimes = new HashMap<>();
        private double slide;

        Reader(Jedis redis) {
            this.redis = redis;
        }

        void look() {
            for (int i = 0; i < CONTENTS; i += 9) {
                String count = redis.get(KEYS.count("c" + i));
                long now = count == null ? 0 : Long.parseLong(count);
                assertThat(now).as("count of c" + i).isGreaterThanOrEqualTo(counts.getOrDefault("c" + i, 0L));
                counts.put("c" + i, now);
                String last = redis.get(KEYS.last("c" + i));
                if (last != null) {
                    String time = last.replaceAll("(?s).*?\"event_ts\":\"([^\"]+)\".*", "$1");
                    assertThat(time).as("last of c" + i).isGreaterThanOrEqualTo(lastTimes.getOrDefault("c" + i, ""));
                    lastTimes.put("c" + i, time);
                }
            }
            for (String board : List.of(KEYS.topByEvents(), KEYS.topByEngagement())) {
                List<Tuple> places = redis.zrangeWithScores(board, 0, -1);
                assertThat(places).as(board).hasSize(places.isEmpty() && slide == 0 ? 0 : 2);
            }
            List<Tuple> places = redis.zrangeWithScores(KEYS.topByEvents(), 0, -1);
            if (!places.isEmpty()) {
                assertThat(places.get(0).getScore()).isGreaterThanOrEqualTo(slide);
                assertThat(places.get(1).getScore()).isEqualTo(places.get(0).getScore());
                slide = places.get(0).getScore();
            }
        }
    }

    /** Fails after a completed checkpoint, as often as it is told to. */
    private static final class FailingEvents extends RichMapFunction<Long, EnrichedEvent>
            implements CheckpointListener {

        private static final long serialVersionUID = 1L;

        private static final int EVENTS_AT_ONCE = 100;
        private static final int RATHER_SLOW_FROM = EVENTS / PARALLELISM - 100 * EVENTS_AT_ONCE;

        private long seen;
        private long completed;
        private transient RateLimiter limiter;

        @Override
        public EnrichedEvent map(Long id) throws Exception {
            seen++;
            // Slow enough for checkpoints, until all failures have happened.
            if (seen % EVENTS_AT_ONCE == 0 && FAILURES_LEFT.get() > 0) {
                // And near the end of the numbers so slow that they do not end before.
                if (limiter == null || seen == RATHER_SLOW_FROM) {
                    limiter = new GuavaRateLimiter(seen < RATHER_SLOW_FROM ? 50 : 1);
                }
                limiter.acquire().toCompletableFuture().get();
            }
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
