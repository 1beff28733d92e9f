package dev.engagement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.engagement.local.FlinkRest;
import dev.engagement.local.FlinkRest.Aggregation;
import dev.engagement.local.PostgresServer;
import dev.engagement.local.testing.SharedServers;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.flink.api.common.JobID;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.Jedis;

/** A shop's rollups, from its rows through both jobs to its tables, against plain SQL over the rows. */
class RollupJobIT {

    private static final Path DIRECTORY = Path.of("target/it/rollup-job");
    private static final Path SHOP = Path.of("src/site/resources/shop-rollups.properties");
    private static final String EVENTS_TOPIC = "dbserver1.public.engagement_events";

    private static final int EVENTS = 1_000;
    private static final int PRODUCTS = 7;

    /** All windows of what happens for so long after {@link #from} have ended, the sliding ones included. */
    private static final int SECONDS = 330;

    /** @param counts what a sum has of it; null if it is skipped */
    private record Price(String json, @Nullable String counts) {}

    private static final List<Price> PRICES = List.of(
            new Price("\"12.50\"", "12.50"),
            new Price("\"007\"", "7"),
            new Price("-0.5", "-0.5"),
            new Price("0.000000000000000001", "0.000000000000000001"),
            new Price("0.0000000000000000001", null),
            new Price("1e400", null),
            new Price("1234567890123456789012345678901234567890", null),
            new Price("\"1e3\"", null),
            new Price("\" 1\"", null),
            new Price("\"\"", null),
            new Price("true", null),
            new Price("null", null),
            new Price("{}", null),
            new Price("[1]", null));

    /** The first two are too long for any key. */
    private static final List<String> KEYS = List.of(
            "\"" + "x".repeat(1_000_000) + "\"",
            "\"" + "y".repeat(513) + "\"",
            "\"" + "z".repeat(512) + "\"",
            "\"\"",
            "\"a/b:c%{}|\"",
            "\"\uD83D\uDE00\"",
            "12.50",
            "true",
            "null",
            "{}",
            "[1]");

    private static final List<@Nullable String> HOSTILE = hostile();

    private static List<@Nullable String> hostile() {
        List<@Nullable String> payloads = new ArrayList<>(List.of("{}", "[]", "5", "\"text\"", "null"));
        payloads.add(null);
        for (Price price : PRICES) {
            payloads.add("{\"product_id\": \"p-odd\", \"category\": \"odd\", \"price\": " + price.json() + "}");
        }
        for (String key : KEYS) {
            payloads.add("{\"product_id\": " + key + ", \"category\": \"garden\", \"price\": 1}");
            payloads.add("{\"product_id\": \"p-1\", \"category\": " + key + ", \"price\": 1}");
        }
        return payloads;
    }

    /** What a number is, and what a part of a key is, in SQL. */
    private static final List<String> FUNCTIONS = List.of("""
            CREATE FUNCTION usable(field jsonb) RETURNS numeric LANGUAGE sql AS $$
              SELECT CASE WHEN abs(n) < 1e20 AND scale(trim_scale(n)) <= 18 THEN n END
              FROM (SELECT CASE WHEN jsonb_typeof(field) = 'number'
                  OR jsonb_typeof(field) = 'string' AND field #>> '{}' ~ '^-?[0-9]+([.][0-9]+)?$'
                THEN (field #>> '{}')::numeric END AS n) AS number
            $$""", """
            CREATE FUNCTION part(field jsonb) RETURNS text LANGUAGE sql AS $$
              SELECT CASE WHEN jsonb_typeof(field) IN ('object', 'array') THEN '' ELSE coalesce(field #>> '{}', '') END
            $$""");

    /**
     * A table.
     *
     * @param rows SQL: its rows, each as one text
     * @param source SQL: the same, of the source
     */
    private record Table(String rows, String source) {}

