package dev.engagement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.engagement.local.ClickHouseProcess;
import dev.engagement.local.testing.SharedServers;
import dev.engagement.rowstore.RowStoreRefusedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** The whole job into ClickHouse: its table equals what SQL computes, without FINAL, whatever is killed in between. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ClickHouseJobIT {

    private static final Path DIRECTORY = Path.of("target/it/clickhouse-job");
    private static final Duration TIMEOUT = Duration.ofMinutes(5);
    private static final Duration POLL = Duration.ofMillis(200);
    private static final int CONTENTS = 5;

    private static SharedServers servers;
    private static ClickHouseProcess clickHouse;
    private static JobCluster cluster;
    private static JobID stream;
    private static int events;

    @BeforeAll
    static void start() throws Exception {
        ClickHouseProcess.discard(DIRECTORY.resolve("clickhouse"));
        servers = SharedServers.lease(DIRECTORY);
        clickHouse = ClickHouseProcess.start(DIRECTORY.resolve("clickhouse"), 0);
        Files.writeString(DIRECTORY.resolve("clickhouse.password"), ClickHouseProcess.PASSWORD);
        servers.sql(
                "INSERT INTO content SELECT ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, 'slug-' || n,"
                        + " 'Title ' || n, 'podcast', 60 * n, now() FROM generate_series(1, " + CONTENTS + ") n");
        cluster = JobCluster.start(DIRECTORY, 2, 3, "rocksdb");
        cluster.run(
                "capture",
                "--parallelism",
                "1",
                "--kafka.bootstrap-servers",
                servers.kafka().bootstrapServers(),
                "--postgres.url",
                servers.postgres().jdbcUrl(),
                "--postgres.username",
                servers.postgres().username(),
                "--postgres.password.secret-file",
                servers.postgresPasswordFile());
        stream = cluster.run(streamArgs("--parallelism", "2"));
        insertEvents(300);
        awaitEqual();
        // What is there once must be there once without any merge.
        clickHouse.query("SYSTEM STOP MERGES engagement.events_enriched");
    }

    @AfterAll
    static void stop() throws Exception {
        cluster.close();
        clickHouse.close();
        servers.close();
    }

    @Test
    @Order(1)
    void a_server_that_is_killed_doubles_and_loses_nothing() throws Exception {
        insertEvents(200);
        clickHouse.kill();
        insertEvents(200);
        clickHouse.restart();
        awaitEqual();
        clickHouse.query("SYSTEM STOP MERGES engagement.events_enriched");
        clickHouse.faults("[{\"statement\": \"MOVE PARTITION\", \"does\": \"KILL_AFTER\"}]");
        insertEvents(200);
        await().atMost(TIMEOUT).pollInterval(POLL).until(() -> !clickHouse.isAlive());
        clickHouse.restart();
        awaitEqual();
    }

    @Test
    @Order(2)
    void a_task_manager_that_is_killed_doubles_and_loses_nothing() throws Exception {
        insertEvents(200);
        cluster.replaceTaskManager(0);
        insertEvents(200);
        awaitEqual();
    }

    @Test
    @Order(3)
    void another_parallelism_goes_on_from_a_savepoint_and_a_start_without_one_is_refused() throws Exception {
        cluster.awaitCheckpoint(stream);
        String savepoint = cluster.stop(stream);
        insertEvents(200);

        JobID withoutState = cluster.run(streamArgs("--job.name", "anew"));
        assertThat(cluster.awaitEnd(withoutState)).isEqualTo(JobStatus.FAILED);
        assertThat(cluster.failure(withoutState))
                .contains("The clickhouse table engagement.events_enriched has rows, and this job starts without state")
                .contains("--accept-clickhouse-duplicates");

        stream = cluster.runFrom(savepoint, streamArgs("--parallelism", "3"));
        awaitEqual();
        savepoint = cluster.stop(stream);
        insertEvents(200);
        stream = cluster.runFrom(savepoint, streamArgs("--parallelism", "1"));
        awaitEqual();
    }

    @Test
    @Order(4)
    void a_table_that_does_not_fit_ends_the_submission() {
        clickHouse.query(
                "CREATE TABLE engagement.other (event_id String, content_id String, event_ts DateTime64(6, 'UTC'))"
                        + " ENGINE = MergeTree ORDER BY event_id");

        assertThatThrownBy(() -> cluster.environment(streamArgs("--clickhouse.table", "other")))
                .isInstanceOf(RowStoreRefusedException.class)
                .hasMessageContaining("event_id is wanted as Int64 and found as String")
                .hasMessageContaining("--clickhouse.add-columns adds it");
    }

    private static String[] streamArgs(String... more) {
        List<String> args = new ArrayList<>(List.of(
                "stream",
                "--kafka.bootstrap-servers",
                servers.kafka().bootstrapServers(),
                "--destinations",
                "clickhouse",
                "--clickhouse.url",
                clickHouse.url(),
                "--clickhouse.username",
                ClickHouseProcess.USERNAME,
                "--clickhouse.password.secret-file",
                DIRECTORY.resolve("clickhouse.password").toAbsolutePath().toString(),
                "--checkpoint.interval",
                "500 ms"));
        args.addAll(List.of(more));
        return args.toArray(String[]::new);
    }

    private static void insertEvents(int count) throws SQLException {
        servers.sql("""
            INSERT INTO engagement_events (id, content_id, event_type, event_ts, duration_ms, device, raw_payload)
            SELECT n, ('00000000-0000-0000-0000-' || lpad((1 + n %% %d)::text, 12, '0'))::uuid, 'play',
                   now() - n * interval '7 h', CASE WHEN n %% 3 > 0 THEN n * 10 END, CASE WHEN n %% 2 > 0 THEN 'web' END,
                   '{"n": 1.10}' FROM generate_series(%d, %d) n""".formatted(CONTENTS, events + 1, events + count));
        events += count;
    }

    private static void awaitEqual() {
        await().atMost(TIMEOUT).pollInterval(POLL).ignoreExceptions().untilAsserted(() -> assertThat(inClickHouse())
                .isEqualTo(inSource()));
    }

    private static List<String> inClickHouse() {
        return clickHouse.query("""
                    SELECT event_id, content_id, event_type, toUnixTimestamp64Micro(event_ts), duration_ms, device, raw_payload,
                           title, length_seconds, engagement_seconds, engagement_pct
                    FROM engagement.events_enriched ORDER BY event_id""").lines().toList();
    }

    private static List<String> inSource() throws SQLException {
        List<String> found = new ArrayList<>();
        try (Connection connection = servers.postgres().connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("""
                    SELECT e.id, e.content_id, e.event_type, (extract(epoch FROM e.event_ts) * 1000000)::bigint, e.duration_ms,
                           e.device, e.raw_payload, c.title, c.length_seconds, trim_scale(e.duration_ms / 1000.0),
                           trim_scale(round(e.duration_ms::numeric / (1000 * c.length_seconds), 2))
                    FROM engagement_events e JOIN content c ON c.id = e.content_id ORDER BY e.id""")) {
            int columns = rows.getMetaData().getColumnCount();
            while (rows.next()) {
                List<String> row = new ArrayList<>();
                for (int i = 1; i <= columns; i++) {
                    String value = rows.getString(i);
                    row.add(value == null ? "\\N" : value);
                }
                found.add(String.join("\t", row));
            }
        }
        return found;
    }
}
