package dev.engagement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.engagement.connection.KafkaConnection;
import dev.engagement.connection.KafkaTopics;
import dev.engagement.connection.KafkaTopics.Topic;
import dev.engagement.dedupe.DedupeOptions;
import dev.engagement.enrichment.EnrichmentOptions;
import dev.engagement.event.EngagementRule;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.EventJson;
import dev.engagement.event.Samples;
import dev.engagement.event.types.EventTypes;
import dev.engagement.ingest.EventRules;
import dev.engagement.ingest.EventTimeOptions;
import dev.engagement.ingest.IngestFormat;
import dev.engagement.ingest.IngestOptions;
import dev.engagement.local.KafkaServer;
import dev.engagement.pipeline.Destinations;
import dev.engagement.pipeline.EngagementPipeline;
import dev.engagement.pipeline.Rules;
import dev.engagement.pipeline.Sources;
import dev.engagement.ranking.RankingOptions;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.util.FileUtils;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Event time behind the whole pipeline, where destinations see it, with more readers than either topic has partitions: two
 * of events, one of contents, parallelism four.
 */
class EventTimeIT {

    private static final Path DIRECTORY = Path.of("target/it/event-time");
    private static final Duration TIMEOUT = Duration.ofMinutes(5);
    private static final int PARALLELISM = 4;
    private static final int CHECKPOINTS_WITHOUT_KAFKA = 10;
    private static final Duration CHECKPOINT_INTERVAL = Duration.ofMillis(200);
    private static final String EVENTS = "event-time.events";
    private static final String CONTENT = "event-time.content";
    private static final Duration OUT_OF_ORDERNESS = Duration.ofMillis(500);
    private static final EventTimeOptions OPTIONS =
            new EventTimeOptions(OUT_OF_ORDERNESS, Duration.ofMinutes(1), Duration.ofMillis(400));

    private static KafkaServer kafka;
    private static JobCluster cluster;

    @BeforeAll
    static void start() throws Exception {
        FileUtils.deleteDirectory(DIRECTORY.toFile());
        // Of its own, since it is killed.
        kafka = KafkaServer.start(DIRECTORY.resolve("kafka"), 0);
        cluster = JobCluster.shared(DIRECTORY, "hashmap");
        KafkaTopics.ensure(
                connection(), (short) 1, List.of(new Topic(EVENTS, 2, Map.of()), new Topic(CONTENT, 1, Map.of())));
    }

    @AfterAll
    static void stop() throws Exception {
        cluster.close();
        kafka.close();
    }

    @Test
    void event_time_follows_the_wall_clock_when_idle_and_only_then() throws Exception {
        JobID job = cluster.run(pipeline());

        // Nothing has ever been in the topics.
        long started = System.currentTimeMillis();
        awaitTime(started);

        // An event from next year is read, and moves nothing.
        long aYearAhead = System.currentTimeMillis() + Duration.ofDays(365).toMillis();
        write(
                CONTENT,
                0,
                "{\"op\":\"c\",\"after\":{\"id\":\"" + Samples.contentId(1)
                        + "\",\"slug\":\"s\",\"title\":\"t\",\"content_type\":\"video\",\"length_seconds\":1,"
                        + "\"publish_ts\":\"2026-01-01T00:00:00Z\"}}");
        write(EVENTS, 1, event(1, aYearAhead));
        await().atMost(TIMEOUT).pollInterval(Duration.ofMillis(20)).until(() -> Observer.EVENTS.get() == 1);
        awaitTime(System.currentTimeMillis());
        assertThat(Observer.LARGEST_LEAD.get())
                .as("watermark - wall clock, at the most")
                .isLessThanOrEqualTo(-OUT_OF_ORDERNESS.toMillis());

        kafka.kill();
        long killed = System.currentTimeMillis();
        // The readers go on, and hand over what they have with each checkpoint: nothing that follows the wall clock.
        for (int i = 0; i < CHECKPOINTS_WITHOUT_KAFKA; i++) {
            cluster.awaitCheckpoint(job);
        }
        assertThat(System.currentTimeMillis() - killed)
                .as("long enough for an idle source to have moved event time")
                .isGreaterThan(OPTIONS.idleTimeout().plus(OUT_OF_ORDERNESS).toMillis());
        assertThat(Observer.newest()).isLessThan(killed);

        kafka.restart();
        write(EVENTS, 0, event(2, System.currentTimeMillis()));
        await().atMost(TIMEOUT).pollInterval(Duration.ofMillis(20)).until(() -> Observer.EVENTS.get() == 2);
        awaitTime(System.currentTimeMillis());

        assertThat(cluster.status(job)).isEqualTo(JobStatus.RUNNING);
        assertThat(cluster.restarts(job)).isZero();
    }

