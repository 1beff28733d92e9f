package dev.engagement.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.engagement.JobCluster;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EventJson;
import dev.engagement.ingest.EnvelopeShapes.EventRow;
import dev.engagement.ingest.EnvelopeShapes.Message;
import dev.engagement.ingest.EnvelopeShapes.Schemas;
import dev.engagement.local.FlinkRest;
import dev.engagement.local.FlinkRest.Aggregation;
import dev.engagement.local.KafkaServer;
import dev.engagement.local.testing.Groups;
import dev.engagement.local.testing.SharedServers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.Jedis;

/** The whole corpus, among good events, through the running job: it goes on, and each record is accounted for. */
class BadInputIT {

    private static final Path DIRECTORY = Path.of("target/it/bad-input");
    private static final Duration TIMEOUT = Duration.ofMinutes(5);
    private static final String LETTERS_TOPIC = "engagement.dead-letters";
    private static final int PARTITIONS = 4;
    private static final int GOOD_EVENTS = 200;
    private static final int UNRESOLVED_EVENTS = 9;
    private static final long FIRST_GOOD_ID = 5_000_000;
    private static final String GOOD_CONTENT = "good-content";
    private static final String CONTENT_THAT_NEVER_COMES = "content-that-never-comes";
    private static final int SHOWN_BYTES = 200;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final EnvelopeShapes shapes = new EnvelopeShapes("dbserver1", Schemas.UNWRAPPED);
    private final Instant now = Instant.now();
    private final Map<String, String> expectedLetters = new TreeMap<>();
    private final Map<String, Long> expectedKinds = new TreeMap<>();

    private SharedServers servers;
    private JobCluster cluster;
    private KafkaProducer<byte[], byte[]> producer;

    @BeforeEach
    void start() throws Exception {
        servers = SharedServers.lease(DIRECTORY);
        cluster = JobCluster.shared(DIRECTORY, "hashmap");
        try (Admin admin = Admin.create(Map.<String, Object>of(
                ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, servers.kafka().bootstrapServers()))) {
            // Not compacted, as its own broker would have it: keys that are null belong to the corpus.
            admin.createTopics(List.of(
                            new NewTopic(DebeziumCase.EVENTS_TOPIC, PARTITIONS, (short) 1)
                                    .configs(Map.of("max.message.bytes", "8388608")),
                            new NewTopic(DebeziumCase.CONTENT_TOPIC, 1, (short) 1)
                                    .configs(Map.of("max.message.bytes", "8388608"))))
                    .all()
                    .get();
        }
        producer = new KafkaProducer<>(
                Map.of(
                        ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
                        servers.kafka().bootstrapServers(),
                        ProducerConfig.MAX_REQUEST_SIZE_CONFIG,
                        8 * 1024 * 1024),
                new ByteArraySerializer(),
                new ByteArraySerializer());
    }

    @AfterEach
    void stop() throws Exception {
        producer.close();
        cluster.close();
        servers.close();
    }

    @Test
    void bad_input_becomes_letters_and_never_restarts_the_job() throws Exception {
        List<DebeziumCase> contents = new ArrayList<>();
        List<DebeziumCase> events = new ArrayList<>();
        DebeziumCase.all().forEach(c -> (c.onEvents() ? events : contents).add(c));
        // The deletes first: of the corpus's events, each finds its content.
        contents.sort(Comparator.comparing(c -> !c.expected().has("deleted")));
        for (DebeziumCase c : contents) {
            write(c, 0);
        }
        writeContent();
        JobID job = cluster.run(
                "stream",
                "--kafka.bootstrap-servers",
                servers.kafka().bootstrapServers(),
                "--redis.url",
                servers.redis().url(),
                "--destinations",
                "liveview",
                "--enrichment.content-wait",
                "100 ms");
        // Or it would depend on who is read first which events find their content.
        Groups.awaitRead(servers.kafka(), Groups.STREAM, DebeziumCase.CONTENT_TOPIC);
        Collections.shuffle(events, new Random(7));
        int good = 0;
        for (DebeziumCase c : events) {
            write(c, good % PARTITIONS);
            if (good < GOOD_EVENTS) {
                writeEvent(FIRST_GOOD_ID + good, GOOD_CONTENT, good % PARTITIONS);
                good++;
            }
        }
        for (; good < GOOD_EVENTS; good++) {
            writeEvent(FIRST_GOOD_ID + good, GOOD_CONTENT, good % PARTITIONS);
        }
        for (int i = 0; i < UNRESOLVED_EVENTS; i++) {
            writeEvent(FIRST_GOOD_ID + GOOD_EVENTS + i, CONTENT_THAT_NEVER_COMES, i % PARTITIONS);
        }

        await().atMost(TIMEOUT).pollInterval(Duration.ofMillis(50)).untilAsserted(() -> {
            assertThat(letters()).isEqualTo(expectedLetters);
            try (Jedis jedis = servers.redis().connect()) {
                assertThat(jedis.get("content:count:" + GOOD_CONTENT)).isEqualTo(Integer.toString(GOOD_EVENTS));
                assertThat(jedis.get("content:count:" + CONTENT_THAT_NEVER_COMES))
                        .isNull();
            }
        });
        FlinkRest rest = new FlinkRest(cluster.rest());
        await().atMost(TIMEOUT).pollInterval(Duration.ofMillis(50)).untilAsserted(() -> {
            Map<String, Long> counted = new TreeMap<>();
            rest.metrics(
                            job.toHexString(),
                            Map.of(
                                    "accepted", Aggregation.SUM,
                                    "ignored", Aggregation.SUM,
                                    "deadLetters", Aggregation.SUM))
                    .forEach((kind, value) -> counted.put(kind, value.longValue()));
            assertThat(counted).isEqualTo(expectedKinds);
        });
        assertThat(expectedKinds.values().stream().mapToLong(Long::longValue).sum())
                .as("accepted + ignored + dead letters = what is in the topics")
                .isEqualTo(DebeziumCase.all().size() + 1 + GOOD_EVENTS + UNRESOLVED_EVENTS);
        assertThat(cluster.status(job)).isEqualTo(JobStatus.RUNNING);
        assertThat(cluster.restarts(job)).isZero();
    }

