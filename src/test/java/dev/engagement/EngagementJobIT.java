package dev.engagement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.engagement.local.DestinationCheck;
import dev.engagement.local.RedisCheck;
import dev.engagement.local.bigquery.BigQueryEmulator;
import dev.engagement.local.testing.SharedServers;
import dev.engagement.rowstore.RowStoreRefusedException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.Jedis;

/** The whole job on real servers, against plain SQL. */
class EngagementJobIT {

    private static final Duration TIMEOUT = Duration.ofMinutes(5);
    private static final Duration POLL = Duration.ofMillis(50);
    private static final String PROJECT = "local";
    private static final String TABLE = "analytics.engagement_events";

    private Path directory;
    private SharedServers servers;
    private BigQueryEmulator bigQuery;
    private JobCluster cluster;

    @BeforeEach
    void start(TestInfo test) throws Exception {
        directory = Path.of("target/it/job", test.getTestMethod().orElseThrow().getName());
        servers = SharedServers.lease(directory);
        bigQuery = servers.bigQuery().emulator();
    }

    @AfterEach
    void stop() throws Exception {
        if (cluster != null) {
            cluster.close();
        }
        servers.close();
    }

    @Test
    void a_task_manager_killed_in_the_middle_changes_no_number() throws Exception {
        cluster = JobCluster.start(directory, 2, 4, "hashmap");
        JobID capture = cluster.run(captureArgs());
        JobID stream = cluster.run(streamArgs());
        insertContents(1, 20);
        insertEvents(1, 2_000, 20);
        cluster.awaitCheckpoint(stream);
        insertEvents(2_001, 4_000, 20);
        // The stream runs on either.
        cluster.replaceTaskManager(0);
        insertEvents(4_001, 5_000, 20);
        cluster.awaitCheckpoint(stream);
        cluster.replaceTaskManager(1);
        insertEvents(5_001, 6_000, 20);

        awaitRedisEqualsSql();
        awaitWarehouseEqualsSql();
        await().atMost(TIMEOUT).pollInterval(POLL).untilAsserted(() -> {
            JsonNode receiver = servers.receiver().get("/stats");
            assertThat(receiver.get("distinct").asLong())
                    .as("one id for each event")
                    .isEqualTo(6_000);
            assertThat(receiver.get("distinctEvents").asLong()).isEqualTo(6_000);
        });
        assertThat(cluster.status(capture).isTerminalState()).isFalse();
        assertThat(cluster.status(stream).isTerminalState()).isFalse();
        assertThat(cluster.restarts(stream)).isPositive();
    }

    @ParameterizedTest
    @ValueSource(strings = {"hashmap", "rocksdb"})
    void a_savepoint_restored_at_another_parallelism_changes_no_number(String stateBackend) throws Exception {
        cluster = JobCluster.shared(directory, stateBackend);
        cluster.run(captureArgs());
        JobID first = cluster.run(streamArgs("--parallelism", "1"));
        insertContents(1, 20);
        insertEvents(1, 1_000, 20);
        awaitRedisEqualsSql();
        String savepoint = cluster.stop(first);
        // A savepoint shows its rows, as a checkpoint does.
        assertWarehouseEqualsSql();
        insertEvents(1_001, 2_000, 20);

        JobID second = cluster.runFrom(savepoint, streamArgs("--parallelism", "4"));
        awaitRedisEqualsSql();
        insertEvents(2_001, 3_000, 20);
        awaitRedisEqualsSql();
        awaitWarehouseEqualsSql();
        String again = cluster.stop(second);
        assertThat(Path.of(new org.apache.flink.core.fs.Path(again).getPath())).exists();

        JobID old = cluster.runFrom(savepoint, streamArgs("--parallelism", "2"));
        assertThat(cluster.awaitEnd(old)).isEqualTo(JobStatus.FAILED);
        assertThat(cluster.failure(old))
                .contains("local.analytics.engagement_events shows rows up to checkpoint")
                .contains("flink run -s", "--accept-warehouse-duplicates");
        assertThat(cluster.restarts(old)).isZero();
        assertWarehouseEqualsSql();

        // The older savepoint against the newer Redis: everything is written again, and nothing changes.
        cluster.runFrom(savepoint, streamArgs("--parallelism", "2", "--accept-warehouse-duplicates"));
        awaitRedisEqualsSql();
        await().atMost(TIMEOUT).pollInterval(POLL).untilAsserted(() -> assertThat(
                        bigQuery.query(PROJECT, "SELECT COUNT(*), COUNT(DISTINCT event_id) FROM " + TABLE))
                .as("the 2,000 events behind the savepoint were accepted twice")
                .containsExactly(List.of("5000", "3000")));
    }

