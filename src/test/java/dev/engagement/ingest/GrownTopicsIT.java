package dev.engagement.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.engagement.JobCluster;
import dev.engagement.ingest.EnvelopeShapes.ContentRow;
import dev.engagement.ingest.EnvelopeShapes.EventRow;
import dev.engagement.ingest.EnvelopeShapes.Message;
import dev.engagement.ingest.EnvelopeShapes.Schemas;
import dev.engagement.local.testing.SharedServers;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.Jedis;

/** Topics that get more partitions while they are read, and while nobody reads them. */
class GrownTopicsIT {

    private static final Path DIRECTORY = Path.of("target/it/grown-topics");
    private static final Duration TIMEOUT = Duration.ofMinutes(5);
    private static final String EVENTS = "grown.public.engagement_events";
    private static final String CONTENT = "grown.public.content";

    private static SharedServers servers;
    private static JobCluster cluster;
    private static Admin admin;
    private static KafkaProducer<byte[], byte[]> producer;

    private final EnvelopeShapes shapes = new EnvelopeShapes("x", Schemas.UNWRAPPED);

    @BeforeAll
    static void start() throws Exception {
        servers = SharedServers.lease(DIRECTORY);
        cluster = JobCluster.shared(DIRECTORY, "hashmap");
        Map<String, Object> client =
                Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, servers.kafka().bootstrapServers());
        admin = Admin.create(client);
        producer = new KafkaProducer<>(
                Map.of(
                        ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
                        servers.kafka().bootstrapServers(),
                        // It hears of new partitions at once.
                        ProducerConfig.METADATA_MAX_AGE_CONFIG,
                        "100"),
                new ByteArraySerializer(),
                new ByteArraySerializer());
    }

    @AfterAll
    static void stop() throws Exception {
        producer.close();
        admin.close();
        cluster.close();
        servers.close();
    }

    @Test
    void new_partitions_are_read_from_their_beginning_while_the_job_runs_and_after_a_restore() throws Exception {
        JobID job = cluster.run(args());
        writeContent(0, "old");
        writeEvent(1, 3, "old");
        awaitCount("old", 1);

        grow(EVENTS, 20);
        grow(CONTENT, 2);
        for (int partition = 16; partition < 20; partition++) {
            writeEvent(100 + partition, partition, "old");
        }
        // Its content stands in a partition that nobody knows of yet.
        writeContent(1, "new");
        writeEvent(2, 18, "new");
        awaitCount("old", 5);
        awaitCount("new", 1);
        // Event time passes the events of the new partitions: of all partitions, that is.
        awaitOnBoard("new", 1);
        awaitOnBoard("old", 5);
        assertThat(cluster.restarts(job)).isZero();

        String savepoint = cluster.stop(job);
        grow(EVENTS, 22);
        writeEvent(3, 21, "new");
        writeEvent(4, 18, "new");
        JobID restored = cluster.runFrom(savepoint, args());
        awaitCount("new", 3);
        awaitOnBoard("new", 3);

        assertThat(cluster.status(restored)).isEqualTo(JobStatus.RUNNING);
        assertThat(cluster.restarts(restored)).isZero();
        cluster.cancel(restored);
    }

    private static void grow(String topic, int partitions) throws Exception {
        admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(partitions)))
                .all()
                .get();
        await().atMost(TIMEOUT).until(() -> producer.partitionsFor(topic).size() == partitions);
    }

    private static void awaitCount(String content, int count) {
        await().atMost(TIMEOUT).pollInterval(Duration.ofMillis(50)).untilAsserted(() -> {
            try (Jedis jedis = servers.redis().connect()) {
                assertThat(jedis.get("content:count:" + content)).isEqualTo(Integer.toString(count));
            }
        });
    }

    private static void awaitOnBoard(String content, int events) {
        await().atMost(TIMEOUT).pollInterval(Duration.ofMillis(50)).untilAsserted(() -> {
            try (Jedis jedis = servers.redis().connect()) {
                assertThat(jedis.zscore("top:content:10m", content)).isEqualTo(events);
            }
        });
    }

    private void writeContent(int partition, String id) throws Exception {
        Instant now = Instant.now();
        send(CONTENT, partition, shapes.insert(new ContentRow(id, "s", "t", "video", 300, now), now));
    }

    private void writeEvent(int id, int partition, String content) throws Exception {
        Instant now = Instant.now();
        send(EVENTS, partition, shapes.insert(new EventRow(id, content, null, "play", now, 7_000, null, null), now));
    }

    private static void send(String topic, int partition, Message message) throws Exception {
        producer.send(new ProducerRecord<>(topic, partition, message.key(), message.value()))
                .get();
    }

    private static String[] args() {
        return new String[] {
            "stream",
            "--kafka.bootstrap-servers",
            servers.kafka().bootstrapServers(),
            "--kafka.topic-prefix",
            "grown",
            "--redis.url",
            servers.redis().url(),
            "--destinations",
            "liveview"
        };
    }
}
