package dev.engagement.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.Jedis;

/** The job jar on processes of its own, by the scripts and Flink's command line. */
class ClusterIT {

    private static final Path DIRECTORY = Path.of("target/it/cluster").toAbsolutePath();

    private LocalServers servers;
    private SessionCluster cluster;
    private FlinkRest rest;

    @BeforeEach
    void start() {
        SessionCluster.sweep(DIRECTORY.resolve("flink"));
        servers = LocalServers.start(DIRECTORY);
        cluster = SessionCluster.start(
                DIRECTORY.resolve("flink"),
                2,
                2,
                Map.of(
                        "execution.checkpointing.interval",
                        "500ms",
                        "rest.port",
                        "0",
                        // What is asked is as it is, and not as it was three seconds ago.
                        "web.refresh-interval",
                        "200ms"));
        rest = new FlinkRest(cluster.rest());
    }

    @AfterEach
    void stop() {
        try {
            if (cluster != null) {
                cluster.close();
            }
        } finally {
            if (servers != null) {
                servers.close();
            }
        }
    }

    @Test
    void jobsOutliveTheirJobManagerAndGoOnFromASavepoint() throws Exception {
        String capture = cluster.run(List.of("-p", "1"), captureArguments());
        String stream = cluster.run(List.of("-p", "2"), streamArguments());
        sql("INSERT INTO content VALUES ('00000000-0000-0000-0000-000000000001', 's', 't', 'video', 60, now())");
        insertEvents(1, 500);
        awaitCounted(500);
        awaitCheckpoint(capture);
        awaitCheckpoint(stream);

        cluster.kill(SessionCluster.JOB_MANAGER);
        insertEvents(501, 750);
        cluster.startJobManager();
        awaitRestored(stream, "/checkpoints/" + stream + "/chk-");
        awaitRestored(capture, "/checkpoints/" + capture + "/chk-");
        insertEvents(751, 1_000);
        awaitCounted(1_000);
        assertThat(cluster.flink("list")).contains(capture, stream);
        assertThat(get(cluster.prometheus("taskmanager-2"))).contains("flink_taskmanager_Status_JVM_CPU_Load");

        String savepoint = cluster.stopWithSavepoint(stream);
        insertEvents(1_001, 1_500);
        String resumed = cluster.run(List.of("-p", "1", "-s", savepoint), streamArguments());
        awaitCounted(1_500);
        awaitRestored(resumed, savepoint);
        assertThatThrownBy(() -> cluster.flink("cancel", stream))
                .isInstanceOf(ServerException.class)
                .hasMessageContaining("ended with exit code 1");

        cluster.close();
        assertThat(ProcessHandle.allProcesses()
                        .map(process -> process.info().commandLine().orElse(""))
                        .filter(line -> line.contains("-Dengagement.cluster=" + cluster.directory() + " ")))
                .isEmpty();
    }

    private void awaitCounted(long events) {
        await().untilAsserted(() -> {
            try (Jedis redis = servers.redis().connect()) {
                assertThat(redis.get("content:count:00000000-0000-0000-0000-000000000001"))
                        .isEqualTo(Long.toString(events));
            }
        });
    }

    private void awaitCheckpoint(String job) {
        await().ignoreExceptions()
                .until(() -> rest.get("/jobs/" + job + "/checkpoints")
                                .path("counts")
                                .path("completed")
                                .asLong()
                        > 0);
    }

    private void awaitRestored(String job, String snapshot) {
        // Flink answers with an error while it still looks for the job's checkpoints.
        await().ignoreExceptions().untilAsserted(() -> assertThat(rest.get("/jobs/" + job + "/checkpoints")
                        .path("latest")
                        .path("restored")
                        .path("external_path")
                        .asText())
                .contains(snapshot));
    }

    private static String get(URI uri) throws Exception {
        return HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString())
                .body();
    }

    private void insertEvents(int from, int to) throws SQLException {
        sql("INSERT INTO engagement_events (id, content_id, user_id, event_type, event_ts)"
                + " SELECT n, '00000000-0000-0000-0000-000000000001', gen_random_uuid(), 'play', now()"
                + " FROM generate_series(" + from + ", " + to + ") n");
    }

    private void sql(String statement) throws SQLException {
        try (Connection connection = servers.postgres().connect();
                Statement execute = connection.createStatement()) {
            execute.execute(statement);
        }
    }

    private List<String> captureArguments() {
        Path password = DIRECTORY.resolve("postgres.password");
        Folders.writePrivately(password, servers.postgres().password());
        return List.of(
                "capture",
                "--kafka.bootstrap-servers",
                servers.kafka().bootstrapServers(),
                "--postgres.url",
                servers.postgres().jdbcUrl(),
                "--postgres.username",
                servers.postgres().username(),
                "--postgres.password.secret-file",
                password.toString());
    }

    private List<String> streamArguments() {
        List<String> arguments = new ArrayList<>(List.of(
                "stream",
                "--kafka.bootstrap-servers",
                servers.kafka().bootstrapServers(),
                "--redis.url",
                servers.redis().url()));
        arguments.addAll(servers.bigQuery().streamArguments());
        return arguments;
    }
}
