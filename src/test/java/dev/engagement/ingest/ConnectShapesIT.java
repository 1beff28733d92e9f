package dev.engagement.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.engagement.JobCluster;
import dev.engagement.connection.KafkaConnection;
import dev.engagement.connection.KafkaTopics;
import dev.engagement.ingest.EnvelopeShapes.ContentRow;
import dev.engagement.ingest.EnvelopeShapes.EventRow;
import dev.engagement.ingest.EnvelopeShapes.Message;
import dev.engagement.ingest.EnvelopeShapes.Schemas;
import dev.engagement.local.DestinationCheck.Comparison;
import dev.engagement.local.FlinkRest;
import dev.engagement.local.RedisCheck;
import dev.engagement.local.testing.SharedServers;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.Future;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Topics as somebody's Debezium on Kafka Connect fills them. The database holds the same rows, for the oracle alone: no
 * capture runs.
 */
class ConnectShapesIT {

    private static final Path DIRECTORY = Path.of("target/it/connect-shapes");
    private static final Duration TIMEOUT = Duration.ofMinutes(5);
    private static final int CONTENTS = 12;
    private static final int EVENTS = 600;
    private static final int PARTITIONS = 16;

    /** A whole second, so that time stamps without a fraction occur. */
    private final Instant now = Instant.now().truncatedTo(ChronoUnit.SECONDS);

    private final List<EnvelopeShapes> shapes = List.of(
            new EnvelopeShapes("dbserver1", Schemas.WRAPPED), new EnvelopeShapes("dbserver1", Schemas.UNWRAPPED));
    private final Map<UUID, List<dev.engagement.local.ContentRow>> versions = new HashMap<>();

    private SharedServers servers;
    private JobCluster cluster;
    private KafkaProducer<byte[], byte[]> producer;
    private Connection database;
    private final List<Future<RecordMetadata>> sent = new ArrayList<>();
    private int written;

