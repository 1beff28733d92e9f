package dev.engagement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.engagement.local.PostgresServer;
import dev.engagement.local.bigquery.BigQueryEmulator;
import dev.engagement.local.testing.SharedServers;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.apache.flink.api.common.JobID;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.Jedis;

/**
 * A shop's plain events and a shop's rows, by the files that the documentation shows, through the whole job on real servers,
 * against plain SQL. What was told to Kafka stands in a table of its own, {@code told}, which the job knows nothing of.
 */
class FlatEventsIT {

    private static final Path DIRECTORY = Path.of("target/it/flat-events");
    private static final Path RESOURCES = Path.of("src/site/resources");
    private static final Duration TIMEOUT = Duration.ofMinutes(5);
    private static final Duration POLL = Duration.ofMillis(50);
    private static final String PROJECT = "local";
    private static final String TABLE = "analytics.engagement_events";
    private static final String TOPIC = "shop.events";
    private static final int EVENTS = 1_000;

    /** All events, those of the tracker and those of PostgreSQL, with what is known of their products. */
    private static final String ALL = "(SELECT * FROM told UNION ALL SELECT * FROM shop.events) AS e";

    private SharedServers servers;
    private PostgresServer server;
    private BigQueryEmulator bigQuery;
    private JobCluster cluster;
    private Instant from;

    @BeforeEach
    void start() throws Exception {
        servers = SharedServers.lease(DIRECTORY);
        server = servers.analytics();
        bigQuery = servers.bigQuery().emulator();
        servers.sql(Files.readString(RESOURCES.resolve("shop.sql")));
        servers.sql("CREATE TABLE told (LIKE shop.events)");
        servers.sql("INSERT INTO shop.products SELECT 'p-' || n, 'slug-' || n, 'Product ' || n,"
                + " (ARRAY['garden', 'toys'])[1 + n % 2], NULL, now() FROM generate_series(0, 6) AS n");
        // Some windows have ended by now, and the last hour's keys live.
        from = Instant.ofEpochSecond(Instant.now().getEpochSecond() / 120 * 120 - 360);
        cluster = JobCluster.shared(DIRECTORY, "hashmap");
    }

    @AfterEach
    void stop() throws Exception {
        cluster.close();
        servers.close();
    }

    @Test
    void a_shops_events_are_everywhere_what_sql_says_of_them() throws Exception {
        // Products first: what a job finds known when it starts, no event passes without.
        cluster.run(args("capture", List.of("--parallelism", "1")));
        await().atMost(TIMEOUT).pollInterval(POLL).until(() -> records("shop.products") == 7);
        JobID stream = cluster.run(streamArgs());

        tell(1, EVENTS);
        List<String> bad = List.of(
                "{\"id\":\"x\",\"event_ts\":\"2026-01-08T14:21:52Z\"}",
                "{\"id\":900001}",
                "{\"id\":900002,\"event_ts\":\"2026-01-08T14:21:52Z\",\"content_id\":\"\"}",
                "no JSON");
        send(bad);
        // Once more, as a tracker that repeats itself would.
        tellAgain();
        insertRows(EVENTS + 1, EVENTS + 200);
        awaitEverythingEqualsSql();

        await().atMost(TIMEOUT).pollInterval(POLL).untilAsserted(() -> assertThat(letters())
                .containsExactly("INVALID", "INVALID", "INVALID", "UNDECODABLE"));
        assertThat(cluster.restarts(stream)).isZero();

        // By another job from a savepoint, as events without a content are in it.
        String savepoint = cluster.stop(stream);
        JobID second = cluster.runFrom(savepoint, streamArgs());
        tell(EVENTS + 201, EVENTS + 400);
        awaitEverythingEqualsSql();
        assertThat(cluster.restarts(second)).isZero();
    }

