package dev.engagement.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import redis.clients.jedis.Jedis;

/** The job jar on processes of its own, by the scripts and Flink's command line. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ClusterIT {

    private static final Path DIRECTORY = Path.of("target/it/cluster").toAbsolutePath();

    /** What JDK 17 keeps of the classes for which it last adapted a method handle, such as those of records. */
    private static final int KEPT_BY_THE_JDK = 3;

    private static LocalServers servers;
    private static SessionCluster cluster;
    private static FlinkRest rest;

    @BeforeAll
    static void start() {
        SessionCluster.sweep(DIRECTORY.resolve("flink"));
        servers = LocalServers.start(DIRECTORY);
        // The JDK's own soft references would keep the classes of jobs until memory is short.
        String forgetful = "-XX:SoftRefLRUPolicyMSPerMB=0";
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
                        "200ms",
                        "env.java.opts.jobmanager",
                        forgetful,
                        "env.java.opts.taskmanager",
                        forgetful));
        rest = new FlinkRest(cluster.rest());
    }

    @AfterAll
    static void stop() {
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

    /** No classes, no threads, no connections. */
    @Test
    @Order(1)
    void jobsThatHaveEndedLeaveNothingInTheProcessesThatRanThem() throws Exception {
        leaveNothing(2, false);
    }

    @Test
    @Order(1)
    @Tag("faults")
    void twentyRoundsOfEveryCommandLeaveNothing() throws Exception {
        leaveNothing(20, true);
    }

    /** @param clients also the commands that are no jobs, and leave nothing but sessions if they leave anything */
    private static void leaveNothing(int rounds, boolean clients) throws Exception {
        List<String> sessions = sessions();
        for (int round = 0; round < rounds; round++) {
            once(captureArguments());
            once(streamArguments());
            // Into other keys each time: it wants a live view that nobody has written to.
            rebuild("rebuild-" + rounds + "-" + round + ":");
            if (clients) {
                clients();
            }
        }
        await().untilAsserted(() -> {
            for (String role : List.of(SessionCluster.JOB_MANAGER, "taskmanager-1", "taskmanager-2")) {
                assertThat(classLoaders(role))
                        .as("class loaders of jobs in the " + role)
                        .isLessThanOrEqualTo(KEPT_BY_THE_JDK);
            }
        });
        for (String role : List.of("taskmanager-1", "taskmanager-2")) {
            assertThat(threads(role)).as(role).noneMatch(name -> name.contains("connection-pool"));
        }
        await().untilAsserted(() ->
                assertThat(sessions()).as("sessions of PostgreSQL").hasSizeLessThanOrEqualTo(sessions.size()));
    }

    /** Submits it, lets it complete a checkpoint, and cancels it. */
    private static void once(List<String> arguments) {
        String job = cluster.run(List.of("-p", "1"), arguments);
        awaitCheckpoint(job);
        cluster.flink("cancel", job);
        await().ignoreExceptions().until(() -> rest.jobState(job).equals("CANCELED"));
    }

    /** Submits a rebuild, which ends by itself and whose client waits for that. */
    private static void rebuild(String prefix) throws Exception {
        List<String> arguments = new ArrayList<>(rowsArguments("rebuild"));
        arguments.addAll(List.of(
                "--destinations", "liveview", "--redis.url", servers.redis().url(), "--redis.key-prefix", prefix));
        String job = cluster.run(List.of("-p", "1"), arguments);
        assertThat(rest.jobState(job)).isEqualTo("FINISHED");
    }

    private static void clients() {
        List<String> liveView = List.of(
                "--destinations", "liveview", "--redis.url", servers.redis().url());
        List<String> audit = new ArrayList<>(rowsArguments("audit"));
        audit.addAll(liveView);
        List<String> redrive = new ArrayList<>(rowsArguments("redrive", DIRECTORY.resolve("postgres.password")));
        redrive.addAll(List.of("--reason", "OVERSIZE"));
        for (List<String> command : List.of(audit, backfillArguments(), redrive)) {
            List<String> run =
                    new ArrayList<>(List.of("run", SessionCluster.jobJar().toString()));
            run.addAll(command);
            cluster.flink(run.toArray(String[]::new));
        }
    }

    private static List<String> backfillArguments() {
        List<String> backfill = new ArrayList<>(rowsArguments("backfill"));
        backfill.addAll(List.of("--destinations", "liveview"));
        return backfill;
    }

    /** Each in words, for whoever has to find out who left it. */
    private static List<String> sessions() throws Exception {
        List<String> sessions = new ArrayList<>();
        try (Connection connection = servers.postgres().connect();
                Statement statement = connection.createStatement();
                ResultSet answer =
                        statement.executeQuery("SELECT concat_ws(' ', backend_type, application_name, backend_start,"
                                + " state, state_change, query) FROM pg_stat_activity"
                                + " WHERE datname = current_database() AND pid <> pg_backend_pid()")) {
            while (answer.next()) {
                sessions.add(answer.getString(1));
            }
        }
        return sessions;
    }

    private static long classLoaders(String role) throws Exception {
        jcmd(role, "GC.run");
        return jcmd(role, "VM.classloader_stats")
                .lines()
                .filter(line -> line.contains("ChildFirstClassLoader"))
                .count();
    }

    private static List<String> threads(String role) throws Exception {
        return jcmd(role, "Thread.print")
                .lines()
                .filter(line -> line.startsWith("\""))
                .toList();
    }

    private static String jcmd(String role, String command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                        Long.toString(cluster.pid(role)),
                        command)
                .redirectErrorStream(true)
                .start();
        String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(answer).isZero();
        return answer;
    }

    @Test
    @Order(2)
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
        await().untilAsserted(() -> assertThat(
                        servers.receiver().get("/stats").path("distinctEvents").asLong())
                .isEqualTo(1_500));
        assertThatThrownBy(() -> cluster.flink("cancel", stream))
                .isInstanceOf(ServerException.class)
                .hasMessageContaining("ended with exit code 1");

        cluster.close();
        assertThat(ProcessHandle.allProcesses()
                        .map(process -> process.info().commandLine().orElse(""))
                        .filter(line -> line.contains("-Dengagement.cluster=" + cluster.directory() + " ")))
                .isEmpty();
    }

    private static void awaitCounted(long events) {
        await().untilAsserted(() -> {
            try (Jedis redis = servers.redis().connect()) {
                assertThat(redis.get("content:count:00000000-0000-0000-0000-000000000001"))
                        .isEqualTo(Long.toString(events));
            }
        });
    }

    private static void awaitCheckpoint(String job) {
        await().ignoreExceptions()
                .until(() -> rest.get("/jobs/" + job + "/checkpoints")
                                .path("counts")
                                .path("completed")
                                .asLong()
                        > 0);
    }

    private static void awaitRestored(String job, String snapshot) {
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

    private static void insertEvents(int from, int to) throws SQLException {
        sql("INSERT INTO engagement_events (id, content_id, user_id, event_type, event_ts)"
                + " SELECT n, '00000000-0000-0000-0000-000000000001', gen_random_uuid(), 'play', now()"
                + " FROM generate_series(" + from + ", " + to + ") n");
    }

    private static void sql(String statement) throws SQLException {
        try (Connection connection = servers.postgres().connect();
                Statement execute = connection.createStatement()) {
            execute.execute(statement);
        }
    }

    private static List<String> captureArguments() {
        Path password = DIRECTORY.resolve("postgres.password");
        Folders.writePrivately(password, servers.postgres().password());
        return rowsArguments("capture", password);
    }

    /** Of an hour in which nothing happened. */
    private static List<String> rowsArguments(String command) {
        List<String> arguments = new ArrayList<>(rowsArguments(command, DIRECTORY.resolve("postgres.password")));
        arguments.addAll(List.of("--from", "2026-01-08T09:00:00Z", "--to", "2026-01-08T10:00:00Z"));
        return arguments;
    }

    private static List<String> rowsArguments(String command, Path password) {
        return List.of(
                command,
                "--kafka.bootstrap-servers",
                servers.kafka().bootstrapServers(),
                "--postgres.url",
                servers.postgres().jdbcUrl(),
                "--postgres.username",
                servers.postgres().username(),
                "--postgres.password.secret-file",
                password.toString());
    }

    private static List<String> streamArguments() {
        List<String> arguments = new ArrayList<>(List.of(
                "stream",
                "--kafka.bootstrap-servers",
                servers.kafka().bootstrapServers(),
                "--redis.url",
                servers.redis().url()));
        arguments.addAll(servers.bigQuery().streamArguments());
        arguments.addAll(servers.receiver().streamArguments());
        return arguments;
    }
}