    @BeforeEach
    void start() throws Exception {
        servers = SharedServers.lease(DIRECTORY);
        cluster = JobCluster.shared(DIRECTORY, "hashmap");
        KafkaTopics.ensure(
                new KafkaConnection(servers.kafka().bootstrapServers(), Map.of()),
                (short) 1,
                List.of(
                        KafkaTopics.Topic.ofEvents(DebeziumCase.EVENTS_TOPIC),
                        KafkaTopics.Topic.ofContent(DebeziumCase.CONTENT_TOPIC)));
        producer = new KafkaProducer<>(
                Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, servers.kafka().bootstrapServers()),
                new ByteArraySerializer(),
                new ByteArraySerializer());
        database = servers.postgres().connect();
    }

    @AfterEach
    void stop() throws Exception {
        database.close();
        producer.close();
        cluster.close();
        servers.close();
    }

    @Test
    void redis_equals_sql_over_topics_that_connect_wrote() throws Exception {
        RedisCheck check =
                new RedisCheck(servers.postgres(), servers.redis(), id -> versions.getOrDefault(id, List.of()));
        contentsAtFirst();
        contentsThatChange();
        for (int id = 1; id <= EVENTS / 2; id++) {
            event(id);
        }
        awaitSent();

        JobID job = cluster.run(
                "stream",
                "--kafka.bootstrap-servers",
                servers.kafka().bootstrapServers(),
                "--redis.url",
                servers.redis().url(),
                "--destinations",
                "liveview",
                "--enrichment.content-wait",
                "5 min");
        awaitRedisEqualsSql(check);

        for (int id = EVENTS / 2 + 1; id <= EVENTS; id++) {
            event(id);
        }
        eventsOfContentThatComesLater();
        everythingOnceMore();
        awaitSent();
        awaitDuplicates(job, EVENTS / 10 + EVENTS);
        awaitRedisEqualsSql(check);

        assertThat(cluster.status(job)).isEqualTo(JobStatus.RUNNING);
        assertThat(cluster.restarts(job)).isZero();
    }

    private static void awaitRedisEqualsSql(RedisCheck check) {
        await().atMost(TIMEOUT).pollInterval(Duration.ofMillis(50)).untilAsserted(() -> assertThat(check.compare())
                .as("all that the live view says")
                .isNotEmpty()
                .allMatch(Comparison::isEqual));
    }

    /** Until then, what changes nothing may not have been read. */
    private void awaitDuplicates(JobID job, int expected) {
        FlinkRest rest = new FlinkRest(cluster.rest());
        await().atMost(TIMEOUT).pollInterval(Duration.ofMillis(50)).untilAsserted(() -> assertThat(
                        rest.metrics(job.toHexString(), Map.of("duplicates", FlinkRest.Aggregation.SUM)))
                .containsEntry("duplicates", (double) expected));
    }

    /** Half by a snapshot, half inserted. */
    private void contentsAtFirst() throws SQLException {
        for (int number = 1; number <= CONTENTS; number++) {
            ContentRow row = content(number, "Title " + number);
            put(row);
            send(number <= CONTENTS / 2 ? shape().snapshot(row, now) : shape().insert(row, now));
        }
    }

    private void contentsThatChange() throws SQLException {
        ContentRow renamed = content(1, "Renamed: “Ünïcödé” 📺");
        put(renamed);
        send(shape().update(renamed, now));

        // The title is long and did not change: PostgreSQL does not say it, and the one before it stays.
        ContentRow longTitle = content(2, "A long title ".repeat(1_000));
        put(longTitle);
        send(shape().update(longTitle, now));
        ContentRow longer = new ContentRow(
                longTitle.id(), "slug-2-new", longTitle.title(), "newsletter", 777, longTitle.publishTs());
        put(longer);
        send(shape().updateWithoutTitle(longer, now));

        ContentRow deleted = content(CONTENTS + 1, "Deleted");
        send(shape().insert(deleted, now));
        send(shape().delete(deleted, now));
        send(shape().tombstone(deleted));

        // A primary key that changes.
        ContentRow before = content(CONTENTS + 2, "Moved");
        send(shape().snapshot(before, now));
        ContentRow after = new ContentRow(
                contentId(CONTENTS + 3),
                before.slug(),
                before.title(),
                before.contentType(),
                before.lengthSeconds(),
                before.publishTs());
        put(after);
        send(shape().delete(before, now));
        send(shape().tombstone(before));
        send(shape().insert(after, now));

        // Deleted and there again.
        ContentRow again = content(3, "Back again");
        send(shape().delete(content(3, "Title 3"), now));
        send(shape().tombstone(again));
        put(again);
        send(shape().insert(again, now));
    }

    /** A row, inserted or read by a snapshot; of some, what follows means nothing here, or it comes twice. */
    private void event(int id) throws SQLException {
        EventRow row = row(id, contentId(1 + id % CONTENTS));
        insert(row);
        Message message = id % 3 == 0 ? shape().snapshot(row, now) : shape().insert(row, now);
        send(id % PARTITIONS, message);
        if (id % 10 == 0) {
            EventRow changed =
                    new EventRow(id, contentId(1), null, "finish", now.plusSeconds(1), 99_999, "changed", null);
            send(id % PARTITIONS, shape().update(changed, now));
        }
        if (id % 10 == 1) {
            send(id % PARTITIONS, shape().delete(row, now));
            send(id % PARTITIONS, shape().tombstone(row));
        }
        if (id % 10 == 2) {
            // Once more, in the other shape and out of another partition.
            send((id + 5) % PARTITIONS, shape().insert(row, now));
        }
    }

    private void eventsOfContentThatComesLater() throws SQLException {
        ContentRow later = content(CONTENTS + 4, "Later");
        put(later);
        for (int id = EVENTS + 1; id <= EVENTS + 20; id++) {
            EventRow row = row(id, contentId(CONTENTS + 4));
            insert(row);
            send(id % PARTITIONS, shape().insert(row, now));
        }
        send(shape().insert(later, now));
    }

    /** As after a connector that lost its offsets: all rows again, in other partitions. */
    private void everythingOnceMore() {
        for (int id = 1; id <= EVENTS; id++) {
            EventRow row = row(id, contentId(1 + id % CONTENTS));
            send((id + 3) % PARTITIONS, shape().snapshot(row, now));
        }
    }

    /** Wrapped and unwrapped in turn. */
    private EnvelopeShapes shape() {
        return shapes.get(written++ % shapes.size());
    }

    private static UUID contentId(int number) {
        return new UUID(0xC0DE, number);
    }

    private ContentRow content(int number, String title) {
        return new ContentRow(
                contentId(number),
                "slug-" + number,
                title,
                number % 4 == 0 ? "video" : "podcast",
                number % 3 == 0 ? null : Integer.valueOf(60 * number),
                now.minusSeconds(number).plusNanos(number % 2 * 123_456_000L));
    }

    private EventRow row(int id, UUID contentId) {
        return new EventRow(
                id,
                contentId,
                id % 7 == 0 ? null : new UUID(0xAB, id % 50),
                List.of("play", "pause", "finish", "click").get(id % 4),
                now.minusSeconds(id * 31L % 600).plusNanos(id % 2 * 678_901_000L),
                id % 5 == 0 ? null : Integer.valueOf(id * 97),
                id % 6 == 0 ? null : "Télé " + id % 3,
                id % 4 == 0 ? null : "{\"n\": " + id + ", \"big\": 12345678901234567890.10, \"t\": \"\\\"x\\\"\"}");
    }

    private void put(ContentRow row) throws SQLException {
        UUID id = (UUID) row.id();
        versions.computeIfAbsent(id, any -> new ArrayList<>())
                .add(new dev.engagement.local.ContentRow(
                        id,
                        row.slug(),
                        row.title(),
                        Objects.requireNonNull(row.contentType()),
                        row.lengthSeconds(),
                        row.publishTs()));
        try (PreparedStatement statement = database.prepareStatement("""
                INSERT INTO content VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET slug = excluded.slug, title = excluded.title,
                  content_type = excluded.content_type, length_seconds = excluded.length_seconds,
                  publish_ts = excluded.publish_ts""")) {
            statement.setObject(1, id);
            statement.setString(2, row.slug());
            statement.setString(3, row.title());
            statement.setString(4, row.contentType());
            statement.setObject(5, row.lengthSeconds());
            statement.setObject(6, utc(row.publishTs()));
            statement.execute();
        }
    }

    private void insert(EventRow row) throws SQLException {
        try (PreparedStatement statement =
                database.prepareStatement("INSERT INTO engagement_events VALUES (?, ?, ?, ?, ?, ?, ?, ?::jsonb)")) {
            statement.setLong(1, row.id());
            statement.setObject(2, row.contentId());
            statement.setObject(3, row.userId());
            statement.setString(4, row.eventType());
            statement.setObject(5, utc(row.eventTs()));
            statement.setObject(6, row.durationMs());
            statement.setString(7, row.device());
            statement.setString(8, row.rawPayload());
            statement.execute();
        }
    }

    private static OffsetDateTime utc(Instant instant) {
        return instant.atOffset(ZoneOffset.UTC);
    }

    private void send(Message contentMessage) {
        send(DebeziumCase.CONTENT_TOPIC, 0, contentMessage);
    }

    private void send(int partition, Message eventMessage) {
        send(DebeziumCase.EVENTS_TOPIC, partition, eventMessage);
    }

    private void send(String topic, int partition, Message message) {
        sent.add(producer.send(new ProducerRecord<>(topic, partition, message.key(), message.value())));
    }

    private void awaitSent() throws Exception {
        for (Future<RecordMetadata> each : sent) {
            each.get();
        }
        sent.clear();
    }
}
