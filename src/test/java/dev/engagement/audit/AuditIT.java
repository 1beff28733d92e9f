package dev.engagement.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.EngagementJob;
import dev.engagement.connection.KafkaConnection;
import dev.engagement.connection.KafkaTopics;
import dev.engagement.connection.KafkaTopics.Topic;
import dev.engagement.connection.PostgresConnection;
import dev.engagement.connection.SecretRef;
import dev.engagement.deadletter.DeadLetter;
import dev.engagement.deadletter.DeadLetterJson;
import dev.engagement.deadletter.Reason;
import dev.engagement.event.EventId;
import dev.engagement.event.Timestamps;
import dev.engagement.liveview.LiveViewOptions;
import dev.engagement.local.KafkaServer;
import dev.engagement.local.PostgresServer;
import dev.engagement.local.RedisServer;
import dev.engagement.local.Schema;
import dev.engagement.local.bigquery.BigQueryEmulator;
import dev.engagement.local.bigquery.ComparedRows;
import dev.engagement.local.testing.SharedServers;
import dev.engagement.warehouse.Warehouse;
import dev.engagement.warehouse.WarehouseOptions;
import dev.engagement.warehouse.testing.LocalWarehouse;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.math.BigInteger;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import redis.clients.jedis.Jedis;

/**
 * On PostgreSQL, Kafka, Redis and the emulator, each written as the pipeline leaves them, and then not quite. Every test has
 * an hour of event time, a table, topics and a Redis prefix of its own.
 */
class AuditIT {

    private static final Path DIRECTORY = Path.of("target/it/audit");
    private static final String PROJECT = "local";
    private static final PrintStream NOWHERE =
            new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
    private static final int EVENTS = 1_200;
    private static final int CONTENTS = 5;

    private static SharedServers servers;
    private static PostgresServer postgres;
    private static KafkaServer kafka;
    private static RedisServer redis;
    private static BigQueryEmulator bigQuery;
    private static KafkaProducer<byte[], byte[]> producer;
    private static int tests;

    @TempDir
    private static Path folder;

    private final int test = tests++;
    private final Instant from = Instant.parse("2026-01-08T00:00:00Z").plus(Duration.ofHours(test));
    private final String table = "t" + test;
    private final String prefix = "p" + test + ":";
    private long first;
    private AuditOptions.@Nullable Publication publication;

    @BeforeAll
    static void start() throws IOException {
        servers = SharedServers.lease(DIRECTORY);
        postgres = servers.postgres();
        kafka = servers.kafka();
        redis = servers.redis();
        bigQuery = servers.bigQuery().emulator();
        Properties properties = new Properties();
        properties.setProperty("bootstrap.servers", kafka.bootstrapServers());
        // A topic that was made a moment ago may refuse a first batch and take the second, and then never the first.
        properties.setProperty("max.in.flight.requests.per.connection", "1");
        producer = new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
    }

    @AfterAll
    static void stop() {
        producer.close();
        servers.close();
    }

    private AuditOptions options(@Nullable WarehouseOptions warehouse, URI redisUrl, String jdbcUrl, String servers)
            throws IOException {
        Path password = folder.resolve("password");
        Files.writeString(password, postgres.password());
        return new AuditOptions(
                from,
                from.plus(Duration.ofHours(1)),
                Duration.ofMillis(50),
                100,
                new AuditOptions.Database(
                        new PostgresConnection(
                                jdbcUrl,
                                postgres.username(),
                                SecretRef.inFile("postgres.password", password.toString())),
                        Schema.NAME,
                        Schema.EVENTS,
                        publication),
                new KafkaConnection(servers, Map.of()),
                "events-" + test,
                "letters-" + test,
                warehouse,
                new LiveViewOptions(redisUrl, SecretRef.none(), prefix),
                new AuditOptions.Delivery("receipts-" + test, "retry-" + test, "drain-" + test, false),
                null);
    }

    private AuditOptions options() throws IOException {
        return options(
                warehouse(bigQuery.rest()), URI.create(redis.url()), postgres.jdbcUrl(), kafka.bootstrapServers());
    }

