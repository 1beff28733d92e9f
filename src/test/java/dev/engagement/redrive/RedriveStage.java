package dev.engagement.redrive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.engagement.connection.KafkaConnection;
import dev.engagement.connection.KafkaTopics;
import dev.engagement.connection.KafkaTopics.Topic;
import dev.engagement.connection.PostgresConnection;
import dev.engagement.connection.SecretRef;
import dev.engagement.connection.TopicReader;
import dev.engagement.deadletter.DeadLetter;
import dev.engagement.deadletter.DeadLetterJson;
import dev.engagement.deadletter.Reason;
import dev.engagement.event.Content;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EngagementRule;
import dev.engagement.event.EventId;
import dev.engagement.event.EventIdKind;
import dev.engagement.event.EventJson;
import dev.engagement.event.Position;
import dev.engagement.event.Timestamps;
import dev.engagement.ingest.EventRules;
import dev.engagement.ingest.IngestFormat;
import dev.engagement.local.KafkaServer;
import dev.engagement.local.PostgresServer;
import dev.engagement.local.bigquery.BigQueryEmulator;
import dev.engagement.local.testing.SharedServers;
import dev.engagement.source.SourceOptions;
import dev.engagement.warehouse.Warehouse;
import dev.engagement.warehouse.WarehouseOptions;
import dev.engagement.warehouse.testing.LocalWarehouse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.flink.configuration.MemorySize;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/** Real servers for redrives, and for each test topics and a table of its own. */
final class RedriveStage implements AutoCloseable {

    static final long LIMIT = 4_096;
    private static final Duration TIMEOUT = Duration.ofMinutes(5);
    static final Content CONTENT = new Content("c-1", "a-slug", "A title", "video", 300, 1_000_000L);

    private final SharedServers servers;
    private final PostgresServer postgres;
    private final BigQueryEmulator bigQuery;
    private final KafkaConnection connection;
    private final KafkaProducer<byte[], byte[]> producer;
    private final Path password;

    private RedriveOptions.Topics topics = topics("none");
    private String table = "none";

    private RedriveStage(SharedServers servers) throws IOException {
        this.servers = servers;
        this.postgres = servers.postgres();
        this.bigQuery = servers.bigQuery().emulator();
        this.password = Path.of(servers.postgresPasswordFile());
        this.connection = new KafkaConnection(servers.kafka().bootstrapServers(), Map.of());
        Properties properties = connection.clientProperties();
        properties.setProperty("max.request.size", Integer.toString(16 << 20));
        this.producer = new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
    }

    /** Starts them, without what an earlier run left there. */
    static RedriveStage start(Path directory) throws Exception {
        return new RedriveStage(SharedServers.lease(directory));
    }

    /** Empty topics of that prefix. */
    void set(String prefix) {
        topics = topics(prefix);
        table = prefix;
        KafkaTopics.ensure(
                connection,
                (short) 1,
                Stream.of(
                                Topic.ofEvents(topics.events()),
                                Topic.ofContent(topics.content()),
                                Topic.ofDeadLetters(topics.deadLetters()),
                                Topic.ofRedriven(topics.redriven()),
                                Topic.ofDeliveryRetries(topics.deliveryRetry()))
                        // Fewer than in production: each test has its own.
                        .map(topic -> new Topic(topic.name(), Math.min(topic.partitions(), 6), topic.settings()))
                        .toList());
    }

    private static RedriveOptions.Topics topics(String prefix) {
        return new RedriveOptions.Topics(
                prefix + ".events", prefix + ".content", prefix + ".letters", prefix + ".redriven", prefix + ".retry");
    }

    RedriveOptions.Topics topics() {
        return topics;
    }

    PostgresServer postgres() {
        return postgres;
    }

    WarehouseOptions warehouse() {
        return LocalWarehouse.options(bigQuery.rest(), "http://" + bigQuery.grpc(), table, false);
    }

    BigQueryEmulator bigQuery() {
        return bigQuery;
    }

