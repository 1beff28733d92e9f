package dev.engagement.bench;

import dev.engagement.audit.Audit;
import dev.engagement.audit.AuditOptions;
import dev.engagement.audit.AuditReport;
import dev.engagement.connection.KafkaConnection;
import dev.engagement.connection.KafkaTopics;
import dev.engagement.connection.PostgresConnection;
import dev.engagement.connection.SecretRef;
import dev.engagement.liveview.LiveViewOptions;
import dev.engagement.local.BigQueryProcess;
import dev.engagement.local.KafkaServer;
import dev.engagement.local.PostgresServer;
import dev.engagement.local.RedisServer;
import dev.engagement.local.Schema;
import dev.engagement.local.bigquery.ComparedRows;
import dev.engagement.warehouse.Warehouse;
import dev.engagement.warehouse.WarehouseOptions;
import dev.engagement.warehouse.testing.LocalWarehouse;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Pipeline;

/**
 * An audit of a day of events that are all there, written straight into the stores, by destination and of all; and of the
 * same day without one row of the warehouse. Beside {@code SELECT count(*), sum(duration_ms)} over the same events.
 */
public final class AuditBenchmark {

    private static final Instant FROM = Instant.parse("2026-01-08T00:00:00Z");
    private static final int CONTENTS = 10_000;
    private static final int ROWS_AT_ONCE = 200_000;
    private static final String TABLE = "engagement_events";
    private static final String RECEIPTS = "receipts";

    private final PostgresServer postgres;
    private final KafkaServer kafka;
    private final RedisServer redis;
    private final BigQueryProcess bigQuery;
    private final Path password;
    private final int events;

    private AuditBenchmark(
            PostgresServer postgres,
            KafkaServer kafka,
            RedisServer redis,
            BigQueryProcess bigQuery,
            Path password,
            int events) {
        this.postgres = postgres;
        this.kafka = kafka;
        this.redis = redis;
        this.bigQuery = bigQuery;
        this.password = password;
        this.events = events;
    }

    /** {@code DIRECTORY EVENTS ROUNDS}. */
    public static void main(String[] args) throws Exception {
        Path directory = Path.of(args[0]).toAbsolutePath();
        int events = Integer.parseInt(args[1]);
        int rounds = Integer.parseInt(args[2]);
        PostgresServer.discard(directory.resolve("postgres"));
        RedisServer.discard(directory.resolve("redis"));
        try (PostgresServer postgres = PostgresServer.start(directory.resolve("postgres"), 0);
                KafkaServer kafka = KafkaServer.start(directory.resolve("kafka"), 0);
                RedisServer redis = RedisServer.start(directory.resolve("redis"), 0);
                BigQueryProcess bigQuery = BigQueryProcess.start(directory.resolve("bigquery"), 0, 0)) {
            Path password = directory.resolve("password");
            Files.writeString(password, postgres.password());
            AuditBenchmark benchmark = new AuditBenchmark(postgres, kafka, redis, bigQuery, password, events);
            benchmark.fill();
            benchmark.measure(rounds);
        }
        System.exit(0);
    }

