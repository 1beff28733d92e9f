package dev.engagement.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.engagement.JobCluster;
import dev.engagement.ingest.EnvelopeShapes.EventRow;
import dev.engagement.ingest.EnvelopeShapes.Message;
import dev.engagement.ingest.EnvelopeShapes.Schemas;
import dev.engagement.local.testing.SharedServers;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.Jedis;

/** A stream restored at offsets that Kafka no longer has: it says so and stops, or goes on if it is told to. */
class MissingOffsetsIT {

    private static final Path DIRECTORY = Path.of("target/it/missing-offsets");
    private static final Duration TIMEOUT = Duration.ofMinutes(5);
    private static final String CONTENT = "c1";
    private static final int PARTITION = 1;

    private static SharedServers servers;
    private static JobCluster cluster;
    private static Admin admin;
    private static KafkaProducer<byte[], byte[]> producer;

    private final Instant now = Instant.now();
    private final EnvelopeShapes shapes = new EnvelopeShapes("x", Schemas.UNWRAPPED);

    @BeforeAll
    static void start() throws Exception {
        servers = SharedServers.lease(DIRECTORY);
        cluster = JobCluster.shared(DIRECTORY, "hashmap");
        Map<String, Object> client =
                Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, servers.kafka().bootstrapServers());
        admin = Admin.create(client);
        producer = new KafkaProducer<>(client, new ByteArraySerializer(), new ByteArraySerializer());
    }

    @AfterAll
    static void stop() throws Exception {
        producer.close();
        admin.close();
        cluster.close();
        servers.close();
    }

    @AfterEach
    void empty() {
        try (Jedis jedis = servers.redis().connect()) {
            jedis.flushAll();
        }
    }

    @Test
    void records_that_expired_before_they_were_read() throws Exception {
        String savepoint = savepointAfterTwentyEvents("expired");
        writeEvents("expired", 21, 40);
        admin.deleteRecords(Map.of(new TopicPartition(events("expired"), PARTITION), RecordsToDelete.beforeOffset(33)))
                .all()
                .get();

        assertStopsFor(
                savepoint,
                "expired",
                "Reading expired.public.engagement_events partition 1 was to continue at offset 20, but offsets 20 to 32"
                        + " (13 records at most) are gone",
                "restart with --accept-gap to continue at offset 33");
        // Events 34 to 40 stand at the offsets from 33 on.
        assertGoesOn(savepoint, "expired", 20 + 7);
    }

    /** More stands in the new topic than was read of the old one: the offset is there, and is another topic's. */
    @Test
    void a_topic_that_was_made_anew() throws Exception {
        String savepoint = savepointAfterTwentyEvents("anew");
        String old = topicId("anew");
        admin.deleteTopics(List.of(events("anew"))).all().get();
        recreate(events("anew"));
        writeEvents("anew", 101, 130);

        assertStopsFor(
                savepoint,
                "anew",
                "Topic anew.public.engagement_events was deleted and made again: its id was " + old + " and is "
                        + topicId("anew") + " now",
                "restart with --accept-gap to continue at the beginning of the new topic");
        assertGoesOn(savepoint, "anew", 20 + 30);
    }

    @Test
    void a_topic_that_is_made_anew_while_it_is_read() throws Exception {
        JobID job = twentyEvents("meanwhile");
        admin.deleteTopics(List.of(events("meanwhile"))).all().get();
        recreate(events("meanwhile"));
        writeEvents("meanwhile", 101, 130);

        assertThat(cluster.awaitEnd(job)).isEqualTo(JobStatus.FAILED);
        assertThat(cluster.failure(job))
                .contains("meanwhile.public.engagement_events")
                .contains("--accept-gap");
    }

    private static String topicId(String prefix) throws Exception {
        return admin.describeTopics(List.of(events(prefix)))
                .allTopicNames()
                .get()
                .get(events(prefix))
                .topicId()
                .toString();
    }

    private String savepointAfterTwentyEvents(String prefix) throws Exception {
        return cluster.stop(twentyEvents(prefix));
    }

    private JobID twentyEvents(String prefix) throws Exception {
        JobID job = cluster.run(args(prefix));
        send(
                prefix + ".public.content",
                0,
                shapes.insert(new EnvelopeShapes.ContentRow(CONTENT, "s", "t", "video", 300, now), now));
        writeEvents(prefix, 1, 20);
        awaitCount(20);
        return job;
    }

    private static void assertStopsFor(String savepoint, String prefix, String what, String wayOut) throws Exception {
        JobID job = cluster.runFrom(savepoint, args(prefix));

        assertThat(cluster.awaitEnd(job)).isEqualTo(JobStatus.FAILED);
        assertThat(cluster.failure(job)).contains(what).contains(wayOut);
        assertThat(cluster.restarts(job))
                .as("a restart would meet the same gap")
                .isZero();
    }

    private void assertGoesOn(String savepoint, String prefix, int count) throws Exception {
        JobID job = cluster.runFrom(savepoint, args(prefix, "--accept-gap"));
        awaitCount(count);
        writeEvents(prefix, 201, 210);
        awaitCount(count + 10);

        assertThat(cluster.status(job)).isEqualTo(JobStatus.RUNNING);
        assertThat(cluster.restarts(job)).isZero();
        cluster.cancel(job);
    }

    private static void awaitCount(int count) {
        await().atMost(TIMEOUT).pollInterval(Duration.ofMillis(50)).untilAsserted(() -> {
            try (Jedis jedis = servers.redis().connect()) {
                assertThat(jedis.get("content:count:" + CONTENT)).isEqualTo(Integer.toString(count));
            }
        });
    }

    /** Kafka deletes a topic a little later than it says. */
    private static void recreate(String topic) {
        await().atMost(TIMEOUT)
                .ignoreExceptionsMatching(e -> e.getCause() instanceof TopicExistsException)
                .until(() -> {
                    admin.createTopics(List.of(new NewTopic(topic, 16, (short) 1)))
                            .all()
                            .get();
                    return true;
                });
    }

    private void writeEvents(String prefix, int from, int to) throws Exception {
        for (int id = from; id <= to; id++) {
            send(
                    events(prefix),
                    PARTITION,
                    shapes.insert(new EventRow(id, CONTENT, null, "play", now, 7_000, null, null), now));
        }
    }

    private static void send(String topic, int partition, Message message) throws Exception {
        producer.send(new ProducerRecord<>(topic, partition, message.key(), message.value()))
                .get();
    }

    private static String events(String prefix) {
        return prefix + ".public.engagement_events";
    }

    private static String[] args(String prefix, String... more) {
        return Stream.concat(
                        Stream.of(
                                "stream",
                                "--kafka.bootstrap-servers",
                                servers.kafka().bootstrapServers(),
                                "--kafka.topic-prefix",
                                prefix,
                                "--redis.url",
                                servers.redis().url(),
                                "--destinations",
                                "liveview",
                                "--enrichment.content-wait",
                                "5 min"),
                        Stream.of(more))
                .toArray(String[]::new);
    }
}