    private static final List<Table> TABLES =
            List.of(new Table("""
                    SELECT concat_ws('|', extract(epoch FROM window_start)::bigint, product_id,
                      extract(epoch FROM window_end)::bigint, view_count, skipped, version)
                    FROM product_view_window""", """
                    SELECT concat_ws('|', w, k, w + 120, count(*), 0, count(*))
                    FROM (SELECT extract(epoch FROM date_bin('2 min', event_ts, TIMESTAMPTZ 'epoch'))::bigint AS w,
                        part(raw_payload -> 'product_id') AS k
                      FROM engagement_events WHERE event_type = 'product_view') AS e
                    WHERE octet_length(k) <= 512 GROUP BY w, k"""), new Table("""
                    SELECT concat_ws('|', extract(epoch FROM window_start)::bigint, category,
                      extract(epoch FROM window_end)::bigint, event_count, skipped, version)
                    FROM category_activity_window""", """
                    SELECT concat_ws('|', w, k, w + 120, count(*), 0, count(*))
                    FROM (SELECT extract(epoch FROM date_bin('2 min', event_ts, TIMESTAMPTZ 'epoch'))::bigint AS w,
                        part(raw_payload -> 'category') AS k
                      FROM engagement_events) AS e
                    WHERE octet_length(k) <= 512 GROUP BY w, k"""), new Table("""
                    SELECT concat_ws('|', extract(epoch FROM window_start)::bigint, category,
                      extract(epoch FROM window_end)::bigint, trim_scale(total_revenue), skipped, version)
                    FROM category_revenue_window""", """
                    SELECT concat_ws('|', w, k, w + 120, trim_scale(coalesce(sum(price), 0)), count(*) - count(price),
                      count(*))
                    FROM (SELECT extract(epoch FROM date_bin('2 min', event_ts, TIMESTAMPTZ 'epoch'))::bigint AS w,
                        part(raw_payload -> 'category') AS k, usable(raw_payload -> 'price') AS price
                      FROM engagement_events WHERE event_type = 'purchase') AS e
                    WHERE octet_length(k) <= 512 GROUP BY w, k"""), new Table("""
                    SELECT concat_ws('|', extract(epoch FROM window_start)::bigint, window_size, event_type,
                      extract(epoch FROM window_end)::bigint, count, trim_scale(total_value), unique_users,
                      unique_users_exact, skipped, version)
                    FROM metrics""", """
                    SELECT concat_ws('|', w, '30s', t, w + 30, count(*), trim_scale(coalesce(sum(v), 0)),
                      count(DISTINCT user_id), true, count(*) - count(v), count(*))
                    FROM (SELECT extract(epoch FROM date_bin('10 s', event_ts, TIMESTAMPTZ 'epoch'))::bigint - 10 * back
                        AS w, coalesce(event_type, '') AS t, usable(raw_payload -> 'value') AS v, user_id
                      FROM engagement_events CROSS JOIN generate_series(0, 2) AS back) AS e
                    GROUP BY w, t"""));

    private SharedServers servers;
    private PostgresServer server;
    private JobCluster cluster;
    private Instant from;

    @BeforeEach
    void start() throws Exception {
        servers = SharedServers.lease(DIRECTORY);
        server = servers.analytics();
        // As the lines for a shop ask for.
        servers.sql("ALTER TABLE engagement_events DROP CONSTRAINT engagement_events_event_type_check");
        for (String function : FUNCTIONS) {
            servers.sql(function);
        }
        for (int i = 0; i < PRODUCTS; i++) {
            servers.sql("INSERT INTO content VALUES ('" + content(i) + "', 'product-" + i + "', 'Product " + i
                    + "', NULL, NULL, now())");
        }
        from = Instant.ofEpochSecond(Instant.now().getEpochSecond() / 120 * 120 - 360);
        cluster = JobCluster.shared(DIRECTORY, "hashmap");
    }

    @AfterEach
    void stop() throws Exception {
        cluster.close();
        servers.close();
    }