    @Test
    void rows_that_nobody_captured_are_filled_in_and_the_audit_agrees() throws Exception {
        JobID capture = cluster.run(args("capture", List.of("--parallelism", "1")));
        await().atMost(TIMEOUT).pollInterval(POLL).until(() -> records("shop.products") == 7);
        cluster.run(streamArgs());
        insertRows(1, 200);
        awaitWarehouseEqualsSql();
        cluster.cancel(capture);
        insertRows(201, 300);

        assertThat(command("backfill", "--backfill.wait", "5 min")).endsWith("Backfill done. inserted=100 skipped=200");

        awaitEverythingEqualsSql();
        // An exit code of 0: nothing differs anywhere.
        command("audit", "--counts", "--redis.url", servers.redis().url());
    }

    // ------------------------------------------------------------------------------------------------- the source

    /** As a tracker writes them: some of no product, some of a product that nobody knows. */
    private void tell(int first, int last) throws Exception {
        servers.sql(insert("told", first, last, "WHEN mod(n, 13) = 0 THEN 'unknown'"));
        send(told("n BETWEEN " + first + " AND " + last));
    }

    private void tellAgain() throws Exception {
        send(told("true"));
    }

    /** Plain events, without the fields that would be null. */
    private List<String> told(String which) throws SQLException {
        return rows("""
                SELECT json_strip_nulls(json_build_object('category', raw_payload -> 'category', 'id', n,
                  'content_id', content_id, 'user_id', user_id, 'event_type', event_type, 'event_ts', event_ts,
                  'duration_ms', duration_ms, 'device', device, 'price', raw_payload -> 'price'))::text
                FROM (SELECT id AS n, * FROM told) AS told WHERE %s""".formatted(which)).stream()
                .map(row -> String.valueOf(row.get(0)))
                .toList();
    }

    private void insertRows(int first, int last) throws SQLException {
        servers.sql(insert("shop.events", first, last, ""));
    }

    private String insert(String table, int first, int last, String contents) {
        return """
                INSERT INTO %s SELECT n,
                  CASE WHEN mod(n, 5) = 0 THEN NULL %s ELSE 'p-' || mod(n, 7) END,
                  CASE WHEN mod(n, 11) > 0 THEN 'u-' || mod(n * 31, 50) END,
                  (ARRAY['product_view', 'add_to_cart', 'purchase'])[1 + mod(n, 3)],
                  TIMESTAMPTZ '%s' + mod(n * 7919, 330000) * interval '1 ms',
                  CASE WHEN mod(n, 4) = 0 THEN mod(n, 60) * 1000 END, (ARRAY['web', 'app', NULL])[1 + mod(n, 3)],
                  jsonb_build_object('category', (ARRAY['garden', 'toys'])[1 + mod(n, 2)], 'price',
                    (mod(n, 1000) / 100.0)::numeric(10, 2)::text)
                FROM generate_series(%d, %d) AS n""".formatted(table, contents, from, first, last);
    }

