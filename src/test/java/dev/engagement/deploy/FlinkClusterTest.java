package dev.engagement.deploy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.engagement.connection.testing.ManualPause;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is asked of Flink's REST API again and what never is, by a server that answers as a test says. */
class FlinkClusterTest {

    private static final String JOB = "0123456789abcdef0123456789abcdef";
    private static final String NO_JOBS = "{\"jobs\": []}";

    private HttpServer server;
    private FlinkCluster cluster;
    private final ManualPause pause = new ManualPause();
    private final List<String> asked = new ArrayList<>();
    /** By method and path; the last is given again and again. */
    private final Map<String, Queue<Answer>> answers = new ConcurrentHashMap<>();

    /** @param status 0 to close the connection instead */
    private record Answer(int status, String body) {}

    static {
        // Else each answer waits for the acknowledgement of its own head, 40 ms.
        System.setProperty("sun.net.httpserver.nodelay", "true");
    }

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::answer);
        server.start();
        cluster = cluster(server.getAddress().getPort());
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private FlinkCluster cluster(int port) {
        return cluster(port, Path.of("flink"), Duration.ofSeconds(6));
    }

    private FlinkCluster cluster(int port, Path commandLine, Duration timeout) {
        return new FlinkCluster(
                URI.create("http://127.0.0.1:" + port), commandLine, null, null, timeout, pause::millis, pause);
    }

    private synchronized void answer(HttpExchange exchange) throws IOException {
        String question = exchange.getRequestMethod() + " " + exchange.getRequestURI();
        asked.add(question);
        Queue<Answer> queue = answers.getOrDefault(question, new ConcurrentLinkedQueue<>());
        Answer answer = queue.size() > 1 ? queue.remove() : queue.peek();
        if (answer == null) {
            answer = new Answer(404, "{\"errors\": [\"not found\"]}");
        }
        if (answer.status() != 0) {
            byte[] body = answer.body().getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(answer.status(), body.length);
            exchange.getResponseBody().write(body);
        }
        exchange.close();
    }

    private void answers(String question, Answer... inTurn) {
        answers.put(question, new ConcurrentLinkedQueue<>(List.of(inTurn)));
    }

    /** What was asked first is answered, so that the cluster is known to be there. */
    private void known() throws Exception {
        answers("GET /jobs/overview", new Answer(200, NO_JOBS));
        assertThat(cluster.jobs()).isEmpty();
        asked.clear();
    }

    @Test
    void a_question_that_nobody_answers_is_asked_again_until_somebody_does() throws Exception {
        known();
        answers(
                "GET /jobs/overview",
                new Answer(503, "an ongoing leader election"),
                new Answer(0, ""),
                new Answer(500, "ask timed out"),
                new Answer(200, NO_JOBS));

        assertThat(cluster.jobs()).isEmpty();

        assertThat(asked).hasSize(4);
        assertThat(pause.passed())
                .as("the client itself may repeat one")
                .isBetween(Duration.ofSeconds(2), Duration.ofSeconds(3));
    }

    @Test
    void but_not_for_ever_and_not_what_is_answered_in_the_negative() throws Exception {
        known();
        answers("GET /jobs/overview", new Answer(503, "an ongoing leader election"));
        assertThatThrownBy(cluster::jobs)
                .hasMessageContaining("Flink answers 503")
                .hasMessageContaining("election");
        assertThat(pause.passed()).isBetween(Duration.ofSeconds(120), Duration.ofSeconds(125));

        asked.clear();
        assertThatThrownBy(() -> cluster.progress(JOB)).hasMessageContaining("Flink answers 404 to GET");
        assertThat(asked).hasSize(1);
    }

    @Test
    void where_nobody_has_ever_answered_it_fails_at_once() {
        FlinkCluster nobody = cluster(server.getAddress().getPort());
        server.stop(0);

        assertThatThrownBy(nobody::jobs).hasMessageContaining("Flink does not answer at http://127.0.0.1");
        assertThat(pause.made()).isEmpty();
    }

    @Test
    void an_order_that_may_have_been_heard_is_given_once() throws Exception {
        known();
        String order = "POST /jobs/" + JOB + "/checkpoints";
        answers(order, new Answer(500, "ask timed out"), new Answer(202, "{}"));
        assertThatThrownBy(() -> cluster.checkpoint(JOB)).hasMessageContaining("Flink answers 500 to POST");
        assertThat(asked).containsExactly(order);

        asked.clear();
        answers(order, new Answer(503, "an ongoing leader election"), new Answer(202, "{}"));
        cluster.checkpoint(JOB);
        assertThat(asked).as("nobody led").containsExactly(order, order);
    }

    @Test
    void a_savepoint_that_takes_longer_than_the_timeout_is_told_to_be_on_its_way() throws Exception {
        answers("POST /jobs/" + JOB + "/stop", new Answer(202, "{\"request-id\": \"t1\"}"));
        answers(
                "GET /jobs/" + JOB + "/savepoints/t1",
                new Answer(200, "{\"status\": {\"id\": \"IN_PROGRESS\"}, \"operation\": null}"));

        assertThatThrownBy(() -> cluster.stop(JOB))
                .hasMessageContaining("no savepoint within 6 s (--timeout). The order stands");
    }

    @Test
    void a_stop_gives_the_savepoint_and_the_job_ends_a_moment_later() throws Exception {
        answers("POST /jobs/" + JOB + "/stop", new Answer(202, "{\"request-id\": \"t1\"}"));
        answers(
                "GET /jobs/" + JOB + "/savepoints/t1",
                new Answer(200, "{\"status\": {\"id\": \"IN_PROGRESS\"}, \"operation\": null}"),
                new Answer(200, "{\"status\": {\"id\": \"COMPLETED\"}, \"operation\": {\"location\": \"file:/s/1\"}}"));
        answers(
                "GET /jobs/" + JOB,
                new Answer(200, "{\"state\": \"RUNNING\"}"),
                new Answer(200, "{\"state\": \"FINISHED\"}"));

        assertThat(cluster.stop(JOB)).isEqualTo("file:/s/1");
        cluster.awaitEnd(JOB);
        assertThat(asked).endsWith("GET /jobs/" + JOB, "GET /jobs/" + JOB);
    }

    @Test
    void a_command_line_that_does_not_end_is_killed_with_what_it_started(@TempDir Path folder) throws Exception {
        Path pid = folder.resolve("pid");
        FlinkCluster hanging =
                cluster(1, script(folder, "sleep 1000 & echo $! >" + pid + "; wait"), Duration.ofMillis(1_500));

        assertThatThrownBy(() -> hanging.run(new Cluster.Submission(Path.of("job.jar"), null, false, List.of())))
                .isInstanceOf(IOException.class)
                .hasMessage("flink run has not ended within 1 s (--timeout), and was killed");

        if (Files.exists(pid)) {
            long started = Long.parseLong(Files.readString(pid).strip());
            await().until(() ->
                    !ProcessHandle.of(started).map(ProcessHandle::isAlive).orElse(false));
        }
    }

    @Test
    void a_command_line_that_ends_says_the_job_or_why_there_is_none(@TempDir Path folder) throws Exception {
        Cluster.Submission submission =
                new Cluster.Submission(Path.of("job.jar"), "savepoint", true, List.of("stream"));
        String id = "0123456789abcdef0123456789abcdef";

        assertThat(cluster(1, script(folder, "echo \"Job has been submitted with JobID " + id + "\""), LONG)
                        .run(submission))
                .isEqualTo(id);
        assertThatThrownBy(() -> cluster(1, script(folder, "echo \"no: $*\"; exit 3"), LONG)
                        .run(submission))
                .isInstanceOf(IOException.class)
                .hasMessage("flink run ended with exit code 3: no: run -d -s savepoint -n job.jar stream");
    }

    private static final Duration LONG = Duration.ofMinutes(5);

    private static Path script(Path folder, String body) throws IOException {
        Path script = Files.writeString(folder.resolve("flink"), "#!/bin/sh\n" + body + "\n");
        Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
        return script;
    }
}
