package dev.engagement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.engagement.local.BigQueryProcess;
import dev.engagement.local.ContentRow;
import dev.engagement.local.DestinationCheck;
import dev.engagement.local.RedisCheck;
import dev.engagement.local.WarehouseCheck;
import dev.engagement.local.testing.SharedServers;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * Backfill beside a live stream, on real servers: one installation, whose history of losses the tests tell in order. Whatever
 * happened, every destination holds each event once.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class BackfillIT {

    private static final Path DIRECTORY = Path.of("target/it/backfill");
    private static final Duration TIMEOUT = Duration.ofMinutes(5);
    private static final String TABLE = "analytics.engagement_events";
    private static final int CONTENTS = 20;

    /** What contents were before they changed. */
    private static final Map<UUID, List<ContentRow>> VERSIONS = new ConcurrentHashMap<>();

    private static SharedServers servers;
    private static String password;
    private static JobCluster cluster;
    private static JobID stream;
    private static Instant begin;

    @BeforeAll
    static void start() throws Exception {
        servers = SharedServers.lease(DIRECTORY);
        password = servers.postgresPasswordFile();
        cluster = JobCluster.shared(DIRECTORY, "hashmap");
        begin = Instant.now().minusSeconds(60);
        insertContents();
        JobID capture = cluster.run(captureArgs());
        stream = cluster.run(args("stream", streamArgs("5 min")));
        insertEvents(1, 500);
        awaitEqual();
        // The slot is lost: from here on nobody captures, and the test says what of the log reached Kafka.
        cluster.cancel(capture);
    }

    @AfterAll
    static void stop() throws Exception {
        cluster.close();
        servers.close();
    }

    @Test
    @Order(1)
    void rows_that_capture_missed_are_put_into_every_destination() throws Exception {
        insertEvents(501, 1_500);

        assertThat(backfill("--dry-run"))
                .contains("of 1,500 rows 500 are in the warehouse and 1,000 would be published; nothing was")
                .endsWith("Backfill done. inserted=0 skipped=500");
        assertThat(warehouseRows()).isEqualTo(500);

        assertThat(lastLine(backfill())).isEqualTo("Backfill done. inserted=1000 skipped=500");
        awaitEqual();
    }

    @Test
    @Order(2)
    void a_second_one_finds_nothing_to_do() throws Exception {
        assertThat(backfill()).doesNotContain("published").endsWith("Backfill done. inserted=0 skipped=1500");
        awaitEqual();
    }

    @Test
    @Order(3)
    void what_is_published_twice_counts_once() throws Exception {
        assertThat(backfill("--all"))
                .contains("1,500 rows published")
                .endsWith("Backfill done. inserted=0 skipped=1500");
        awaitEqual();
    }

    @Test
    @Order(4)
    void of_one_content_alone() throws Exception {
        insertEvents(1_501, 1_600);
        String content = contentId(3);
        String of = "SELECT count(*) FROM engagement_events WHERE content_id = '" + content + "'";
        long all = number(of);
        long lost = number(of + " AND id > 1500");

        assertThat(lastLine(backfill("--content-id", content)))
                .isEqualTo("Backfill done. inserted=" + lost + " skipped=" + (all - lost));
        assertThat(warehouseRows()).isEqualTo(1_500 + lost);
        assertThatThrownBy(() -> backfill("--content-id", "x"))
                .hasMessageContaining("content-id is 'x', which is no value of the column content_id");
        assertThat(lastLine(backfill()))
                .isEqualTo("Backfill done. inserted=" + (100 - lost) + " skipped=" + (1_500 + lost));
        awaitEqual();
    }

    @Test
    @Order(5)
    void two_beside_each_other_and_beside_the_live_stream() throws Exception {
        insertEvents(1_601, 2_600);
        // Some of the rows are on their way by capture as well, before and behind the backfill's.
        publishAsCaptured(1_601, 1_800);
        CompletableFuture<String> one = backfillBeside();
        CompletableFuture<String> other = backfillBeside("--all");
        publishAsCaptured(1_700, 2_000);

        assertThat(lastLine(one.join())).startsWith("Backfill done. inserted=");
        assertThat(lastLine(other.join())).startsWith("Backfill done. inserted=");
        awaitEqual();
        assertThat(cluster.status(stream)).isEqualTo(JobStatus.RUNNING);
        assertThat(cluster.restarts(stream)).isZero();
    }

    @Test
    @Order(6)
    void a_stream_that_does_not_run_is_told_and_the_next_one_finds_what_was_published() throws Exception {
        String savepoint = cluster.stop(stream);
        insertEvents(2_601, 2_700);

        assertThatThrownBy(() -> backfill("--backfill.wait", "1 s"))
                .hasMessageContaining(
                        "Of 100 missing rows, all of which are in dbserver1.public.engagement_events now, 100"
                                + " are not in the warehouse within backfill.wait")
                .hasMessageContaining("ids 2601, 2602, 2603, 2604, 2605, …");
        assertThatThrownBy(() -> backfill("--destinations", "liveview", "--backfill.wait", "1 s"))
                .hasMessageContaining("by the offsets of the group engagement-stream");

        stream = cluster.runFrom(savepoint, args("stream", streamArgs("5 min")));
        assertThat(lastLine(backfill("--destinations", "liveview")))
                .isEqualTo("Backfill done. inserted=2700 skipped=0");
        awaitEqual();
        assertThat(lastLine(backfill())).isEqualTo("Backfill done. inserted=0 skipped=2700");
    }

    @Test
    @Order(7)
    void rows_that_break_a_rule_are_told_and_not_waited_for() throws Exception {
        servers.sql("INSERT INTO engagement_events (id, content_id, event_type, event_ts, duration_ms) VALUES"
                + " (2701, '" + contentId(1) + "', 'play', now() - interval '2 s', -5),"
                + " (2702, NULL, 'play', now() - interval '2 s', 5)");
        try {
            assertThat(backfill())
                    .contains("2 rows break a rule, and become dead letters instead of rows (ids 2701, 2702)")
                    .endsWith("Backfill done. inserted=0 skipped=2700");
        } finally {
            servers.sql("DELETE FROM engagement_events WHERE id > 2700");
        }
        awaitEqual();
    }

    @Test
    @Order(8)
    void contents_that_nobody_captured_come_before_the_events_and_rows_without_one_are_told() throws Exception {
        String made = contentId(CONTENTS + 1);
        servers.sql("INSERT INTO content VALUES ('" + made + "', 'made', 'Made meanwhile', 'video', 60, now())");
        keepVersion(contentId(1));
        servers.sql("UPDATE content SET title = 'Changed meanwhile' WHERE id = '" + contentId(1) + "'");
        servers.sql("INSERT INTO engagement_events (id, content_id, event_type, event_ts, duration_ms) VALUES"
                + " (2801, '" + made + "', 'play', now() - interval '2 s', 6000),"
                + " (2802, '" + contentId(1) + "', 'play', now() - interval '2 s', 5)");

        assertThat(backfill("--dry-run"))
                .contains("2 contents would be published to dbserver1.public.content, whose last record of each is");
        assertThat(backfill())
                .contains(
                        "2 contents were published to dbserver1.public.content, whose last record of each was not what"
                                + " the table holds\n")
                .contains("2 rows published to dbserver1.public.engagement_events")
                .endsWith("Backfill done. inserted=2 skipped=2700");
        awaitEqual();

        // No missing row refers to them.
        keepVersion(contentId(2));
        servers.sql("UPDATE content SET title = 'Changed without events' WHERE id = '" + contentId(2) + "'");
        servers.sql("INSERT INTO content VALUES ('" + contentId(CONTENTS + 3)
                + "', 'none', 'Without events', 'video', 60, now())");
        assertThat(run("backfill", "--from", "2001-01-01T00:00:00Z", "--to", "2001-01-02T00:00:00Z"))
                .contains("2 contents were published")
                .endsWith("Backfill done. inserted=0 skipped=0");
        awaitEqual();
        servers.sql("DELETE FROM content WHERE id = '" + contentId(CONTENTS + 3) + "'");
        assertThat(backfill())
                .contains(
                        "1 contents were published to dbserver1.public.content, whose last record of each was not what"
                                + " the table holds (1 of them are deleted there)")
                .endsWith("Backfill done. inserted=0 skipped=2702");
        awaitEqual();

        // Nothing waits for its content any more: what has none does not have to wait long.
        stream = cluster.runFrom(cluster.stop(stream), args("stream", streamArgs("100 ms")));
        servers.sql("ALTER TABLE engagement_events DROP CONSTRAINT IF EXISTS engagement_events_content_id_fkey");
        servers.sql("INSERT INTO engagement_events (id, content_id, event_type, event_ts) VALUES (2803, '"
                + contentId(CONTENTS + 2) + "', 'play', now() - interval '2 s')");
        try {
            assertThat(backfill())
                    .contains("1 rows became dead letters instead of rows (UNRESOLVED: id 2803)")
                    .endsWith("Backfill done. inserted=0 skipped=2702");
        } finally {
            servers.sql("DELETE FROM engagement_events WHERE id = 2803");
        }
        awaitEqual();
    }

    @Test
    @Order(9)
    void a_row_that_the_warehouse_alone_lost_is_named_and_not_waited_for() throws Exception {
        servers.bigQuery().query(BigQueryProcess.PROJECT, "DELETE FROM " + TABLE + " WHERE event_id = 17");

        assertThatThrownBy(() -> backfill("--backfill.settle", "3 s"))
                .hasMessageContaining("Of 1 missing rows, all of which the stream has taken in, 1 did not come to the"
                        + " warehouse, nor became dead letters, within")
                .hasMessageContaining("id 17")
                .hasMessageContaining("audit --repair");
    }

    @Test
    @Order(10)
    void nothing_to_read_is_no_error_and_nonsense_is_one_before_anything() {
        assertThat(run("backfill", "--from", "2001-01-01T00:00:00Z", "--to", "2001-01-02T00:00:00Z"))
                .endsWith("Backfill done. inserted=0 skipped=0");
        assertThatThrownBy(() -> run("backfill", "--from", "2001-01-02T00:00:00Z", "--to", "2001-01-02T00:00:00Z"))
                .hasMessageContaining("from must be before to");
        assertThatThrownBy(() -> run("backfill", "--from", "2001-01-02T00:00:00Z", "--to", "2999-01-02T00:00:00Z"))
                .hasMessageContaining("which is in the future");
        assertThatThrownBy(() -> run("backfill", "--from", "yesterday", "--to", "2001-01-02T00:00:00Z"))
                .hasMessageContaining("from is 'yesterday' (--from); it must be a time with its zone");
        assertThatThrownBy(() -> run("backfill")).hasMessageContaining("from is missing");
        assertThatThrownBy(() -> run(
                        "backfill",
                        "--from",
                        "2001-01-01T00:00:00Z",
                        "--to",
                        "2001-01-02T00:00:00Z",
                        "--postgres.events-table",
                        "elsewhere"))
                .hasMessageContaining("\"public\".\"elsewhere\"")
                .hasMessageContaining("does not exist");
    }

    // ------------------------------------------------------------------------------------------------- the commands

    private static String backfill(String... more) {
        return run("backfill", Stream.concat(range(), Stream.of(more)).toArray(String[]::new));
    }

    private static CompletableFuture<String> backfillBeside(String... more) {
        return CompletableFuture.supplyAsync(() -> backfill(more));
    }

    private static Stream<String> range() {
        return Stream.of("--from", begin.toString(), "--to", Instant.now().toString());
    }

    /** What the command prints. */
    private static String run(String command, String... more) {
        List<String> sources = List.of(
                "--postgres.url",
                servers.postgres().jdbcUrl(),
                "--postgres.username",
                servers.postgres().username(),
                "--postgres.password.secret-file",
                password);
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        PrintStream out = new PrintStream(said, true, StandardCharsets.UTF_8);
        int code = EngagementJob.run(
                args(command, Stream.concat(sources.stream(), Stream.of(more)).toList()), Map.of(), out, out);
        String text = said.toString(StandardCharsets.UTF_8).strip();
        if (code != 0) {
            throw new CommandFailedException(code, text);
        }
        return text;
    }

    /** A command did not end with 0. */
    private static final class CommandFailedException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        CommandFailedException(int code, String text) {
            super("exit code " + code + ": " + text);
        }
    }

    private static String lastLine(String text) {
        return text.lines().reduce("", (before, line) -> line);
    }

    private static String[] args(String command, List<String> more) {
        List<String> args = new ArrayList<>(
                List.of(command, "--kafka.bootstrap-servers", servers.kafka().bootstrapServers()));
        args.addAll(servers.bigQuery().streamArguments());
        args.addAll(more);
        return args.toArray(String[]::new);
    }

    private static List<String> streamArgs(String contentWait) {
        return List.of(
                "--redis.url",
                servers.redis().url(),
                "--destinations",
                "liveview,warehouse",
                "--enrichment.content-wait",
                contentWait);
    }

    private static String[] captureArgs() {
        return new String[] {
            "capture",
            "--kafka.bootstrap-servers",
            servers.kafka().bootstrapServers(),
            "--postgres.url",
            servers.postgres().jdbcUrl(),
            "--postgres.username",
            servers.postgres().username(),
            "--postgres.password.secret-file",
            password,
            "--parallelism",
            "1",
        };
    }

    // ------------------------------------------------------------------------------------------------- the servers

    private static void insertContents() throws SQLException {
        List<String> rows = new ArrayList<>();
        for (int i = 1; i <= CONTENTS; i++) {
            rows.add("('" + contentId(i) + "', 'slug-" + i + "', 'Title " + i + "', 'podcast', "
                    + (i % 3 == 0 ? "NULL" : Integer.toString(60 * i)) + ", now())");
        }
        servers.sql("INSERT INTO content VALUES " + String.join(", ", rows));
    }

    private static void insertEvents(int from, int to) throws SQLException {
        servers.sql("""
            INSERT INTO engagement_events (id, content_id, user_id, event_type, event_ts, duration_ms, device, raw_payload)
            SELECT n, ('00000000-0000-0000-0000-' || lpad((1 + n %% %d)::text, 12, '0'))::uuid, gen_random_uuid(), 'play',
                   now() - ((1000 + n * 7919 %% 1000) || ' ms')::interval, CASE WHEN n %% 5 = 0 THEN NULL ELSE n * 10 END,
                   'web', '{"n": 1}'
            FROM generate_series(%d, %d) n""".formatted(CONTENTS, from, to));
    }

    /** Rows in the topic as capture, which does not run, would have put them there. */
    private static void publishAsCaptured(int from, int to) throws SQLException {
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(
                        Map.of("bootstrap.servers", servers.kafka().bootstrapServers()),
                        new StringSerializer(),
                        new StringSerializer());
                Connection connection = servers.postgres().connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("""
                    SELECT id, json_build_object('op', 'c', 'source', json_build_object('ts_ms', 1), 'after', json_build_object(
                      'id', id, 'content_id', content_id, 'user_id', user_id, 'event_type', event_type, 'event_ts',
                      to_char(event_ts AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'duration_ms', duration_ms,
                      'device', device, 'raw_payload', raw_payload::text))
                    FROM engagement_events WHERE id BETWEEN %d AND %d""".formatted(from, to))) {
            while (rows.next()) {
                var unused = producer.send(new ProducerRecord<>(
                        "dbserver1.public.engagement_events", "{\"id\":" + rows.getLong(1) + "}", rows.getString(2)));
            }
        }
    }

    private static long number(String query) throws SQLException {
        try (Connection connection = servers.postgres().connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            row.next();
            return row.getLong(1);
        }
    }

    private static String contentId(int number) {
        return String.format("00000000-0000-0000-0000-%012d", number);
    }

    private static long warehouseRows() {
        String answer = servers.bigQuery().query(BigQueryProcess.PROJECT, "SELECT event_id FROM " + TABLE);
        return Long.parseLong(answer.replaceAll("(?s).*\"totalRows\":\"(\\d+)\".*", "$1"));
    }

    /** Of a content that is to change: its events may still be enriched with what it was. */
    private static void keepVersion(String id) throws SQLException {
        try (Connection connection = servers.postgres().connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT slug, title, content_type, length_seconds, publish_ts"
                        + " FROM content WHERE id = '" + id + "'")) {
            assertThat(row.next()).isTrue();
            UUID key = UUID.fromString(id);
            VERSIONS.put(
                    key,
                    List.of(new ContentRow(
                            key,
                            row.getString(1),
                            row.getString(2),
                            row.getString(3),
                            row.getObject(4, Integer.class),
                            row.getTimestamp(5).toInstant())));
        }
    }

    private static List<ContentRow> versions(UUID content) {
        return VERSIONS.getOrDefault(content, List.of());
    }

    /** Redis and every row of the warehouse, by the checks that share no code with the job. */
    private static void assertEqual() throws Exception {
        for (DestinationCheck check : List.of(
                new RedisCheck(servers.postgres(), servers.redis(), BackfillIT::versions),
                new WarehouseCheck(
                        servers.postgres(),
                        sql -> servers.bigQuery().query(BigQueryProcess.PROJECT, sql),
                        BackfillIT::versions))) {
            assertThat(check.compare())
                    .as(check.destination())
                    .isNotEmpty()
                    .allMatch(DestinationCheck.Comparison::isEqual);
        }
    }

    /** The live view is written a moment after the warehouse has a row, or before; its boards follow the clock. */
    private static void awaitEqual() {
        await().atMost(TIMEOUT).pollInterval(Duration.ofMillis(50)).untilAsserted(BackfillIT::assertEqual);
    }
}