    @Test
    void a_warehouse_alone_needs_no_redis_and_is_not_filled_twice() throws Exception {
        cluster = JobCluster.shared(directory, "hashmap");
        cluster.run(captureArgs());
        // Nobody listens there.
        String[] args = warehouseArgs(
                "--job.name", "warehouse", "--destinations", "warehouse", "--redis.url", "redis://127.0.0.1:1");
        JobID first = cluster.run(args);
        insertContents(1, 5);
        insertEvents(1, 500, 5);
        awaitWarehouseEqualsSql();
        assertThat(cluster.restarts(first)).isZero();
        cluster.cancel(first);

        JobID withoutState = cluster.run(args);

        assertThat(cluster.awaitEnd(withoutState)).isEqualTo(JobStatus.FAILED);
        assertThat(cluster.failure(withoutState))
                .contains("local.analytics.engagement_events has rows, and this job starts without state")
                .contains("flink run -s", "warehouse.table", "--accept-warehouse-duplicates");
        assertThat(cluster.restarts(withoutState)).isZero();
        assertWarehouseEqualsSql();
    }

    @Test
    void a_table_that_does_not_fit_ends_the_submission() throws Exception {
        cluster = JobCluster.shared(directory, "hashmap");
        bigQuery.createDataset(PROJECT, "analytics");
        bigQuery.createTable(PROJECT, "analytics", "engagement_events", """
                {"schema": {"fields": [{"name": "event_id", "type": "STRING", "mode": "REQUIRED"},
                                       {"name": "event_ts", "type": "TIMESTAMP", "mode": "REQUIRED"}]}}""");

        assertThatThrownBy(() -> cluster.environment(streamArgs()))
                .isInstanceOf(RowStoreRefusedException.class)
                .hasMessageContaining("event_id is wanted as INT64 and found as STRING");
    }

    @Test
    void rows_that_the_warehouse_refuses_become_letters_and_the_live_view_has_them() throws Exception {
        bigQuery.faults().refuseRows(Set.of(17L, 500L));
        cluster = JobCluster.shared(directory, "hashmap");
        cluster.run(captureArgs());
        JobID stream = cluster.run(streamArgs());
        insertContents(1, 5);
        insertEvents(1, 1_000, 5);
        // A number that JSONB has and BigQuery's JSON has not.
        servers.sql("INSERT INTO engagement_events (id, content_id, event_type, event_ts, raw_payload) VALUES (1001, '"
                + contentId(1) + "', 'play', now(), '{\"n\": 1e400}')");

        awaitRedisEqualsSql();
        await().atMost(TIMEOUT).pollInterval(POLL).untilAsserted(() -> {
            Map<Long, JsonNode> letters = letters();
            assertThat(letters).containsOnlyKeys(17L, 500L, 1_001L);
            assertThat(letters.values()).allSatisfy(letter -> {
                assertThat(letter.get("reason").textValue()).isEqualTo("REJECTED");
                assertThat(letter.get("source").get("topic").textValue())
                        .isEqualTo("dbserver1.public.engagement_events");
                assertThat(letter.get("payload").textValue())
                        .startsWith("{\"event_id\":" + letter.get("event_id") + ",");
            });
        });
        awaitWarehouseEqualsSql("e.id NOT IN (17, 500, 1001)");
        assertThat(cluster.restarts(stream)).isZero();
    }

    @Test
    void a_row_becomes_readable_and_its_content_may_change_after_it() throws Exception {
        cluster = JobCluster.shared(directory, "hashmap");
        cluster.run(captureArgs());
        cluster.run(streamArgs());
        insertContents(1, 1);
        insertEvents(1, 1, 1);
        awaitRedisEqualsSql();

        insertEvents(2, 2, 1);
        await().atMost(TIMEOUT).pollInterval(POLL).untilAsserted(() -> {
            try (Jedis redis = servers.redis().connect()) {
                assertThat(redis.get("content:last:" + contentId(1))).startsWith("{\"event_id\":2,");
            }
        });
        servers.sql("UPDATE content SET title = 'Another' WHERE id = '" + contentId(1) + "'");
        servers.sql("DELETE FROM engagement_events WHERE id = 1");
        await().atMost(TIMEOUT).pollInterval(POLL).untilAsserted(() -> {
            try (Jedis redis = servers.redis().connect()) {
                assertThat(redis.hget("content:meta:" + contentId(1), "title")).isEqualTo("Another");
                assertThat(redis.get("content:count:" + contentId(1)))
                        .as("facts are immutable: a delete takes nothing back")
                        .isEqualTo("2");
            }
        });
    }

    /** Every number of the live view, as Redis has it and as SQL computes it. */
    private void awaitRedisEqualsSql() {
        RedisCheck check = new RedisCheck(servers.postgres(), servers.redis(), id -> List.of());
        await().atMost(TIMEOUT).pollInterval(POLL).untilAsserted(() -> assertThat(check.compare())
                .isNotEmpty()
                .allMatch(DestinationCheck.Comparison::isEqual));
    }

    private void awaitWarehouseEqualsSql() {
        awaitWarehouseEqualsSql("TRUE");
    }

    private void awaitWarehouseEqualsSql(String which) {
        await().atMost(TIMEOUT).pollInterval(POLL).untilAsserted(() -> assertWarehouseEqualsSql(which));
    }

    private void assertWarehouseEqualsSql() throws SQLException {
        assertWarehouseEqualsSql("TRUE");
    }