    private void fill() throws Exception {
        System.out.printf(
                Locale.ROOT, "writing %,d events into PostgreSQL, BigQuery's emulator, Kafka and Redis…%n", events);
        Schema.create(postgres);
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement()) {
            statement.execute("INSERT INTO content SELECT gen_random_uuid(), 's' || n, 'title', 'video', 60, now()"
                    + " FROM generate_series(1, " + CONTENTS + ") AS n");
            statement.execute("INSERT INTO engagement_events (content_id, event_type, event_ts, duration_ms)"
                    + " SELECT c.id, 'play', TIMESTAMPTZ '" + FROM + "' + i * INTERVAL '" + 86_400.0 / events + " s',"
                    + " i % 90000 FROM generate_series(0, " + (events - 1) + ") AS i JOIN (SELECT id, row_number()"
                    + " OVER (ORDER BY slug) AS n FROM content) AS c ON c.n = i % " + CONTENTS + " + 1 ORDER BY i");
            statement.execute("VACUUM ANALYZE engagement_events");
        }
        Warehouse.prepare(warehouse());
        warehouseRows();
        receipts();
        counts();
    }

    private void warehouseRows() throws SQLException {
        try (Connection connection = postgres.connect()) {
            connection.setAutoCommit(false);
            try (Statement statement = connection.createStatement()) {
                statement.setFetchSize(10_000);
                List<ComparedRows.Row> rows = new ArrayList<>();
                try (ResultSet row = statement.executeQuery("SELECT id, content_id::text,"
                        + " (extract(epoch FROM event_ts) * 1000000)::bigint, duration_ms FROM engagement_events")) {
                    while (row.next()) {
                        rows.add(new ComparedRows.Row(row.getLong(1), row.getString(2), row.getLong(3), row.getInt(4)));
                        if (rows.size() == ROWS_AT_ONCE) {
                            ComparedRows.append(bigQuery.grpc(), TABLE, rows);
                            rows.clear();
                        }
                    }
                }
                if (!rows.isEmpty()) {
                    ComparedRows.append(bigQuery.grpc(), TABLE, rows);
                }
            }
        }
    }

    private void receipts() {
        KafkaTopics.ensure(
                connection(),
                (short) 1,
                List.of(new KafkaTopics.Topic(RECEIPTS, 16, Map.of("cleanup.policy", "compact"))));
        Properties properties = connection().clientProperties();
        // A topic that was made a moment ago may refuse a first batch and take the second, and then never the first.
        properties.setProperty("max.in.flight.requests.per.connection", "1");
        properties.setProperty("linger.ms", "50");
        properties.setProperty("compression.type", "lz4");
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer())) {
            for (int id = 1; id <= events; id++) {
                String receipt = "{\"event_id\":" + id + ",\"delivered_at\":\"2026-01-08T00:00:00Z\",\"status\":200}";
                var unused = producer.send(new ProducerRecord<>(
                        RECEIPTS,
                        Integer.toString(id).getBytes(StandardCharsets.UTF_8),
                        receipt.getBytes(StandardCharsets.UTF_8)));
            }
        }
    }

    private void counts() throws SQLException {
        try (Jedis jedis = redis.connect();
                Pipeline pipeline = jedis.pipelined();
                Connection connection = postgres.connect();
                Statement statement = connection.createStatement();
                ResultSet counts = statement.executeQuery(
                        "SELECT content_id, count(*) FROM engagement_events GROUP BY content_id")) {
            while (counts.next()) {
                var unused = pipeline.set("content:count:" + counts.getString(1), counts.getString(2));
            }
        }
    }

    private KafkaConnection connection() {
        return new KafkaConnection(kafka.bootstrapServers(), Map.of());
    }

    private WarehouseOptions warehouse() {
        return LocalWarehouse.options(bigQuery.rest(), "http://" + bigQuery.grpc(), TABLE, false);
    }

    private AuditOptions options(boolean warehouse, boolean delivery, boolean liveView) {
        return new AuditOptions(
                FROM,
                FROM.plus(Duration.ofDays(1)),
                Duration.ZERO,
                10,
                new AuditOptions.Database(
                        new PostgresConnection(
                                postgres.jdbcUrl(),
                                postgres.username(),
                                SecretRef.inFile("postgres.password", password.toString())),
                        Schema.NAME,
                        Schema.EVENTS,
                        null),
                connection(),
                RECEIPTS,
                RECEIPTS,
                warehouse ? warehouse() : null,
                liveView ? new LiveViewOptions(URI.create(redis.url()), SecretRef.none(), "") : null,
                delivery ? new AuditOptions.Delivery(RECEIPTS, RECEIPTS, "drain", true) : null,
                null);
    }

    private void measure(int rounds) throws Exception {
        System.out.printf(Locale.ROOT, "%n  %-44s %10s%n", "what", "seconds");
        report("SELECT count(*), sum(duration_ms)", rounds, this::sum);
        report("audit of the warehouse", rounds, () -> audit(options(true, false, false), true));
        report("audit of delivery", rounds, () -> audit(options(false, true, false), true));
        report("audit of the live view's counts", rounds, () -> audit(options(false, false, true), true));
        report("audit of all three", rounds, () -> audit(options(true, true, true), true));
        String removed = bigQuery.query(
                BigQueryProcess.PROJECT,
                "DELETE FROM analytics." + TABLE + " WHERE event_id = " + events / 2 + " AND event_ts >= TIMESTAMP '"
                        + FROM + "'");
        if (!removed.contains("\"deletedRowCount\":\"1\"")) {
            throw new IllegalStateException("The emulator has deleted none: " + removed);
        }
        report("audit of all three, one row missing", rounds, () -> audit(options(true, true, true), false));
    }

    /** One run of something. */
    @FunctionalInterface
    private interface Run {
        void run() throws Exception;
    }

    private static void report(String what, int rounds, Run run) throws Exception {
        run.run();
        List<Double> seconds = new ArrayList<>();
        for (int round = 0; round < rounds; round++) {
            long start = System.nanoTime();
            run.run();
            seconds.add((System.nanoTime() - start) / 1e9);
        }
        seconds.sort(null);
        System.out.printf(Locale.ROOT, "  %-44s %10.2f%n", what, seconds.get(seconds.size() / 2));
    }

    private void sum() throws SQLException {
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(
                        "SELECT count(*), sum(duration_ms) FROM engagement_events WHERE event_ts >= '" + FROM
                                + "' AND event_ts < '" + FROM.plus(Duration.ofDays(1)) + "'")) {
            row.next();
            if (row.getLong(1) != events) {
                throw new IllegalStateException("There are " + row.getLong(1) + " events instead of " + events);
            }
        }
    }

    private void audit(AuditOptions options, boolean equal) throws Exception {
        AuditReport report = Audit.run(options, Clock.systemUTC(), progress -> {});
        if (report.isEqual() != equal || report.events() != events) {
            throw new IllegalStateException("The audit says\n" + report.asText(true));
        }
    }
}