    private WarehouseOptions warehouse(String rest) {
        return LocalWarehouse.options(rest, "http://" + bigQuery.grpc(), table, true);
    }

    private AuditReport audit() throws Exception {
        return Audit.run(options(), Clock.systemUTC(), progress -> {});
    }

    /** Every store holds every event, and the topic every row. */
    @BeforeEach
    void everythingIsThere() throws Exception {
        sql("INSERT INTO content SELECT gen_random_uuid(), 's%1$d-' || n, 'title', 'video', 60, now()".formatted(test)
                + " FROM generate_series(1, " + CONTENTS + ") AS n");
        sql("""
                WITH c AS (SELECT id, row_number() OVER (ORDER BY slug) AS n FROM content WHERE slug LIKE 's%1$d-%%')
                INSERT INTO engagement_events (content_id, event_type, event_ts, duration_ms)
                SELECT c.id, 'play', TIMESTAMPTZ '%2$s' + i * INTERVAL '2.970001 s',
                  CASE WHEN i %% 7 = 0 THEN NULL ELSE i END
                FROM generate_series(0, %3$d) AS i JOIN c ON c.n = i %% %4$d + 1 ORDER BY i""".formatted(test, from, EVENTS - 1, CONTENTS));
        first = number("SELECT min(id) FROM engagement_events WHERE event_ts >= '" + from + "'");
        assertThat(number("SELECT count(*) FROM engagement_events WHERE event_ts >= '" + from + "' AND event_ts < '"
                        + from.plus(Duration.ofHours(1)) + "'"))
                .isEqualTo(EVENTS);

        Warehouse.prepare(warehouse(bigQuery.rest()));
        appendRows("true");
        KafkaTopics.ensure(
                new KafkaConnection(kafka.bootstrapServers(), Map.of()),
                (short) 1,
                List.of(
                        Topic.ofEvents("events-" + test),
                        Topic.ofDeadLetters("letters-" + test),
                        new Topic("receipts-" + test, 4, Map.of("cleanup.policy", "compact")),
                        new Topic("retry-" + test, 4, Map.of())));
        for (long id = first; id < first + EVENTS; id++) {
            capture(id, "c");
            receipt(id, true);
        }
        flush();
        try (Jedis jedis = redis.connect();
                Connection connection = postgres.connect();
                Statement statement = connection.createStatement();
                ResultSet counts = statement.executeQuery(
                        "SELECT content_id, count(*) FROM engagement_events GROUP BY content_id")) {
            while (counts.next()) {
                jedis.set(prefix + "content:count:" + counts.getString(1), counts.getString(2));
            }
        }
    }