    private void send(List<String> values) throws Exception {
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(
                Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, servers.kafka().bootstrapServers()),
                new StringSerializer(),
                new StringSerializer())) {
            List<Future<?>> sent = new ArrayList<>();
            values.forEach(value -> sent.add(producer.send(new ProducerRecord<>(TOPIC, value))));
            for (Future<?> each : sent) {
                each.get();
            }
        }
    }

    // ------------------------------------------------------------------------------------------------- what is
    // compared

    private void awaitEverythingEqualsSql() {
        awaitWarehouseEqualsSql();
        await().atMost(TIMEOUT).pollInterval(POLL).untilAsserted(() -> {
            assertLiveViewEqualsSql();
            assertRollupsEqualSql();
            JsonNode receiver = servers.receiver().get("/stats");
            assertThat(receiver.get("distinctEvents").asLong())
                    .isEqualTo(Long.parseLong(String.valueOf(
                            rows("SELECT count(*) FROM " + ALL).get(0).get(0))));
        });
    }

    private void awaitWarehouseEqualsSql() {
        await().atMost(TIMEOUT).pollInterval(POLL).untilAsserted(() -> assertThat(
                        bigQuery.query(PROJECT, """
                        SELECT event_id, content_id, user_id, event_type, UNIX_MICROS(event_ts), duration_ms, device,
                          JSON_VALUE(raw_payload, '$.category'), JSON_VALUE(raw_payload, '$.price'), slug, title,
                          content_type, engagement_seconds, engagement_pct
                        FROM %s ORDER BY event_id""".formatted(TABLE)))
                .isEqualTo(rows("""
                        SELECT e.id, e.content_id, e.user_id, e.event_type,
                          (extract(epoch FROM e.event_ts) * 1000000)::bigint, e.duration_ms, e.device,
                          e.raw_payload ->> 'category', e.raw_payload ->> 'price', p.slug, p.title,
                          p.content_type, trim_scale(e.duration_ms / 1000.0), NULL
                        FROM %s LEFT JOIN shop.products AS p ON p.id = e.content_id ORDER BY e.id""".formatted(ALL))));
    }

    /** Counts, buckets and boards know what has a content_id, and nothing of the rest. */
    private void assertLiveViewEqualsSql() throws Exception {
        Map<String, String> counts = new TreeMap<>();
        for (List<@Nullable String> row :
                rows("SELECT content_id, count(*) FROM " + ALL + " WHERE content_id IS NOT NULL GROUP BY content_id")) {
            counts.put("content:count:" + row.get(0), String.valueOf(row.get(1)));
        }
        Map<String, String> last = new TreeMap<>();
        for (List<@Nullable String> row : rows("SELECT DISTINCT ON (content_id) content_id, id FROM " + ALL
                + " WHERE content_id IS NOT NULL ORDER BY content_id, event_ts DESC, id DESC")) {
            last.put("content:last:" + row.get(0), String.valueOf(row.get(1)));
        }
        Map<String, String> foundCounts = new TreeMap<>();
        Map<String, String> foundLast = new TreeMap<>();
        try (Jedis redis = servers.redis().connect()) {
            for (String key : redis.keys("content:count:*")) {
                foundCounts.put(key, redis.get(key));
            }
            for (String key : redis.keys("content:last:*")) {
                foundLast.put(
                        key,
                        new ObjectMapper()
                                .readTree(redis.get(key))
                                .get("event_id")
                                .asText());
            }
            for (String bucket : redis.keys("top:content:bucket:*")) {
                assertThat(redis.zrange(bucket, 0, -1)).allMatch(id -> id.equals("unknown") || id.startsWith("p-"));
            }
        }
        assertThat(foundCounts).isEqualTo(counts);
        assertThat(foundLast).isEqualTo(last);
    }

    private void assertRollupsEqualSql() throws SQLException {
        String window = "extract(epoch FROM date_bin('2 min', event_ts, TIMESTAMPTZ 'epoch'))::bigint";
        assertThat(analytics("SELECT extract(epoch FROM window_start)::bigint, content_id, view_count, viewers"
                        + " FROM product_view_window ORDER BY 1, 2"))
                .isEqualTo(rows("SELECT " + window + ", content_id, count(*), count(DISTINCT user_id) FROM " + ALL
                        + " WHERE event_type = 'product_view' AND content_id IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2"));
        assertThat(analytics("SELECT extract(epoch FROM window_start)::bigint, content_id, device, added"
                        + " FROM cart_window ORDER BY 1, 2, 3"))
                .isEqualTo(
                        rows(
                                "SELECT " + window + ", content_id, coalesce(device, ''), count(*) FROM " + ALL
                                        + " WHERE event_type = 'add_to_cart' AND content_id IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"));
        assertThat(analytics("SELECT extract(epoch FROM window_start)::bigint, category, trim_scale(total_revenue),"
                        + " purchases FROM category_revenue_window ORDER BY 1, 2"))
                .isEqualTo(rows("SELECT " + window + ", raw_payload ->> 'category',"
                        + " trim_scale(sum((raw_payload ->> 'price')::numeric)), count(*) FROM " + ALL
                        + " WHERE event_type = 'purchase' GROUP BY 1, 2 ORDER BY 1, 2"));
    }

    private List<List<@Nullable String>> rows(String query) throws SQLException {
        return rows(server.connect(), query);
    }

    private List<List<@Nullable String>> analytics(String query) throws SQLException {
        return rows(server.connect(PostgresServer.ANALYTICS), query);
    }

    /** Closes the connection. */
    private static List<List<@Nullable String>> rows(Connection connection, String query) throws SQLException {
        List<List<@Nullable String>> rows = new ArrayList<>();
        try (connection;
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            @Nullable String[] values = new @Nullable String[row.getMetaData().getColumnCount()];
            while (row.next()) {
                for (int i = 0; i < values.length; i++) {
                    values[i] = row.getString(i + 1);
                }
                rows.add(Arrays.asList(values.clone()));
            }
        }
        return rows;
    }

    private long records(String topic) {
        return read(topic).size();
    }

    private List<String> letters() throws Exception {
        List<String> reasons = new ArrayList<>();
        for (ConsumerRecord<byte[], byte[]> record : read("engagement.dead-letters")) {
            reasons.add(
                    new ObjectMapper().readTree(record.value()).get("reason").textValue());
        }
        return reasons.stream().sorted().toList();
    }

    private List<ConsumerRecord<byte[], byte[]>> read(String topic) {
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                Map.of(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, servers.kafka().bootstrapServers()),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
                    .map(each -> new TopicPartition(each.topic(), each.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (partitions.stream().anyMatch(each -> consumer.position(each) < ends.getOrDefault(each, 0L))) {
                consumer.poll(Duration.ofMillis(100)).forEach(records::add);
            }
        }
        return records;
    }

    // ------------------------------------------------------------------------------------------------- the commands

    /** A command of the client, to its end; what it prints last. */
    private String command(String word, String... more) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        List<String> options = new ArrayList<>(warehouse());
        options.addAll(
                List.of("--from", from.toString(), "--to", from.plusSeconds(331).toString()));
        options.addAll(List.of(more));
        int code = EngagementJob.run(args(word, options), Map.of(), print(out), print(err));
        String printed = out.toString(StandardCharsets.UTF_8).strip();
        assertThat(code).as(printed + err.toString(StandardCharsets.UTF_8)).isZero();
        return printed;
    }

    private static PrintStream print(ByteArrayOutputStream bytes) {
        return new PrintStream(bytes, true, StandardCharsets.UTF_8);
    }

    private List<String> warehouse() {
        return List.of(
                "--warehouse.project",
                PROJECT,
                "--warehouse.endpoint",
                bigQuery.rest(),
                "--warehouse.grpc-endpoint",
                "http://" + bigQuery.grpc());
    }

    private String[] streamArgs() throws Exception {
        List<String> options = new ArrayList<>(warehouse());
        options.addAll(List.of("--redis.url", servers.redis().url()));
        options.addAll(servers.rollupArguments());
        options.addAll(servers.receiver().streamArguments());
        options.addAll(List.of("--destinations", "liveview,warehouse,delivery,rollups", "--rollup.refresh", "200 ms"));
        return Stream.concat(
                        Stream.of(
                                "stream",
                                "--config",
                                RESOURCES.resolve("shop.properties").toString(),
                                "--kafka.bootstrap-servers",
                                servers.kafka().bootstrapServers()),
                        options.stream())
                .toArray(String[]::new);
    }

    /** Of a command that reads PostgreSQL. */
    private String[] args(String word, List<String> more) throws Exception {
        List<String> args = new ArrayList<>(List.of(
                word,
                "--config",
                RESOURCES.resolve("shop.properties").toString(),
                "--kafka.bootstrap-servers",
                servers.kafka().bootstrapServers(),
                "--postgres.url",
                server.jdbcUrl(),
                "--postgres.username",
                server.username(),
                "--postgres.password.secret-file",
                servers.postgresPasswordFile()));
        args.addAll(more);
        return args.toArray(String[]::new);
    }
}