    /** Every column of every row, as the warehouse has it and as SQL computes it. */
    private void assertWarehouseEqualsSql(String which) throws SQLException {
        List<List<@Nullable String>> expected = new ArrayList<>();
        try (Connection connection = servers.postgres().connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("""
                    SELECT e.id, e.content_id, e.user_id, e.event_type, (extract(epoch FROM e.event_ts) * 1000000)::bigint,
                           e.duration_ms, e.device, e.raw_payload ->> 'n', c.slug, c.title, c.content_type, c.length_seconds,
                           (extract(epoch FROM c.publish_ts) * 1000000)::bigint, trim_scale(e.duration_ms / 1000.0),
                           trim_scale(round(e.duration_ms::numeric / (1000 * c.length_seconds), 2))
                    FROM engagement_events e JOIN content c ON c.id = e.content_id WHERE %s ORDER BY e.id""".formatted(which))) {
            int columns = rows.getMetaData().getColumnCount();
            while (rows.next()) {
                List<@Nullable String> row = new ArrayList<>();
                for (int i = 1; i <= columns; i++) {
                    row.add(rows.getString(i));
                }
                expected.add(row);
            }
        }
        List<List<@Nullable String>> found = bigQuery.query(PROJECT, """
                SELECT event_id, content_id, user_id, event_type, UNIX_MICROS(event_ts), duration_ms, device,
                       JSON_VALUE(raw_payload, '$.n'), slug, title, content_type, length_seconds, UNIX_MICROS(publish_ts),
                       engagement_seconds, engagement_pct
                FROM %s ORDER BY event_id""".formatted(TABLE));
        assertThat(expected).isNotEmpty();
        assertThat(found).hasSameSizeAs(expected).isEqualTo(expected);
    }

    /** The dead letters, by the event that they are of. */
    private Map<Long, JsonNode> letters() throws Exception {
        Map<Long, JsonNode> letters = new TreeMap<>();
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                Map.of(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, servers.kafka().bootstrapServers()),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor("engagement.dead-letters").stream()
                    .map(each -> new TopicPartition(each.topic(), each.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (partitions.stream().anyMatch(each -> consumer.position(each) < ends.getOrDefault(each, 0L))) {
                for (var record : consumer.poll(Duration.ofMillis(100))) {
                    JsonNode letter = new ObjectMapper().readTree(record.value());
                    letters.put(letter.get("event_id").longValue(), letter);
                }
            }
        }
        return letters;
    }

    private void insertContents(int from, int to) throws SQLException {
        List<String> rows = new ArrayList<>();
        for (int i = from; i <= to; i++) {
            rows.add("('" + contentId(i) + "', 'slug-" + i + "', 'Title " + i + "', 'podcast', "
                    + (i % 3 == 0 ? "NULL" : Integer.toString(60 * i)) + ", now())");
        }
        servers.sql("INSERT INTO content VALUES " + String.join(", ", rows));
    }

    private void insertEvents(int from, int to, int contents) throws SQLException {
        servers.sql("""
            INSERT INTO engagement_events (id, content_id, user_id, event_type, event_ts, duration_ms, device, raw_payload)
            SELECT n, ('00000000-0000-0000-0000-' || lpad((1 + n %% %d)::text, 12, '0'))::uuid, gen_random_uuid(), 'play',
                   now() - ((n * 7919 %% 1000) || ' ms')::interval, CASE WHEN n %% 5 = 0 THEN NULL ELSE n * 10 END, 'web',
                   '{"n": 1}'
            FROM generate_series(%d, %d) n""".formatted(contents, from, to));
    }

    private static String contentId(int number) {
        return String.format("00000000-0000-0000-0000-%012d", number);
    }

    private String[] captureArgs() throws Exception {
        return new String[] {
            "capture",
            "--kafka.bootstrap-servers",
            servers.kafka().bootstrapServers(),
            "--postgres.url",
            servers.postgres().jdbcUrl(),
            "--postgres.username",
            servers.postgres().username(),
            "--postgres.password.secret-file",
            servers.postgresPasswordFile(),
            "--parallelism",
            "1",
        };
    }

    private String[] streamArgs(String... more) {
        return warehouseArgs(Stream.of(
                        Stream.of("--redis.url", servers.redis().url()),
                        servers.receiver().streamArguments().stream(),
                        Stream.of("--delivery.drain-rate", "100000"),
                        Stream.of("--enrichment.content-wait", "5 min"),
                        Stream.of(more))
                .flatMap(each -> each)
                .toArray(String[]::new));
    }

    /** Without Redis, of which the default would be another one. */
    private String[] warehouseArgs(String... more) {
        return Stream.concat(
                        Stream.of(
                                "stream",
                                "--kafka.bootstrap-servers",
                                servers.kafka().bootstrapServers(),
                                "--warehouse.project",
                                PROJECT,
                                "--warehouse.endpoint",
                                bigQuery.rest(),
                                "--warehouse.grpc-endpoint",
                                "http://" + bigQuery.grpc()),
                        Stream.of(more))
                .toArray(String[]::new);
    }
}
