package dev.engagement.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.engagement.JobCluster;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EventJson;
import dev.engagement.event.Samples;
import dev.engagement.local.KafkaProcess;
import dev.engagement.local.KafkaServer;
import dev.engagement.local.ReceiverProcess;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.LongStream;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;

/** The job with delivery alone, on a real Kafka and a real receiver that is broken and mended. */
class DeliveryIT {

    private static final String TIMEOUT = "--delivery.timeout";

    private static final Path DIRECTORY = Path.of("target/it/delivery").toAbsolutePath();
    private static final byte[] KEY = "{\"id\":1}".getBytes(StandardCharsets.UTF_8);

    private static KafkaServer kafka;
    private static JobCluster cluster;
    private static Admin admin;
    private static KafkaProducer<byte[], byte[]> producer;

    private ReceiverProcess receiver;
    private String prefix;

    @BeforeAll
    static void start() throws Exception {
        // What an earlier run left would be delivered by this one.
        KafkaProcess.discard(DIRECTORY.resolve("kafka"));
        kafka = KafkaServer.start(DIRECTORY.resolve("kafka"), 0);
        Map<String, Object> client = Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, kafka.bootstrapServers());
        admin = Admin.create(client);
        // A topic just made may refuse a batch and take the one behind it; the first is then out of order until it
        // times out.
        Map<String, Object> inOrder = Map.of(
                ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
                kafka.bootstrapServers(),
                ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION,
                1);
        producer = new KafkaProducer<>(inOrder, new ByteArraySerializer(), new ByteArraySerializer());
        cluster = JobCluster.start(DIRECTORY, 2, 4, "hashmap");
    }

    @AfterAll
    static void stop() throws Exception {
        cluster.close();
        producer.close();
        admin.close();
        kafka.close();
    }

    @BeforeEach
    void startReceiver(TestInfo test) {
        prefix = test.getTestMethod().orElseThrow().getName();
        Path directory = DIRECTORY.resolve(prefix);
        ReceiverProcess.discard(directory);
        receiver = ReceiverProcess.start(directory, 0);
    }

    @AfterEach
    void stopReceiver() {
        receiver.close();
    }

    @Test
    void a_receiver_that_fails_and_hangs_delays_events_and_loses_none() throws Exception {
        JobID job = cluster.run(args("2"));
        writeContent();
        writeEvents(1, 500);
        awaitReceived(500);

        receiver.behave("{\"mode\":\"fail\"}");
        writeEvents(501, 1_500);
        awaitDiverted(500);
        receiver.behave("{\"mode\":\"hang\"}");
        writeEvents(1_501, 5_000);
        // Beside a receiver that does not answer at all, everything that comes passes, and checkpoints complete.
        awaitDiverted(4_000);
        cluster.awaitCheckpoint(job);
        cluster.replaceTaskManager(0);
        writeEvents(5_001, 6_000);
        cluster.awaitCheckpoint(job);
        cluster.replaceTaskManager(0);

        receiver.behave("[{\"mode\":\"reset\",\"share\":0.1},{\"mode\":\"lose\",\"share\":0.1},{\"mode\":\"ok\"}]");
        writeEvents(6_001, 6_500);
        awaitReceived(6_500);

        JsonNode stats = receiver.get("/stats");
        assertThat(stats.get("distinct").asLong()).as("one id for each event").isEqualTo(6_500);
        assertThat(stats.get("misnamed").asLong()).isZero();
        assertThat(stats.get("badSignatures").asLong()).isZero();
        assertThat(records(prefix + ".letters")).isEmpty();
        await().untilAsserted(() -> assertThat(ids(prefix + ".receipts")).hasSize(6_500));
        assertThat(cluster.status(job)).isEqualTo(JobStatus.RUNNING);
        cluster.cancel(job);
    }

    @Test
    void a_savepoint_in_the_middle_of_an_outage_is_restored_at_another_parallelism() throws Exception {
        String[] args = args("1", "--delivery.include-snapshot", "false", "--delivery.batch-size", "10");
        receiver.behave("{\"mode\":\"fail\",\"status\":500}");
        JobID job = cluster.run(args);
        writeContent();
        writeEvents(1, 600);
        write(snapshotOf(601));
        write(snapshotOf(602));
        write(Samples.event(602, 1));
        awaitDiverted(500);
        String savepoint = cluster.stop(job);
        writeEvents(603, 700);

        receiver.behave("{\"mode\":\"ok\"}");
        JobID again = cluster.runFrom(
                savepoint, args("4", "--delivery.include-snapshot", "false", "--delivery.batch-size", "10"));
        Set<Long> wanted = new TreeSet<>(LongStream.rangeClosed(1, 700).boxed().toList());
        wanted.remove(601L);
        await().untilAsserted(() -> assertThat(receivedIds()).isEqualTo(wanted));

        assertThat(receiver.get("/stats").get("misnamed").asLong()).isZero();
        assertThat(records(prefix + ".letters")).isEmpty();
        cluster.cancel(again);
    }

    @Test
    void final_answers_and_unreadable_records_become_letters_and_lost_records_stop_the_job() throws Exception {
        receiver.behave("{\"mode\":\"reject\",\"status\":422,\"times\":1}");
        JobID job = cluster.run(args("1"));
        writeContent();
        writeEvents(1, 1);
        await().until(() -> records(prefix + ".letters").size() == 1);
        producer.send(new ProducerRecord<>(prefix + ".retry", 3, null, "no key".getBytes(StandardCharsets.UTF_8)))
                .get();
        producer.send(new ProducerRecord<>(
                        prefix + ".retry",
                        3,
                        "77".getBytes(StandardCharsets.UTF_8),
                        "{\"event_id\":77}".getBytes(StandardCharsets.UTF_8)))
                .get();
        await().untilAsserted(() -> assertThat(receivedIds()).containsExactly(77L));

        List<JsonNode> letters = letters();
        assertThat(letters)
                .extracting(letter -> letter.get("reason").textValue())
                .containsExactlyInAnyOrder("UNDELIVERABLE", "UNDECODABLE");
        assertThat(letters)
                .filteredOn(letter -> letter.get("stage").textValue().equals("deliver"))
                .singleElement()
                .satisfies(letter -> {
                    assertThat(letter.get("error").textValue()).contains("422");
                    assertThat(letter.get("payload").textValue()).startsWith("{\"event_id\":1,");
                    assertThat(letter.get("source").get("topic").textValue()).isEqualTo(prefix + ".events");
                });
        String savepoint = cluster.stop(job);

        write(prefix + ".retry", 3, 5);
        admin.deleteRecords(Map.of(new TopicPartition(prefix + ".retry", 3), RecordsToDelete.beforeOffset(4)))
                .all()
                .get();
        JobID gap = cluster.runFrom(savepoint, args("1"));
        assertThat(cluster.awaitEnd(gap)).isEqualTo(JobStatus.FAILED);
        assertThat(cluster.failure(gap))
                .contains("Reading " + prefix + ".retry partition 3 was to continue at offset 2", "--accept-gap");
        assertThat(cluster.restarts(gap)).isZero();

        JobID accepted = cluster.runFrom(savepoint, args("1", "--accept-gap"));
        await().untilAsserted(() -> assertThat(receivedIds()).contains(1_002L, 1_004L));
        cluster.cancel(accepted);
    }

    @Test
    void what_is_done_with_leaves_the_retry_topic_and_neither_a_fresh_start_nor_an_older_savepoint_misses_it()
            throws Exception {
        // Posts are counted: none is repeated because the machine is slow.
        String[] args = args("2", "--delivery.retry-retention", "1 s", TIMEOUT, "1 h");
        TopicPartition partition = new TopicPartition(prefix + ".retry", 3);
        JobID job = cluster.run(args);
        await().ignoreExceptions().until(() -> beginning(partition) == 0);
        write(partition.topic(), 3, 10);
        awaitReceived(10);
        String older = cluster.stop(job);

        job = cluster.runFrom(older, args);
        write(partition.topic(), 3, 100);
        awaitReceived(100);
        await().until(() -> beginning(partition) == 110);
        cluster.cancel(job);
        long posted = receiver.get("/stats").get("received").asLong();

        JobID fresh = cluster.run(args);
        awaitDrained(fresh, partition, 2_000);
        assertThat(receiver.get("/stats").get("received").asLong())
                .as("nothing that was delivered before")
                .isEqualTo(posted + 1);
        cluster.cancel(fresh);

        // Its offset, 10, is no longer there: a later checkpoint had passed it, so that it is no gap.
        JobID restored = cluster.runFrom(older, args);
        awaitDrained(restored, partition, 3_000);
        assertThat(cluster.status(restored)).isEqualTo(JobStatus.RUNNING);
        assertThat(cluster.restarts(restored)).isZero();
        cluster.cancel(restored);
    }

    private void awaitDrained(JobID job, TopicPartition partition, long id) throws Exception {
        producer.send(new ProducerRecord<>(
                        partition.topic(),
                        partition.partition(),
                        Long.toString(id).getBytes(StandardCharsets.UTF_8),
                        ("{\"event_id\":" + id + "}").getBytes(StandardCharsets.UTF_8)))
                .get();
        await().untilAsserted(() -> assertThat(receivedIds()).contains(id));
        cluster.awaitCheckpoint(job);
    }

    private static long beginning(TopicPartition partition) throws Exception {
        return admin.listOffsets(Map.of(partition, OffsetSpec.earliest()))
                .partitionResult(partition)
                .get()
                .offset();
    }

    @Test
    void new_partitions_of_the_retry_topic_are_drained_while_the_job_runs_and_after_a_restore() throws Exception {
        // Posts are counted: none is repeated because the machine is slow.
        JobID job = cluster.run(args("2", TIMEOUT, "1 h"));
        String retry = prefix + ".retry";
        await().ignoreExceptions().until(() -> beginning(new TopicPartition(retry, 3)) == 0);
        admin.createPartitions(Map.of(retry, NewPartitions.increaseTo(18)))
                .all()
                .get();
        awaitDrained(job, new TopicPartition(retry, 17), 1_000);
        assertThat(cluster.restarts(job)).isZero();

        String savepoint = cluster.stop(job);
        admin.createPartitions(Map.of(retry, NewPartitions.increaseTo(20)))
                .all()
                .get();
        JobID restored = cluster.runFrom(savepoint, args("1", TIMEOUT, "1 h"));
        awaitDrained(restored, new TopicPartition(retry, 19), 2_000);
        awaitDrained(restored, new TopicPartition(retry, 17), 3_000);
        assertThat(receivedIds()).containsExactly(1_000L, 2_000L, 3_000L);
        assertThat(receiver.get("/stats").get("received").asLong()).isEqualTo(3);
        assertThat(cluster.restarts(restored)).isZero();
        cluster.cancel(restored);
    }

    /** Kafka says nothing of a partition that is not there, neither yes nor no, however long it is asked. */
    @Test
    void a_retry_topic_made_anew_with_fewer_partitions_stops_the_job_and_names_the_way_out() throws Exception {
        JobID job = cluster.run(args("2"));
        String retry = prefix + ".retry";
        await().ignoreExceptions().until(() -> beginning(new TopicPartition(retry, 3)) == 0);
        awaitDrained(job, new TopicPartition(retry, 3), 1_000);
        String savepoint = cluster.stop(job);
        admin.deleteTopics(List.of(retry)).all().get();
        await().ignoreExceptions().until(() -> {
            admin.createTopics(List.of(new NewTopic(retry, 2, (short) 1))).all().get();
            return true;
        });

        JobID restored = cluster.runFrom(savepoint, args("1"));

        assertThat(cluster.awaitEnd(restored)).isEqualTo(JobStatus.FAILED);
        assertThat(cluster.failure(restored)).contains(retry).contains("--accept-gap");
    }

    private String[] args(String parallelism, String... more) {
        List<String> args = new ArrayList<>(List.of(
                "stream",
                "--job.name",
                prefix,
                "--destinations",
                "delivery",
                "--parallelism",
                parallelism,
                "--kafka.bootstrap-servers",
                kafka.bootstrapServers(),
                "--kafka.topics.events",
                prefix + ".events",
                "--kafka.topics.content",
                prefix + ".content",
                "--kafka.topics.dead-letters",
                prefix + ".letters",
                "--kafka.topics.delivery-retry",
                prefix + ".retry",
                "--kafka.topics.delivery-receipts",
                prefix + ".receipts",
                "--delivery.url",
                receiver.url() + "/events",
                "--delivery.secret.secret-file",
                receiver.secretFile().toString(),
                "--delivery.receipts",
                "true",
                "--delivery.backoff-initial",
                "20 ms",
                "--delivery.backoff-max",
                "1 s",
                "--delivery.max-attempts",
                "1000",
                "--delivery.drain-rate",
                "100000"));
        args.addAll(List.of(more));
        if (!args.contains(TIMEOUT)) {
            args.addAll(List.of(TIMEOUT, "1 s"));
        }
        return args.toArray(String[]::new);
    }

    private void awaitReceived(long events) {
        await().untilAsserted(() -> assertThat(
                        receiver.get("/stats").get("distinctEvents").asLong())
                .isEqualTo(events));
    }

    private Set<Long> receivedIds() {
        Set<Long> ids = new TreeSet<>();
        for (JsonNode run : receiver.get("/received/ids").get("ids")) {
            LongStream.rangeClosed(run.get(0).asLong(), run.get(1).asLong()).forEach(ids::add);
        }
        return ids;
    }

    /** Until so many different events have been in the retry topic. */
    private void awaitDiverted(int events) {
        await().untilAsserted(() -> assertThat(ids(prefix + ".retry")).hasSizeGreaterThanOrEqualTo(events));
    }

    private static Set<Long> ids(String topic) {
        Set<Long> ids = new TreeSet<>();
        for (ConsumerRecord<byte[], byte[]> record : records(topic)) {
            ids.add(Long.parseLong(new String(record.key(), StandardCharsets.UTF_8)));
        }
        return ids;
    }

    private List<JsonNode> letters() throws Exception {
        List<JsonNode> letters = new ArrayList<>();
        for (ConsumerRecord<byte[], byte[]> record : records(prefix + ".letters")) {
            letters.add(new ObjectMapper().readTree(record.value()));
        }
        return letters;
    }

    private static List<ConsumerRecord<byte[], byte[]>> records(String topic) {
        List<ConsumerRecord<byte[], byte[]>> all = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                Map.of(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, kafka.bootstrapServers()),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
                    .map(each -> new TopicPartition(each.topic(), each.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (partitions.stream().anyMatch(each -> consumer.position(each) < ends.getOrDefault(each, 0L))) {
                consumer.poll(Duration.ofMillis(100)).forEach(all::add);
            }
        }
        return all;
    }

    private void writeContent() throws Exception {
        String content = "{\"op\":\"c\",\"after\":{\"id\":\"" + Samples.contentId(1)
                + "\",\"slug\":\"s\",\"title\":\"t\",\"content_type\":\"video\",\"length_seconds\":300,"
                + "\"publish_ts\":\"2026-01-01T00:00:00Z\"}}";
        producer.send(new ProducerRecord<>(prefix + ".content", KEY, content.getBytes(StandardCharsets.UTF_8)))
                .get();
    }

    private void writeEvents(long from, long to) {
        for (long id = from; id <= to; id++) {
            write(Samples.event(id, 1));
        }
        producer.flush();
    }

    private void write(EngagementEvent event) {
        var unused = producer.send(
                new ProducerRecord<>(prefix + ".events", (int) (event.id() % 16), KEY, EventJson.envelope(event)));
    }

    /** Deliveries of the events 1001 and following, by hand. */
    private static void write(String topic, int partition, int count) {
        for (int i = 0; i < count; i++) {
            long id = 1_000L + i;
            var unused = producer.send(new ProducerRecord<>(
                    topic,
                    partition,
                    Long.toString(id).getBytes(StandardCharsets.UTF_8),
                    ("{\"event_id\":" + id + "}").getBytes(StandardCharsets.UTF_8)));
        }
        producer.flush();
    }

    private static EngagementEvent snapshotOf(long id) {
        EngagementEvent event = Samples.event(id, 1);
        return new EngagementEvent(
                event.id(),
                event.contentId(),
                event.userId(),
                event.eventType(),
                event.eventTsMicros(),
                event.durationMs(),
                event.device(),
                event.rawPayload(),
                true,
                EngagementEvent.UNKNOWN_TIME,
                event.position());
    }
}