    KafkaServer broker() {
        return servers.kafka();
    }

    KafkaConnection kafka() {
        return connection;
    }

    Path password() {
        return password;
    }

    void makeTable() throws Exception {
        Warehouse.prepare(warehouse());
    }

    /** Event ids in the warehouse's table. */
    List<String> rows() {
        return bigQuery.query("local", "SELECT event_id FROM analytics." + table + " ORDER BY 1").stream()
                .map(row -> String.valueOf(row.get(0)))
                .toList();
    }

    /** The payload of an event in the warehouse's table, as BigQuery writes it. */
    String payload(long id) {
        return String.valueOf(bigQuery.query(
                        "local",
                        "SELECT TO_JSON_STRING(raw_payload) FROM analytics." + table + " WHERE event_id = " + id)
                .get(0)
                .get(0));
    }

    ConsumerRecord<byte[], byte[]> send(
            String topic, int partition, @Nullable String key, byte @Nullable [] value, Headers headers)
            throws Exception {
        byte[] keyBytes = key == null ? null : key.getBytes(StandardCharsets.UTF_8);
        RecordMetadata at = producer.send(new ProducerRecord<>(topic, partition, null, keyBytes, value, headers))
                .get();
        return new ConsumerRecord<>(
                topic,
                partition,
                at.offset(),
                at.timestamp(),
                TimestampType.CREATE_TIME,
                0,
                0,
                keyBytes,
                value,
                headers,
                Optional.empty());
    }

    ConsumerRecord<byte[], byte[]> send(String topic, int partition, @Nullable String key, String value)
            throws Exception {
        return send(topic, partition, key, value.getBytes(StandardCharsets.UTF_8), new RecordHeaders());
    }

    /** A letter of a record that stands in Kafka. */
    DeadLetter letter(Reason reason, ConsumerRecord<byte[], byte[]> record, @Nullable Long eventId) throws Exception {
        List<DeadLetter.Header> headers = new ArrayList<>();
        record.headers().forEach(header -> headers.add(new DeadLetter.Header(header.key(), header.value())));
        return letter(DeadLetter.of(
                reason,
                "decode",
                "bad",
                System.currentTimeMillis(),
                new DeadLetter.Source(record.topic(), record.partition(), record.offset(), record.timestamp()),
                eventId == null ? null : EventId.of(eventId),
                record.value(),
                headers));
    }

    /** A letter of a stage behind. */
    DeadLetter letter(Reason reason, long eventId, byte[] payload, long offset) throws Exception {
        return letter(DeadLetter.of(
                reason,
                reason == Reason.UNDELIVERABLE ? "deliver" : "warehouse",
                "refused",
                System.currentTimeMillis(),
                new DeadLetter.Source(topics.events(), 3, offset, 1_700_000_000_000L),
                EventId.of(eventId),
                payload,
                List.of()));
    }

    DeadLetter letter(DeadLetter letter) throws Exception {
        producer.send(new ProducerRecord<>(
                        topics.deadLetters(),
                        letter.id().getBytes(StandardCharsets.UTF_8),
                        DeadLetterJson.toBytes(letter, "test")))
                .get();
        return letter;
    }

    void rawLetter(@Nullable String value) throws Exception {
        producer.send(new ProducerRecord<>(
                        topics.deadLetters(),
                        "k".getBytes(StandardCharsets.UTF_8),
                        value == null ? null : value.getBytes(StandardCharsets.UTF_8)))
                .get();
    }

    static EngagementEvent event(long id) {
        return event(id, "{\"a\":1}");
    }

    static EngagementEvent event(long id, String rawPayload) {
        return new EngagementEvent(
                id,
                CONTENT.id(),
                null,
                "play",
                Timestamps.parse("2026-01-08T14:21:52.123456Z"),
                7_000,
                "web",
                rawPayload,
                false,
                1_700_000_000_000L,
                new Position(0, 0, 0));
    }

