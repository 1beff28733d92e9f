package dev.engagement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.engagement.local.DestinationCheck;
import dev.engagement.local.LocalServers;
import dev.engagement.local.RedisCheck;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.flink.api.common.JobID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.Jedis;

/** The whole job on real servers, against plain SQL. */
class EngagementJobIT {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private Path directory;
    private LocalServers servers;
    private JobCluster cluster;

    @BeforeEach
    void start(TestInfo test) {
        directory = Path.of("target/it/job", test.getTestMethod().orElseThrow().getName());
        servers = LocalServers.start(directory);
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
        cluster.replaceTaskManager(0);
        insertEvents(4_001, 6_000, 20);

        awaitRedisEqualsSql();
        assertThat(cluster.status(capture).isTerminalState()).isFalse();
        assertThat(cluster.status(stream).isTerminalState()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"hashmap", "rocksdb"})
    void a_savepoint_restored_at_another_parallelism_changes_no_number(String stateBackend) throws Exception {
        cluster = JobCluster.start(directory, 1, 8, stateBackend);
        cluster.run(captureArgs());
        JobID first = cluster.run(streamArgs("--parallelism", "1"));
        insertContents(1, 20);
        insertEvents(1, 1_000, 20);
        awaitRedisEqualsSql();
        String savepoint = cluster.stop(first);
        insertEvents(1_001, 2_000, 20);

        JobID second = cluster.runFrom(savepoint, streamArgs("--parallelism", "4"));
        awaitRedisEqualsSql();
        insertEvents(2_001, 3_000, 20);
        awaitRedisEqualsSql();
        String again = cluster.stop(second);

        // The older savepoint against the newer Redis: everything is written again, and nothing changes.
        cluster.runFrom(savepoint, streamArgs("--parallelism", "2"));
        awaitRedisEqualsSql();
        assertThat(Files.exists(Path.of(java.net.URI.create(again)))).isTrue();
    }

    @Test
    void a_row_is_readable_within_a_second_and_content_may_come_after_its_events() throws Exception {
        cluster = JobCluster.start(directory, 1, 4, "hashmap");
        cluster.run(captureArgs());
        cluster.run(streamArgs());
        insertContents(1, 1);
        insertEvents(1, 1, 1);
        awaitRedisEqualsSql();

        insertEvents(2, 2, 1);
        await().atMost(Duration.ofSeconds(1)).pollInterval(Duration.ofMillis(5)).untilAsserted(() -> {
            try (Jedis redis = servers.redis().connect()) {
                assertThat(redis.get("content:last:" + contentId(1))).startsWith("{\"event_id\":2,");
            }
        });
        sql("UPDATE content SET title = 'Another' WHERE id = '" + contentId(1) + "'");
        sql("DELETE FROM engagement_events WHERE id = 1");
        await().atMost(PATIENCE).untilAsserted(() -> {
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
        await().atMost(PATIENCE).pollInterval(Duration.ofMillis(200)).untilAsserted(() -> assertThat(check.compare())
                .isNotEmpty()
                .allMatch(DestinationCheck.Comparison::isEqual));
    }

    private void insertContents(int from, int to) throws SQLException {
        List<String> rows = new ArrayList<>();
        for (int i = from; i <= to; i++) {
            rows.add("('" + contentId(i) + "', 'slug-" + i + "', 'Title " + i + "', 'podcast', "
                    + (i % 3 == 0 ? "NULL" : Integer.toString(60 * i)) + ", now())");
        }
        sql("INSERT INTO content VALUES " + String.join(", ", rows));
    }

    private void insertEvents(int from, int to, int contents) throws SQLException {
        sql("""
            INSERT INTO engagement_events (id, content_id, user_id, event_type, event_ts, duration_ms, device, raw_payload)
            SELECT n, ('00000000-0000-0000-0000-' || lpad((1 + n %% %d)::text, 12, '0'))::uuid, gen_random_uuid(), 'play',
                   now() - ((n * 7919 %% 1000) || ' ms')::interval, CASE WHEN n %% 5 = 0 THEN NULL ELSE n * 10 END, 'web',
                   '{"n": 1}'
            FROM generate_series(%d, %d) n""".formatted(contents, from, to));
    }

    private void sql(String statement) throws SQLException {
        try (Connection connection = servers.postgres().connect();
                Statement execute = connection.createStatement()) {
            execute.execute(statement);
        }
    }

    private static String contentId(int number) {
        return String.format("00000000-0000-0000-0000-%012d", number);
    }

    private String[] captureArgs() throws Exception {
        Path password = directory.resolve("postgres.password");
        Files.writeString(password, servers.postgres().password());
        return new String[] {
            "capture",
            "--kafka.bootstrap-servers",
            servers.kafka().bootstrapServers(),
            "--postgres.url",
            servers.postgres().jdbcUrl(),
            "--postgres.username",
            servers.postgres().username(),
            "--postgres.password.secret-file",
            password.toAbsolutePath().toString(),
            "--parallelism",
            "1",
        };
    }

    private String[] streamArgs(String... more) {
        return Stream.concat(
                        Stream.of(
                                "stream",
                                "--kafka.bootstrap-servers",
                                servers.kafka().bootstrapServers(),
                                "--redis.url",
                                servers.redis().url()),
                        Stream.of(more))
                .toArray(String[]::new);
    }
}