    private void write(DebeziumCase c, int partition) throws Exception {
        ConsumerRecord<byte[], byte[]> record = c.record(partition, 0, now.toEpochMilli());
        RecordMetadata at = producer.send(new ProducerRecord<>(
                        c.topic(), partition, now.toEpochMilli(), c.key(), c.value(), record.headers()))
                .get();
        switch (c.outcome()) {
            case Outcome.ACCEPTED -> expectedKinds.merge("accepted", 1L, Long::sum);
            case Outcome.IGNORED -> expectedKinds.merge("ignored", 1L, Long::sum);
            default -> {
                expectedKinds.merge("deadLetters", 1L, Long::sum);
                expect(at, c.expected().get("reason").textValue(), c.value());
            }
        }
    }

    private void writeContent() throws Exception {
        send(
                DebeziumCase.CONTENT_TOPIC,
                0,
                shapes.insert(new EnvelopeShapes.ContentRow(GOOD_CONTENT, "good", "Good", "podcast", 300, now), now));
    }

    private void writeEvent(long id, String contentId, int partition) throws Exception {
        Message message = shapes.insert(new EventRow(id, contentId, null, "play", now, 7_000, "web", "{}"), now);
        RecordMetadata at = send(DebeziumCase.EVENTS_TOPIC, partition, message);
        if (contentId.equals(CONTENT_THAT_NEVER_COMES)) {
            DecodedRecord<?> decoded = DebeziumCorpusTest.decode(
                    true,
                    DebeziumCase.record(
                            at.topic(),
                            message.key(),
                            message.value(),
                            new RecordHeaders(),
                            at.partition(),
                            at.offset(),
                            at.timestamp()));
            expect(at, "UNRESOLVED", EventJson.envelope((EngagementEvent) decoded.value()));
        }
    }

    private RecordMetadata send(String topic, int partition, Message message) throws Exception {
        expectedKinds.merge("accepted", 1L, Long::sum);
        return producer.send(new ProducerRecord<>(topic, partition, now.toEpochMilli(), message.key(), message.value()))
                .get();
    }

    private void expect(RecordMetadata at, String reason, byte @Nullable [] payload) {
        expectedLetters.put(where(at.topic(), at.partition(), at.offset()), reason + " of " + shown(payload));
    }

    /** The letters that there are, each id once. */
    private Map<String, String> letters() throws Exception {
        Map<String, String> letters = new TreeMap<>();
        Map<String, String> idByPlace = new TreeMap<>();
        for (byte[] value : valuesOf(LETTERS_TOPIC)) {
            JsonNode letter = JSON.readTree(value);
            JsonNode source = letter.get("source");
            String where = where(
                    source.get("topic").textValue(),
                    source.get("partition").intValue(),
                    source.get("offset").longValue());
            String id = letter.get("id").textValue();
            assertThat(idByPlace.getOrDefault(where, id))
                    .as("one failure, one id: %s", where)
                    .isEqualTo(id);
            idByPlace.put(where, id);
            assertThat(source.get("timestamp").longValue()).as(where).isEqualTo(now.toEpochMilli());
            letters.put(where, letter.get("reason").textValue() + " of " + shown(payloadOf(letter)));
        }
        assertThat(idByPlace.values()).doesNotHaveDuplicates();
        return letters;
    }

    private List<byte[]> valuesOf(String topic) {
        List<byte[]> values = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                Map.of(
                        ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG,
                        servers.kafka().bootstrapServers(),
                        ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG,
                        KafkaServer.MAX_MESSAGE_BYTES),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
                    .map(each -> new TopicPartition(topic, each.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (partitions.stream().anyMatch(each -> consumer.position(each) < ends.getOrDefault(each, 0L))) {
                consumer.poll(Duration.ofMillis(100)).forEach(record -> values.add(record.value()));
            }
        }
        return values;
    }

    private static String where(String topic, int partition, long offset) {
        return topic + "-" + partition + "@" + offset;
    }

    private static byte @Nullable [] payloadOf(JsonNode letter) throws Exception {
        JsonNode payload = letter.get("payload");
        if (payload.isNull()) {
            return null;
        }
        return letter.has("payload_encoding")
                ? payload.binaryValue()
                : payload.textValue().getBytes(StandardCharsets.UTF_8);
    }

    /** Tells any two apart, and can be read as far as there is something to read. */
    private static String shown(byte @Nullable [] bytes) {
        if (bytes == null) {
            return "nothing";
        }
        if (bytes.length <= SHOWN_BYTES) {
            return new String(bytes, StandardCharsets.ISO_8859_1);
        }
        try {
            return bytes.length + " bytes, SHA-256 "
                    + HexFormat.of()
                            .formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