    static byte[] enriched(long id) {
        return EventJson.enriched(EngagementRule.DEFAULT.enrich(event(id), CONTENT));
    }

    /** Retention takes what is before that offset. */
    void delete(String topic, int partition, long before) throws Exception {
        try (Admin admin = Admin.create(connection.clientProperties())) {
            admin.deleteRecords(Map.of(new TopicPartition(topic, partition), RecordsToDelete.beforeOffset(before)))
                    .all()
                    .get();
        }
    }

    /** What one redrive said and did. */
    record Run(Redrive.Result result, List<String> lines) {
        String text() {
            return String.join("\n", lines);
        }
    }

    /** What is to be different from a plain redrive. */
    static final class Asked {
        final Set<Reason> reasons;

        @Nullable
        Instant from;

        @Nullable
        Instant to;

        @Nullable
        Long eventId;

        @Nullable
        Integer limit;

        boolean dryRun;
        boolean again;
        boolean database = true;
        long maxRecordBytes = LIMIT;
        Step.@Nullable Listener steps;
        /** Its producer is closed like that of a process that is killed, when {@link #steps} throws. */
        @Nullable
        Producer<byte[], byte[]> producer;

        Asked(Reason... reasons) {
            this.reasons = Set.of(reasons);
        }
    }

    Run redrive(Reason... reasons) throws Exception {
        return redrive(new Asked(reasons));
    }

    Run redrive(Asked asked) throws Exception {
        List<String> lines = new ArrayList<>();
        RedriveOptions options = new RedriveOptions(
                connection,
                topics,
                new RedriveOptions.Selection(
                        asked.reasons,
                        asked.from,
                        asked.to,
                        asked.eventId == null ? null : EventId.of(asked.eventId),
                        asked.limit),
                asked.dryRun,
                asked.again,
                new MemorySize(asked.maxRecordBytes),
                IngestFormat.AUTO,
                asked.database
                        ? new SourceOptions(
                                new PostgresConnection(
                                        postgres.jdbcUrl(),
                                        postgres.username(),
                                        SecretRef.inFile("postgres.password", password.toString())),
                                "public",
                                "engagement_events",
                                "content",
                                null,
                                EventRules.DEFAULT)
                        : null,
                EventIdKind.LONG);
        Redrive redrive = new Redrive(
                options,
                asked.reasons.contains(Reason.REJECTED) ? warehouse() : null,
                lines::add,
                Clock.systemUTC(),
                properties -> {
                    asked.producer =
                            new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
                    return asked.producer;
                },
                step -> {
                    if (asked.steps != null) {
                        asked.steps.reached(step);
                    }
                });
        return new Run(redrive.run(), lines);
    }

    /** What a reader of committed records finds in a topic. */
    List<ConsumerRecord<byte[], byte[]>> committed(String topic) throws Exception {
        awaitMarkers();
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        try (TopicReader reader = TopicReader.open(connection)) {
            var unused = reader.read(topic, Map.of(), Map.of(), records::add);
        }
        return records;
    }

    /** Until then a reader may see the end of a partition before the records that were committed to it. */
    private void awaitMarkers() {
        try (Admin admin = Admin.create(connection.clientProperties())) {
            await().atMost(TIMEOUT)
                    .pollInterval(Duration.ofMillis(10))
                    .until(() -> admin.listTransactions().all().get().stream().noneMatch(transaction -> Set.of(
                                    TransactionState.PREPARE_COMMIT, TransactionState.PREPARE_ABORT)
                            .contains(transaction.state())));
        }
    }

    /** The one record of a topic that came last, beside so many others. */
    ConsumerRecord<byte[], byte[]> last(String topic, int others) throws Exception {
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>(committed(topic));
        assertThat(records).hasSize(others + 1);
        records.sort(Comparator.comparingLong(ConsumerRecord::timestamp));
        return records.get(others);
    }

    static String text(byte @Nullable [] bytes) {
        return bytes == null ? "null" : new String(bytes, StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        producer.close();
        servers.close();
    }
}