    /** As the job would, but for columns that nobody compares. */
    private void appendRows(String which) throws Exception {
        List<ComparedRows.Row> rows = new ArrayList<>();
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT id, content_id::text,"
                        + " (extract(epoch FROM event_ts) * 1000000)::bigint, duration_ms FROM engagement_events"
                        + " WHERE event_ts >= '" + from + "' AND " + which)) {
            while (row.next()) {
                rows.add(new ComparedRows.Row(
                        row.getLong(1), row.getString(2), row.getLong(3), row.getObject(4, Integer.class)));
            }
        }
        ComparedRows.append(bigQuery.grpc(), table, rows);
    }

    private static void sql(String statement) throws SQLException {
        try (Connection connection = postgres.connect();
                Statement made = connection.createStatement()) {
            made.execute(statement);
        }
    }

    private static long number(String query) throws SQLException {
        return new BigInteger(text(query)).longValueExact();
    }

    private static String text(String query) throws SQLException {
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            assertThat(row.next()).isTrue();
            return row.getString(1);
        }
    }

    private void capture(long id, String operation) {
        send(
                "events-" + test,
                "{\"id\":" + id + "}",
                "{\"before\":null,\"after\":{\"id\":" + id + "},\"source\":{\"lsn\":1},\"op\":\"" + operation
                        + "\",\"ts_ms\":1}");
    }

    private void receipt(long id, boolean delivered) {
        send(
                "receipts-" + test,
                Long.toString(id),
                delivered
                        ? "{\"event_id\":" + id + ",\"delivered_at\":\"2026-01-08T00:00:00Z\",\"status\":200}"
                        : null);
    }

    private static final List<Future<RecordMetadata>> SENT = new ArrayList<>();

    private static void send(String topic, String key, @Nullable String value) {
        SENT.add(producer.send(new ProducerRecord<>(
                topic,
                key.getBytes(StandardCharsets.UTF_8),
                value == null ? null : value.getBytes(StandardCharsets.UTF_8))));
    }

    /** All that was sent is there. */
    private static void flush() throws Exception {
        producer.flush();
        for (Future<RecordMetadata> each : SENT) {
            each.get();
        }
        SENT.clear();
    }

    private void letter(Reason reason, @Nullable Long eventId, int partition, long offset) {
        DeadLetter letter = DeadLetter.of(
                reason,
                "stage",
                "error",
                0,
                new DeadLetter.Source("events-" + test, partition, offset, 0),
                eventId == null ? null : EventId.of(eventId),
                "payload".getBytes(StandardCharsets.UTF_8),
                List.of());
        send("letters-" + test, letter.id(), new String(DeadLetterJson.toBytes(letter, "1"), StandardCharsets.UTF_8));
    }

    private void query(String sql) {
        var unused = bigQuery.query(PROJECT, sql.replace("TABLE", "analytics." + table));
    }

    // ---------------------------------------------------------------------------------------------------- tests

    @Test
    void a_clean_run_raises_nothing() throws Exception {
        AuditReport report = audit();

        assertThat(Audits.found(report)).isEmpty();
        assertThat(report.isEqual()).isTrue();
        assertThat(report.events()).isEqualTo(EVENTS);
        assertThat(report.destinations())
                .extracting(
                        destination -> destination.name() + " " + destination.expected() + " " + destination.present())
                .startsWith("warehouse 1200 1200", "delivery 1200 1200")
                .hasSize(3);
        assertThat(report.destinations().get(0).durationMs()).isEqualTo(report.durationMs());
    }

    @Test
    void names_what_was_lost_added_doubled_spoiled_and_deleted() throws Exception {
        String time = "TIMESTAMP '" + from + "'";
        query("DELETE FROM TABLE WHERE event_id = " + (first + 10) + " AND event_ts >= " + time);
        appendRows("id = " + (first + 20));
        query("MERGE TABLE AS t USING (SELECT 999999999 AS event_id, TIMESTAMP_ADD(" + time
                + ", INTERVAL 5 SECOND) AS ts)"
                + " AS s ON t.event_id = s.event_id AND t.event_ts >= " + time
                + " WHEN NOT MATCHED THEN INSERT (event_id, event_ts) VALUES (s.event_id, s.ts)");
        receipt(first + 30, false);
        flush();
        // 40 is of the content that follows that of 39; neither is that of the others.
        String spoiled = text("SELECT content_id FROM engagement_events WHERE id = " + (first + 41));
        String lessened = text("SELECT content_id FROM engagement_events WHERE id = " + (first + 42));
        String counted = text("SELECT count(*) FROM engagement_events WHERE content_id = '" + spoiled + "'");
        try (Jedis jedis = redis.connect()) {
            jedis.set(prefix + "content:count:" + spoiled, "7");
        }
        sql("DELETE FROM engagement_events WHERE id = " + (first + 42));

        AuditReport report = audit();

        assertThat(Audits.found(report))
                .containsExactlyInAnyOrderEntriesOf(Map.of(
                        "warehouse missing", Long.toString(first + 10),
                        "warehouse extra", "999999999",
                        "warehouse doubled", Long.toString(first + 20),
                        "warehouse purged", Long.toString(first + 42),
                        "delivery missing", Long.toString(first + 30),
                        "delivery purged", Long.toString(first + 42),
                        "liveview miscounted", spoiled,
                        "liveview purged", lessened));
        assertThat(report.isEqual()).isFalse();
        assertThat(report.asText(true))
                .contains("counts 7 and has " + counted + " events")
                .contains(
                        "redis-cli -u " + redis.url() + " SET '" + prefix + "content:count:" + spoiled + "' " + counted)
                .contains("DELETE FROM `local.analytics." + table + "` WHERE event_id IN (999999999)")
                .contains("rebuild --from");
    }

    @Test
    void what_kafka_explains_is_not_missing() throws Exception {
        for (int i = 1; i <= 6; i++) {
            query("DELETE FROM TABLE WHERE event_id = " + (first + i) + " AND event_ts >= TIMESTAMP '" + from + "'");
        }
        letter(Reason.UNRESOLVED, first + 1, 0, 1);
        letter(Reason.REJECTED, first + 2, 0, 2);
        // Its id is in the key of the record alone.
        TopicPartition partition = new TopicPartition("events-" + test, 3);
        long offset = end(partition);
        producer.send(new ProducerRecord<>(
                        partition.topic(),
                        partition.partition(),
                        ("{\"schema\":{},\"payload\":{\"id\":" + (first + 3) + "}}").getBytes(StandardCharsets.UTF_8),
                        "{".getBytes(StandardCharsets.UTF_8)))
                .get();
        letter(Reason.UNDECODABLE, null, partition.partition(), offset);
        letter(Reason.INVALID, null, 15, 1_000_000);
        for (long id : List.of(1, 3, 7, 8, 9, 10)) {
            receipt(first + id, false);
        }
        letter(Reason.UNDELIVERABLE, first + 7, 0, 7);
        divertDoneWithAndDelete(first + 11);
        send("retry-" + test, Long.toString(first + 8), "{}");
        send("retry-" + test, Long.toString(first + 9), "{}");
        flush();
        drainHasRead(first + 9);
        String own = "SELECT content_id FROM engagement_events WHERE id = ";
        Map<String, Long> lost = new HashMap<>();
        for (long id : List.of(first + 1, first + 3)) {
            lost.merge(text(own + id), 1L, Long::sum);
        }
        try (Jedis jedis = redis.connect()) {
            lost.forEach((content, number) -> jedis.decrBy(prefix + "content:count:" + content, number));
        }

        AuditReport report = audit();

        assertThat(Audits.found(report))
                .containsOnlyKeys(
                        "warehouse missing",
                        "warehouse dead letter",
                        "delivery missing",
                        "delivery dead letter",
                        "delivery waiting",
                        "delivery held",
                        "liveview dead letter")
                .containsEntry("warehouse missing", ids(4, 5, 6))
                .containsEntry("delivery missing", ids(10))
                .containsEntry("delivery waiting", ids(8))
                .containsEntry("delivery held", ids(9));
        assertThat(report.asText(false))
                .contains("warehouse: 1 dead letter (UNRESOLVED)\n    " + (first + 1))
                .contains("warehouse: 1 dead letter (REJECTED)\n    " + (first + 2))
                .contains("warehouse: 1 dead letter (UNDECODABLE)\n    " + (first + 3))
                .contains("delivery: 1 dead letter (UNDELIVERABLE)\n    " + (first + 7));
        assertThat(lost.keySet()).hasSize(2);
    }

    private String ids(long... offsets) {
        return LongStream.of(offsets)
                .mapToObj(offset -> Long.toString(first + offset))
                .collect(Collectors.joining(","));
    }

    private static long end(TopicPartition partition) throws Exception {
        try (Admin admin = Admin.create(Map.<String, Object>of("bootstrap.servers", kafka.bootstrapServers()))) {
            return admin.listOffsets(Map.of(partition, OffsetSpec.latest()))
                    .partitionResult(partition)
                    .get()
                    .offset();
        }
    }

    /** What was diverted and delivered is no longer in the retry topic, as after {@code delivery.retry-retention}. */
    private void divertDoneWithAndDelete(long id) throws Exception {
        Map<TopicPartition, RecordsToDelete> all = new HashMap<>();
        for (PartitionInfo partition : producer.partitionsFor("retry-" + test)) {
            producer.send(new ProducerRecord<>(
                            "retry-" + test,
                            partition.partition(),
                            Long.toString(id).getBytes(StandardCharsets.UTF_8),
                            "{}".getBytes(StandardCharsets.UTF_8)))
                    .get();
            all.put(new TopicPartition("retry-" + test, partition.partition()), RecordsToDelete.beforeOffset(1));
        }
        try (Admin admin = Admin.create(Map.<String, Object>of("bootstrap.servers", kafka.bootstrapServers()))) {
            admin.deleteRecords(all).all().get();
        }
    }

    /** The drain says that it has read the partition of that record to its end. */
    private void drainHasRead(long id) throws Exception {
        int partition = producer.send(new ProducerRecord<>(
                        "retry-" + test,
                        Long.toString(id).getBytes(StandardCharsets.UTF_8),
                        "{}".getBytes(StandardCharsets.UTF_8)))
                .get()
                .partition();
        TopicPartition read = new TopicPartition("retry-" + test, partition);
        try (Admin admin = Admin.create(Map.<String, Object>of("bootstrap.servers", kafka.bootstrapServers()))) {
            admin.alterConsumerGroupOffsets("drain-" + test, Map.of(read, new OffsetAndMetadata(end(read))))
                    .all()
                    .get();
        }
    }

    @Test
    void a_store_that_does_not_answer_is_named() throws Exception {
        String nobody = "127.0.0.1:1";
        URI redisUrl = URI.create(redis.url());
        String servers = kafka.bootstrapServers();

        assertThatThrownBy(() -> Audit.run(
                        options(null, redisUrl, "jdbc:postgresql://" + nobody + "/x", servers),
                        Clock.systemUTC(),
                        progress -> {}))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("PostgreSQL at jdbc:postgresql://127.0.0.1:1/x cannot be read")
                .hasMessageNotContaining(postgres.password());
        assertThatThrownBy(() -> Audit.run(
                        options(null, URI.create("redis://" + nobody), postgres.jdbcUrl(), servers),
                        Clock.systemUTC(),
                        progress -> {}))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("Redis at redis://127.0.0.1:1 cannot be read");
        try (Admin admin = Admin.create(Map.<String, Object>of("bootstrap.servers", servers))) {
            admin.deleteTopics(List.of("receipts-" + test)).all().get();
        }
        assertThatThrownBy(this::audit)
                .isInstanceOf(IOException.class)
                .hasMessageContaining("has no topic receipts-" + test);
    }

    @Test
    void the_command_answers_by_its_exit_code() throws Exception {
        assertThat(command()).isZero();
        assertThat(command("--json", "--repair")).isZero();

        query("DELETE FROM TABLE WHERE event_id = " + first + " AND event_ts >= TIMESTAMP '" + from + "'");
        assertThat(command()).isEqualTo(1);

        assertThat(command("--redis.url", "redis://127.0.0.1:1")).isEqualTo(2);
        assertThat(command("--audit.settel", "1 s")).isEqualTo(2);
        assertThat(EngagementJob.run(new String[] {"audit", "--help"}, Map.of(), NOWHERE, NOWHERE))
                .isZero();
    }

    private int command(String... more) throws Exception {
        AuditOptions options = options();
        List<String> arguments = new ArrayList<>(List.of(
                "audit",
                "--from=" + options.from(),
                "--to=" + options.to(),
                "--audit.settle=10 ms",
                "--destinations=warehouse,liveview,delivery",
                "--delivery.receipts=true",
                "--counts",
                "--kafka.bootstrap-servers=" + kafka.bootstrapServers(),
                "--kafka.group-id=drain-" + test,
                "--kafka.topics.events=events-" + test,
                "--kafka.topics.dead-letters=letters-" + test,
                "--kafka.topics.delivery-receipts=receipts-" + test,
                "--kafka.topics.delivery-retry=retry-" + test,
                "--postgres.url=" + postgres.jdbcUrl(),
                "--postgres.username=" + postgres.username(),
                "--postgres.password.secret-file=" + folder.resolve("password"),
                "--redis.key-prefix=" + prefix,
                "--warehouse.project=" + PROJECT,
                "--warehouse.table=" + table,
                "--warehouse.endpoint=" + bigQuery.rest(),
                "--warehouse.grpc-endpoint=http://" + bigQuery.grpc()));
        if (more.length == 0 || !more[0].equals("--redis.url")) {
            arguments.add("--redis.url=" + redis.url());
        }
        arguments.addAll(List.of(more));
        return EngagementJob.run(arguments.toArray(String[]::new), Map.of(), NOWHERE, NOWHERE);
    }

    /** Four days long before the others, of which half of the rows are not in the warehouse, every minute of them. */
    @Test
    void bytes_grow_with_the_range_and_not_with_its_square_nor_with_the_table() throws Exception {
        int rowsADay = 20_000;
        Instant begin = Instant.parse("2020-01-01T00:00:00Z");
        sql("INSERT INTO engagement_events (id, event_type, event_ts, duration_ms) SELECT 500000000 + n, 'play',"
                + " TIMESTAMPTZ '" + begin + "' + n * INTERVAL '4.32 s', 5 FROM generate_series(0, "
                + (4 * rowsADay - 1)
                + ") AS n");
        try {
            List<ComparedRows.Row> rows = LongStream.range(0, 4 * rowsADay)
                    .filter(n -> n % 2 == 0)
                    .mapToObj(n ->
                            new ComparedRows.Row(500_000_000 + n, "c", Timestamps.microsOf(begin) + n * 4_320_000L, 5))
                    .toList();
            ComparedRows.append(bigQuery.grpc(), table, rows);
            Map<Integer, Long> bytes = new HashMap<>();
            for (int days : List.of(1, 2, 4)) {
                AuditOptions options = options();
                long before = bigQuery.stats().bytesProcessed();
                AuditReport report = Audit.run(
                        new AuditOptions(
                                begin,
                                begin.plus(Duration.ofDays(days)),
                                options.settle(),
                                1,
                                options.database(),
                                options.kafka(),
                                options.eventsTopic(),
                                options.deadLettersTopic(),
                                options.warehouse(),
                                null,
                                null,
                                null),
                        Clock.systemUTC(),
                        progress -> {});
                bytes.put(days, bigQuery.stats().bytesProcessed() - before);
                assertThat(report.destinations().get(0).expected()).isEqualTo((long) days * rowsADay);
                assertThat(report.destinations().get(0).present()).isEqualTo((long) days * rowsADay / 2);
                assertThat(report.destinations().get(0).findings().get(0).count())
                        .isEqualTo((long) days * rowsADay / 2);
            }
            // The totals and two looks, each at id, time and duration.
            assertThat(bytes.get(1)).isEqualTo(3L * 24 * rowsADay / 2);
            assertThat(bytes).containsEntry(2, 2 * bytes.get(1)).containsEntry(4, 4 * bytes.get(1));
        } finally {
            sql("DELETE FROM engagement_events WHERE id >= 500000000");
        }
    }

    @Test
    void what_the_publication_leaves_out_is_expected_nowhere_if_that_is_meant() throws Exception {
        String name = "filtered_" + test;
        sql("CREATE PUBLICATION " + name + " FOR TABLE engagement_events (id, content_id, event_ts, event_type) WHERE"
                + " (event_type = 'play') WITH (publish = 'insert')");
        try {
            sql("INSERT INTO engagement_events (event_type, event_ts) VALUES ('click', TIMESTAMPTZ '" + from
                    + "' + INTERVAL '5 s')");
            appendWithoutDurations();
            publication = new AuditOptions.Publication(name, false);
            AuditReport whole = audit();
            assertThat(Audits.found(whole)).containsKeys("warehouse missing", "delivery missing");
            assertThat(whole.asText(false))
                    .contains(
                            "The publication " + name + " leaves out of \"public\".\"engagement_events\" the rows that"
                                    + " are not (event_type = 'play'::text), and the columns duration_ms; that is not accepted"
                                    + " (capture.accept-filtered), so the whole table is compared");

            publication = new AuditOptions.Publication(name, true);
            AuditReport filtered = audit();
            assertThat(filtered.asText(false)).contains("only what is left is compared (capture.accept-filtered)");
            assertThat(filtered.events()).isEqualTo(EVENTS);
            assertThat(filtered.durationMs())
                    .as("a column that is not published")
                    .isZero();
            assertThat(Audits.found(filtered)).isEmpty();
        } finally {
            sql("DROP PUBLICATION " + name);
            sql("DELETE FROM engagement_events WHERE content_id IS NULL");
        }
    }

    /** The rows as they are without the column that is not published. */
    private void appendWithoutDurations() throws Exception {
        query("DELETE FROM TABLE WHERE event_ts >= TIMESTAMP '" + from + "'");
        List<ComparedRows.Row> rows = new ArrayList<>();
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT id, content_id::text,"
                        + " (extract(epoch FROM event_ts) * 1000000)::bigint FROM engagement_events WHERE event_type ="
                        + " 'play' AND event_ts >= '" + from + "' AND event_ts < '" + from.plus(Duration.ofHours(1))
                        + "'")) {
            while (row.next()) {
                rows.add(new ComparedRows.Row(row.getLong(1), row.getString(2), row.getLong(3), null));
            }
        }
        ComparedRows.append(bigQuery.grpc(), table, rows);
    }

    @Test
    void a_dry_run_says_what_it_costs_and_compares_nothing() throws Exception {
        long before = bigQuery.stats().queries();

        assertThat(command("--dry-run")).isZero();
        assertThat(Audit.cost(options(), Clock.systemUTC()))
                .satisfiesExactly(
                        line -> assertThat(line)
                                .startsWith("Cost: BigQuery reads 0.000 GB for the totals, and for each of two looks"),
                        line -> assertThat(line)
                                .contains("the whole table", "as no index begins with event_ts")
                                .contains("(CREATE INDEX CONCURRENTLY ON"
                                        + " \"public\".\"engagement_events\" (event_ts, id))"),
                        line -> assertThat(line).startsWith("Cost: --counts are of all time: PostgreSQL reads all"));
        assertThat(bigQuery.stats().queries()).isEqualTo(before);
    }

    @Test
    void one_definition_of_the_fingerprint_in_three_databases() throws Exception {
        List<Long> ids = LongStream.of(0, 1, -1, 9, 10, 4_711, 1L << 40, Long.MAX_VALUE, Long.MIN_VALUE)
                .boxed()
                .toList();
        BigInteger expected = ids.stream().map(Fingerprint::of).reduce(BigInteger.ZERO, BigInteger::add);
        String values = ids.stream()
                .map(id -> "(" + id + "::bigint)")
                .collect(Collectors.joining(", "))
                .replace("(" + Long.MIN_VALUE + "::bigint)", "((-9223372036854775807 - 1)::bigint)");
        String inDuckDb = "sum(DISTINCT ('0x' || substr(md5(id::VARCHAR), 1, 15))::BIGINT)";

        assertThat(text("SELECT " + Fingerprint.inPostgres("id") + " FROM (VALUES " + values + ") AS v (id)"))
                .isEqualTo(expected.toString());
        // Each twice: only distinct ones count.
        String unions = ids.stream()
                .map(id -> "SELECT CAST('" + id + "' AS INT64) AS id UNION ALL SELECT CAST('" + id + "' AS INT64)")
                .collect(Collectors.joining(" UNION ALL "));
        assertThat(bigQuery.query(PROJECT, "SELECT " + Fingerprint.inBigQuery("id") + " AS f FROM (" + unions + ")"))
                .isEqualTo(List.of(List.of(expected.toString())));
        try (Connection duckDb = DriverManager.getConnection("jdbc:duckdb:");
                Statement statement = duckDb.createStatement();
                ResultSet row =
                        statement.executeQuery("SELECT " + inDuckDb + " FROM (VALUES " + values + ") AS v (id)")) {
            row.next();
            assertThat(row.getString(1)).isEqualTo(expected.toString());
        }
    }
}
