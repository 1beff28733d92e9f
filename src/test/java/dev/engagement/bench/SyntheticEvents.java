package dev.engagement.bench;

import dev.engagement.event.Content;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EngagementRule;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.Position;
import dev.engagement.event.types.EventShards;
import dev.engagement.event.types.EventTypes;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.IntStream;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.api.connector.source.util.ratelimit.RateLimiterStrategy;
import org.apache.flink.connector.datagen.source.DataGeneratorSource;
import org.apache.flink.connector.datagen.source.GeneratorFunction;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.jspecify.annotations.Nullable;

/**
 * Events as they leave dedupe, without what it takes to get them there: each new, with an id of its subtask's shards and a
 * text of its own for the content's id, of which the hash is known, as enrichment leaves it.
 */
final class SyntheticEvents implements GeneratorFunction<Long, EnrichedEvent> {

    private static final long serialVersionUID = 1L;

    private static final long OUT_OF_ORDERNESS_MILLIS = 2_000;

    /** Event time from one watermark to the next, as they come in a job that keeps up. */
    private static final long WATERMARK_MILLIS = 200;

    private static final String USER = "9b2f6c1e-6a5c-4f0e-8d55-0c9a3f7d1b42";
    private static final String PAYLOAD = "{\"app\": \"8.2.1\", \"position\": 4711, \"referrer\": \"home\"}";

    /** Kept from job to job, as drawing them is no part of any. */
    private static final Map<Draw, int[]> DRAWN = new ConcurrentHashMap<>();

    private static final Map<Integer, Content[]> CONTENTS = new ConcurrentHashMap<>();

    private static final Map<Integer, byte[][]> IDS = new ConcurrentHashMap<>();

    /** Made by jobs of this process. */
    private static final LongAdder MADE = new LongAdder();

    private record Draw(Load load, int contents, int count, int subtask) {}

    private final Load load;
    private final int contentCount;
    private final int eventsOfASubtask;
    private final @Nullable EventHour time;

    private transient int[] draws;
    private transient Content[] contents;
    private transient byte[][] ids;
    private transient int[] shards;
    private transient int subtask;
    private transient int parallelism;
    private transient int made;
    private transient int hashes;

    private SyntheticEvents(Load load, int contentCount, int eventsOfASubtask, @Nullable EventHour time) {
        this.load = load;
        this.contentCount = contentCount;
        this.eventsOfASubtask = eventsOfASubtask;
        this.time = time;
    }

    /** As fast as they are taken, at their event time. */
    static DataStream<EnrichedEvent> of(
            StreamExecutionEnvironment env, Load load, int contents, int events, EventHour time) {
        SyntheticEvents generator = new SyntheticEvents(load, contents, events / BenchCluster.PARALLELISM, time);
        return source(env, new DataGeneratorSource<>(generator, events, EventTypes.ENRICHED));
    }

    /** So many a second, which happen as they are made. */
    static DataStream<EnrichedEvent> paced(
            StreamExecutionEnvironment env, Load load, int contents, int events, int perSecond) {
        SyntheticEvents generator = new SyntheticEvents(load, contents, events / BenchCluster.PARALLELISM, null);
        return source(
                env,
                new DataGeneratorSource<>(
                        generator, events, RateLimiterStrategy.perSecond(perSecond), EventTypes.ENRICHED));
    }

    private static DataStream<EnrichedEvent> source(
            StreamExecutionEnvironment env, DataGeneratorSource<EnrichedEvent> source) {
        return env.fromSource(
                source,
                WatermarkStrategy.<EnrichedEvent>forGenerator(context -> new Clock())
                        .withTimestampAssigner(
                                (enriched, any) -> enriched.event().eventTsMicros() / 1_000),
                "synthetic events");
    }

    /** Draws beforehand what a job would draw when it starts. */
    static void prepare(Load load, int contents, int events) {
        for (int subtask = 0; subtask < BenchCluster.PARALLELISM; subtask++) {
            draws(load, contents, events / BenchCluster.PARALLELISM, subtask);
        }
        ids(contents);
    }

    /** Forgets what was drawn. */
    static void forget() {
        DRAWN.clear();
        CONTENTS.clear();
        IDS.clear();
    }

    /** How many events jobs of this process have made so far. */
    static long made() {
        return MADE.sum();
    }

    /** The contents of which there are events. */
    static Content[] contents(int count) {
        return CONTENTS.computeIfAbsent(count, any -> IntStream.range(0, count)
                .mapToObj(number -> new Content(
                        BenchEnvelopes.contentId(number),
                        "slug-" + number,
                        "Title of number " + number,
                        "podcast",
                        60 + number % 3_600,
                        1_767_225_600_000_000L))
                .toArray(Content[]::new));
    }

    private static byte[][] ids(int count) {
        return IDS.computeIfAbsent(count, any -> Arrays.stream(contents(count))
                .map(content -> content.id().getBytes(StandardCharsets.ISO_8859_1))
                .toArray(byte[][]::new));
    }

    private static int[] draws(Load load, int contents, int count, int subtask) {
        return DRAWN.computeIfAbsent(
                new Draw(load, contents, count, subtask), draw -> load.draw(count, contents, 41L + subtask));
    }

    @Override
    public void open(SourceReaderContext context) {
        subtask = context.getIndexOfSubtask();
        parallelism = context.currentParallelism();
        draws = draws(load, contentCount, eventsOfASubtask, subtask);
        contents = contents(contentCount);
        ids = ids(contentCount);
        shards = IntStream.range(0, EventShards.SHARDS)
                .filter(shard -> subtask
                        == KeyGroupRangeAssignment.assignKeyToParallelOperator(
                                EventShards.keyOf(shard), EventShards.SHARDS, parallelism))
                .toArray();
        made = 0;
    }

    @Override
    public EnrichedEvent map(Long number) {
        int next = made++;
        int draw = draws[next % draws.length];
        Content content = contents[draw];
        String contentId = new String(ids[draw], StandardCharsets.ISO_8859_1);
        hashes ^= contentId.hashCode();
        long micros =
                time == null ? System.currentTimeMillis() * 1_000 : time.microsOf((long) next * parallelism + subtask);
        int durationMs = (next & 3) == 0 ? EngagementEvent.NO_DURATION : (int) (mixed(next) % 600_000);
        long id = (long) (next / shards.length) * EventShards.SHARDS + shards[next % shards.length];
        EngagementEvent event = new EngagementEvent(
                id,
                contentId,
                USER,
                "play",
                micros,
                durationMs,
                "web",
                PAYLOAD,
                false,
                micros / 1_000,
                new Position(subtask, next, micros / 1_000));
        if (time == null) {
            MADE.increment();
        }
        return EngagementRule.DEFAULT.enrich(event, content);
    }

    private static long mixed(int number) {
        return number * 0x9E37_79B9_7F4A_7C15L >>> 33;
    }

    /** So that no hash is left out for not being used. */
    @Override
    public String toString() {
        return load.text + " " + hashes;
    }

    private static final class Clock implements WatermarkGenerator<EnrichedEvent>, Serializable {
        private static final long serialVersionUID = 1L;

        private long nextMillis = Long.MIN_VALUE;

        @Override
        public void onEvent(EnrichedEvent enriched, long millis, WatermarkOutput output) {
            if (millis >= nextMillis) {
                nextMillis = millis + WATERMARK_MILLIS;
                output.emitWatermark(new Watermark(millis - OUT_OF_ORDERNESS_MILLIS - 1));
            }
        }

        @Override
        public void onPeriodicEmit(WatermarkOutput output) {
            // With the events, so that it is the same at any speed.
        }
    }
}