    @Test
    void a_shops_tables_are_what_sql_says_of_its_rows() throws Exception {
        insert(1, EVENTS);
        insertHostile(100_001);
        JobID capture = cluster.run(captureArgs());
        await().until(() -> captured().size() == rows());
        // Of a topic that has them already: their windows end as event time passes them.
        JobID stream = cluster.run(streamArgs());
        awaitTablesEqualSql();

        // These come when their windows have ended, and correct them.
        insert(EVENTS + 1, 2 * EVENTS);
        insertHostile(200_001);
        awaitTablesEqualSql();

        List<ConsumerRecord<byte[], byte[]>> captured = captured();
        assertThat(captured).hasSize(rows());
        produceAgain(captured);
        await().untilAsserted(() -> assertThat(metric(stream, "duplicates")).isEqualTo((double) captured.size()));
        insert(2 * EVENTS + 1, 2 * EVENTS + 100);
        awaitTablesEqualSql();

        assertThat(analytics("SELECT trim_scale(sum(total_revenue)) || ' ' || sum(skipped) || ' ' || sum(version)"
                        + " FROM category_revenue_window WHERE category = 'odd'"))
                .containsExactly(oddPricesTwice());
        assertThat(metric(stream, "keysLeftOut")).isPositive();
        awaitRedisShows("p-1");
        assertThat(cluster.status(capture).isTerminalState()).isFalse();
        assertThat(cluster.restarts(stream)).isZero();
    }

    /** Sum, values that were skipped, and events, by hand. */
    private static String oddPricesTwice() {
        BigDecimal sum = BigDecimal.ZERO;
        int skipped = 0;
        for (Price price : PRICES) {
            if (price.counts() == null) {
                skipped += 2;
            } else {
                sum = sum.add(new BigDecimal(price.counts()).multiply(BigDecimal.valueOf(2)));
            }
        }
        return sum.stripTrailingZeros().toPlainString() + " " + skipped + " " + 2 * PRICES.size();
    }

    private void awaitTablesEqualSql() {
        await().untilAsserted(() -> {
            for (Table table : TABLES) {
                List<String> expected = texts(server.connect(), table.source());
                assertThat(expected).isNotEmpty();
                assertThat(analytics(table.rows())).isEqualTo(expected);
            }
        });
    }

    /** All windows of a product, of which each ended less than an hour ago. */
    private void awaitRedisShows(String product) {
        await().untilAsserted(() -> {
            long shown = 0;
            try (Jedis redis = servers.redis().connect()) {
                for (String window : redis.zrange("rollup:product_views:" + product, 0, -1)) {
                    shown += new ObjectMapper()
                            .readTree(window)
                            .path("view_count")
                            .asLong();
                }
            }
            assertThat(analytics("SELECT sum(view_count)::text FROM product_view_window WHERE product_id = '" + product
                            + "'"))
                    .containsExactly(Long.toString(shown));
        });
    }

    private double metric(JobID job, String name) throws Exception {
        return new FlinkRest(cluster.rest())
                .metrics(job.toHexString(), Map.of(name, Aggregation.SUM))
                .getOrDefault(name, 0.0);
    }

    // ------------------------------------------------------------------------------------------------- the source

    private static UUID content(int product) {
        return new UUID(0, product);
    }

    /** Views and purchases, and something else that happens, prices as numbers and as texts. */
    private void insert(int first, int last) throws SQLException {
        String sql = """
                INSERT INTO engagement_events (id, content_id, user_id, event_type, event_ts, raw_payload)
                SELECT n, ('00000000-0000-0000-0000-' || lpad(mod(n, %d)::text, 12, '0'))::uuid,
                  CASE WHEN mod(n, 13) > 0
                    THEN ('00000000-0000-0000-0001-' || lpad(mod(n * 31, 200)::text, 12, '0'))::uuid END,
                  CASE WHEN mod(n, 11) = 0 THEN 'play' WHEN mod(n, 4) = 0 THEN 'purchase' ELSE 'product_view' END,
                  TIMESTAMPTZ '%s' + mod(n * 7919, %d) * interval '1 ms',
                  jsonb_build_object('product_id', 'p-' || mod(n, %d), 'value', mod(n, 5),
                    'category', (ARRAY['garden', 'toys'])[1 + mod(mod(n, %d), 2)],
                    'price', CASE WHEN mod(n, 8) = 0 THEN to_jsonb((mod(n, 1000) / 100.0)::numeric(10, 2))
                      ELSE to_jsonb((mod(n, 1000) / 100.0)::numeric(10, 2)::text) END)
                FROM generate_series(%d, %d) AS n""";
        servers.sql(sql.formatted(PRODUCTS, from, 1_000 * SECONDS, PRODUCTS, PRODUCTS, first, last));
    }

