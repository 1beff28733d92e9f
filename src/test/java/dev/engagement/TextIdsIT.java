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
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.flink.api.common.JobID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * The whole job on a table whose keys are texts of every form, UUIDs among them: several events of a content at one time, so
 * that the order of ids decides, which is that of bytes and of no locale.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class TextIdsIT {

    private static final Path DIRECTORY = Path.of("target/it/text-ids");
    private static final Duration TIMEOUT = Duration.ofMinutes(5);
    private static final int CONTENTS = 10;
    private static final Pattern ONE_FOUND = Pattern.compile("UNRESOLVED +1 ");

    private static SharedServers servers;
    private static JobCluster cluster;
    private static JobID capture;
    private static JobID stream;
    private static String savepoint;
    private static Instant begin;
    private static int events;

    @BeforeAll
    static void start() throws Exception {
        servers = SharedServers.lease(DIRECTORY);
        begin = Instant.now().minusSeconds(60);
        servers.sql("ALTER TABLE engagement_events DROP CONSTRAINT engagement_events_content_id_fkey,"
                + " ALTER COLUMN id DROP DEFAULT, ALTER COLUMN id TYPE TEXT USING id::text");
        for (int i = 1; i <= CONTENTS; i++) {
            insertContent(i);
        }
        cluster = JobCluster.start(DIRECTORY, 2, 3, "rocksdb");
        capture = cluster.run(args("capture", "--parallelism", "1"));
        stream = cluster.run(args("stream", streamArgs("2")));
        insertEvents(300);
        awaitEqual();
    }

    @AfterAll
    static void stop() throws Exception {
        cluster.close();
        servers.close();
    }

    @Test
    @Order(1)
    void a_task_manager_that_is_killed_doubles_and_loses_nothing() throws Exception {
        insertEvents(200);
        cluster.replaceTaskManager(0);
        insertEvents(200);
        awaitEqual();
    }

    @Test
    @Order(2)
    void another_parallelism_knows_the_same_ids_and_a_job_of_numbers_is_refused() throws Exception {
        cluster.awaitCheckpoint(stream);
        savepoint = cluster.stop(stream);
        insertEvents(200);
        assertThatThrownBy(
                        () -> cluster.runFrom(savepoint, args("stream", streamArgs("1", "--ingest.event-id", "long"))))
                .as("the table says it before the state does")
                .hasMessageContaining("event_id is wanted as INT64 and found as STRING");

        stream = cluster.runFrom(savepoint, args("stream", streamArgs("3")));
        awaitEqual();
    }

    @Test
    @Order(3)
    void a_letter_goes_back_by_the_text_of_its_event() throws Exception {
        String id = "Waits_for-its-content";
        servers.sql("INSERT INTO engagement_events (id, content_id, event_type, event_ts) VALUES ('" + id + "', '"
                + contentId(CONTENTS + 1) + "', 'play', now() - interval '1 s')");
        events++;
        await().atMost(TIMEOUT).pollInterval(Duration.ofMillis(100)).untilAsserted(() -> assertThat(
                        run("redrive", "--reason", "UNRESOLVED", "--event-id", id, "--dry-run"))
                .containsPattern(ONE_FOUND));
        insertContent(CONTENTS + 1);
        // Read before the letter is: it waits half a second only.
        await().atMost(TIMEOUT).pollInterval(Duration.ofMillis(100)).until(() -> {
            try (var redis = servers.redis().connect()) {
                return redis.exists("content:meta:" + contentId(CONTENTS + 1));
            }
        });
        assertThat(run("redrive", "--reason", "UNRESOLVED", "--event-id", "another"))
                .doesNotContainPattern(ONE_FOUND);
        assertThat(run("redrive", "--reason", "UNRESOLVED", "--event-id", id)).containsPattern(ONE_FOUND);
        awaitEqual();
    }

    @Test
    @Order(4)
    void a_backfill_puts_in_what_was_never_captured_and_an_audit_says_what_is_missing() throws Exception {
        cluster.cancel(capture);
        insertEvents(100);
        servers.sql("INSERT INTO engagement_events (id, content_id, event_type, event_ts) VALUES ('Zz_missing', '"
                + contentId(1) + "', 'play', now() - interval '1 s')");
        events++;

        assertThatThrownBy(() -> audit()).hasMessageContaining("101").hasMessageContaining("missing");
        assertThat(backfill()).endsWith("Backfill done. inserted=101 skipped=" + (events - 101));
        assertThat(backfill()).endsWith("Backfill done. inserted=0 skipped=" + events);
        awaitEqual();
        await().atMost(TIMEOUT).pollInterval(Duration.ofMillis(200)).untilAsserted(() -> assertThat(audit())
                .isNotEmpty());
        assertThat(cluster.restarts(stream)).isZero();
    }

    @Test
    @Order(5)
    void what_would_publish_again_what_dedupe_has_forgotten_is_refused() {
        assertThatThrownBy(() -> backfill("--all")).hasMessageContaining("all publishes rows that the warehouse has");
        assertThatThrownBy(() -> backfill("--destinations", "liveview"))
                .hasMessageContaining("destinations is without warehouse, so nobody can be asked");
        assertThatThrownBy(() -> cluster.run(args("capture", "--postgres.slot-name", "another")))
                .hasMessageContaining("has events already, and capture.start is initial");
        assertThatThrownBy(() -> run(
                        "rebuild",
                        Stream.concat(range(), Stream.of("--destinations", "warehouse"))
                                .toArray(String[]::new)))
                .hasMessageContaining("ingest.event-id is text; rebuild");
    }

    // ------------------------------------------------------------------------------------------------- the commands

    private static String[] args(String command, String... more) throws Exception {
        List<String> args = new ArrayList<>(
                List.of(command, "--kafka.bootstrap-servers", servers.kafka().bootstrapServers()));
        if (!List.of(more).contains("--ingest.event-id")) {
            args.addAll(List.of("--ingest.event-id", "text"));
        }
        if (!command.equals("stream")) {
            args.addAll(List.of(
                    "--postgres.url",
                    servers.postgres().jdbcUrl(),
                    "--postgres.username",
                    servers.postgres().username(),
                    "--postgres.password.secret-file",
                    servers.postgresPasswordFile()));
        }
        args.addAll(List.of(more));
        return args.toArray(String[]::new);
    }

    private static String[] streamArgs(String parallelism, String... more) throws Exception {
        List<String> args = new ArrayList<>(List.of(
                "--parallelism",
                parallelism,
                "--redis.url",
                servers.redis().url(),
                "--destinations",
                "liveview,warehouse,delivery",
                "--delivery.receipts",
                "true",
                "--checkpoint.interval",
                "500 ms",
                "--enrichment.content-wait",
                "500 ms"));
        args.addAll(servers.bigQuery().streamArguments());
        args.addAll(servers.receiver().streamArguments());
        args.addAll(List.of(more));
        return args.toArray(String[]::new);
    }

    private static String backfill(String... more) throws Exception {
        return run(
                "backfill",
                Stream.of(range(), servers.bigQuery().streamArguments().stream(), Stream.of(more))
                        .flatMap(each -> each)
                        .toArray(String[]::new));
    }

    private static String audit() throws Exception {
        return run(
                "audit",
                Stream.of(
                                range(),
                                servers.bigQuery().streamArguments().stream(),
                                Stream.of(
                                        "--redis.url",
                                        servers.redis().url(),
                                        "--destinations",
                                        "liveview,warehouse,delivery",
                                        "--delivery.receipts",
                                        "true",
                                        "--delivery.include-snapshot",
                                        "true",
                                        "--counts",
                                        "--audit.settle",
                                        "10 ms"))
                        .flatMap(each -> each)
                        .toArray(String[]::new));
    }

    private static Stream<String> range() {
        return Stream.of("--from", begin.toString(), "--to", Instant.now().toString());
    }

    /** What the command prints. */
    private static String run(String command, String... more) throws Exception {
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        PrintStream out = new PrintStream(said, true, StandardCharsets.UTF_8);
        int code = EngagementJob.run(args(command, more), Map.of(), out, out);
        String text = said.toString(StandardCharsets.UTF_8).strip();
        if (code != 0) {
            throw new IllegalStateException("exit code " + code + ": " + text);
        }
        return text;
    }

    // ------------------------------------------------------------------------------------------------- the servers

    private static void insertContent(int number) throws SQLException {
        servers.sql("INSERT INTO content VALUES ('" + contentId(number) + "', 'slug-" + number + "', 'Title " + number
                + "', 'podcast', " + 60 * number + ", now())");
    }

    private static void insertEvents(int count) throws SQLException {
        servers.sql("""
            INSERT INTO engagement_events (id, content_id, event_type, event_ts, duration_ms, raw_payload)
            SELECT CASE n %% 4 WHEN 0 THEN gen_random_uuid()::text WHEN 1 THEN 'Ev-' || n WHEN 2 THEN 'ev_' || n ELSE n::text END,
                   ('00000000-0000-0000-0000-' || lpad((1 + n %% %d)::text, 12, '0'))::uuid, 'play',
                   date_trunc('second', now()) - interval '1 s', n * 10, '{"n": 1}'
            FROM generate_series(%d, %d) n""".formatted(CONTENTS, events + 1, events + count));
        events += count;
    }

    private static String contentId(int number) {
        return String.format("00000000-0000-0000-0000-%012d", number);
    }

    private static List<ContentRow> versions(UUID content) {
        return List.of();
    }

    private static void assertEqual() throws Exception {
        for (DestinationCheck check : List.of(
                new RedisCheck(servers.postgres(), servers.redis(), TextIdsIT::versions),
                new WarehouseCheck(
                        servers.postgres(),
                        sql -> servers.bigQuery().query(BigQueryProcess.PROJECT, sql),
                        TextIdsIT::versions))) {
            assertThat(check.compare())
                    .as(check.destination())
                    .isNotEmpty()
                    .allMatch(DestinationCheck.Comparison::isEqual);
        }
        assertThat(servers.receiver().get("/stats").path("distinctEvents").asLong())
                .isEqualTo(events);
        assertThat(servers.receiver().get("/stats").path("misnamed").asLong()).isZero();
        assertThat(rowsInSource()).isEqualTo(events);
    }

    private static long rowsInSource() throws SQLException {
        try (Connection connection = servers.postgres().connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT count(*) FROM engagement_events")) {
            row.next();
            return row.getLong(1);
        }
    }

    private static void awaitEqual() {
        await().atMost(TIMEOUT).pollInterval(Duration.ofMillis(100)).untilAsserted(TextIdsIT::assertEqual);
    }
}