    /** Until every subtask downstream knows that it is this late. */
    private static void awaitTime(long millis) {
        await().atMost(TIMEOUT).pollInterval(Duration.ofMillis(20)).untilAsserted(() -> assertThat(Observer.oldest())
                .isGreaterThanOrEqualTo(millis));
    }

    private static StreamExecutionEnvironment pipeline() {
        Configuration configuration = new Configuration();
        configuration.set(PipelineOptions.AUTO_GENERATE_UIDS, false);
        configuration.set(PipelineOptions.OBJECT_REUSE, true);
        configuration.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, CHECKPOINT_INTERVAL);
        StreamExecutionEnvironment env = new StreamExecutionEnvironment(configuration);
        env.setParallelism(PARALLELISM);
        env.setMaxParallelism(128);
        IngestOptions ingest = new IngestOptions(
                connection(),
                EVENTS,
                CONTENT,
                "event-time",
                MemorySize.ofMebiBytes(1),
                false,
                OPTIONS,
                EventRules.DEFAULT,
                null,
                IngestFormat.AUTO);
        EngagementPipeline.wire(
                Sources.ofTopics(env, ingest),
                new Rules(
                        EVENTS,
                        OPTIONS,
                        new EnrichmentOptions(EngagementRule.DEFAULT, TIMEOUT, true),
                        DedupeOptions.DEFAULT,
                        RankingOptions.DEFAULT),
                new Destinations(
                        (unique, standings, contentChanges) -> unique.transform(
                                        "observe", EventTypes.ENRICHED, new Observer())
                                .uid("observe"),
                        stages -> {}));
        return env;
    }

    private static KafkaConnection connection() {
        return new KafkaConnection(kafka.bootstrapServers(), Map.of());
    }

    private static String event(long id, long eventMillis) {
        return new String(
                EventJson.envelope(Samples.event(id, 1, Math.multiplyExact(eventMillis, 1_000L))),
                StandardCharsets.UTF_8);
    }

    private static void write(String topic, int partition, String value) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, kafka.bootstrapServers()),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
            byte[] key = "{\"id\":1}".getBytes(StandardCharsets.UTF_8);
            producer.send(new ProducerRecord<>(topic, partition, key, value.getBytes(StandardCharsets.UTF_8)))
                    .get();
        }
    }

    /** Keeps what it sees where the test, in the same JVM, can look. */
    private static final class Observer extends AbstractStreamOperator<EnrichedEvent>
            implements OneInputStreamOperator<EnrichedEvent, EnrichedEvent> {

        private static final long serialVersionUID = 1L;

        private static final AtomicLongArray WATERMARKS = new AtomicLongArray(PARALLELISM);
        private static final AtomicLong LARGEST_LEAD = new AtomicLong(Long.MIN_VALUE);
        private static final AtomicInteger EVENTS = new AtomicInteger();

        static long oldest() {
            long oldest = Long.MAX_VALUE;
            for (int i = 0; i < PARALLELISM; i++) {
                oldest = Math.min(oldest, WATERMARKS.get(i));
            }
            return oldest;
        }

        static long newest() {
            long newest = Long.MIN_VALUE;
            for (int i = 0; i < PARALLELISM; i++) {
                newest = Math.max(newest, WATERMARKS.get(i));
            }
            return newest;
        }

        @Override
        public void processElement(StreamRecord<EnrichedEvent> element) {
            EVENTS.incrementAndGet();
        }

        @Override
        public void processWatermark(Watermark mark) throws Exception {
            super.processWatermark(mark);
            WATERMARKS.set(subtask(), mark.getTimestamp());
            LARGEST_LEAD.accumulateAndGet(mark.getTimestamp() - System.currentTimeMillis(), Math::max);
        }

        private int subtask() {
            return getRuntimeContext().getTaskInfo().getIndexOfThisSubtask();
        }
    }
}