    private void insertHostile(int first) throws SQLException {
        try (Connection connection = server.connect();
                PreparedStatement insert = connection.prepareStatement("INSERT INTO engagement_events"
                        + " (id, content_id, event_type, event_ts, raw_payload) VALUES (?, ?, ?, ?, ?::jsonb)")) {
            int id = first;
            for (String payload : HOSTILE) {
                for (String type : List.of("product_view", "purchase")) {
                    insert.setInt(1, id);
                    insert.setObject(2, content(id % PRODUCTS));
                    insert.setString(3, type);
                    insert.setObject(4, from.plusSeconds(id % SECONDS).atOffset(ZoneOffset.UTC));
                    insert.setString(5, payload);
                    insert.executeUpdate();
                    id++;
                }
            }
        }
    }

    private int rows() throws SQLException {
        return Integer.parseInt(texts(server.connect(), "SELECT count(*)::text FROM engagement_events")
                .get(0));
    }

    private List<String> analytics(String query) throws SQLException {
        return texts(server.connect(PostgresServer.ANALYTICS), query);
    }

    /** The query's only column, sorted; closes the connection. */
    private static List<String> texts(Connection connection, String query) throws SQLException {
        List<String> texts = new ArrayList<>();
        try (connection;
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            while (row.next()) {
                texts.add(row.getString(1));
            }
        }
        Collections.sort(texts);
        return texts;
    }

    // ------------------------------------------------------------------------------------------------- the topic

    /** Every record of the events' topic. */
    private List<ConsumerRecord<byte[], byte[]>> captured() {
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                Map.of(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, servers.kafka().bootstrapServers()),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor(EVENTS_TOPIC).stream()
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

    private void produceAgain(List<ConsumerRecord<byte[], byte[]>> records) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of(
                        ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
                        servers.kafka().bootstrapServers(),
                        ProducerConfig.MAX_REQUEST_SIZE_CONFIG,
                        4 * 1024 * 1024),
                new ByteArraySerializer(),
                new ByteArraySerializer())) {
            for (ConsumerRecord<byte[], byte[]> each : records) {
                producer.send(new ProducerRecord<>(EVENTS_TOPIC, each.partition(), each.key(), each.value()))
                        .get();
            }
        }
    }

    // ------------------------------------------------------------------------------------------------- the jobs

    private String[] captureArgs() throws Exception {
        return new String[] {
            "capture",
            "--kafka.bootstrap-servers",
            servers.kafka().bootstrapServers(),
            "--postgres.url",
            server.jdbcUrl(),
            "--postgres.username",
            server.username(),
            "--postgres.password.secret-file",
            servers.postgresPasswordFile(),
            "--parallelism",
            "1",
        };
    }

    private String[] streamArgs() throws Exception {
        List<String> arguments = new ArrayList<>(List.of(
                "stream",
                "--config",
                SHOP.toString(),
                "--destinations",
                "liveview,rollups",
                "--kafka.bootstrap-servers",
                servers.kafka().bootstrapServers(),
                "--redis.url",
                servers.redis().url(),
                "--rollup.refresh",
                "200 ms",
                "--enrichment.content-wait",
                "5 min"));
        arguments.addAll(servers.rollupArguments());
        return arguments.toArray(String[]::new);
    }
}
