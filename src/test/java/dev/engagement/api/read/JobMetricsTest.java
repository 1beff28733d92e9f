package dev.engagement.api.read;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** On a server that answers what Flink 1.20 answered to these questions. */
class JobMetricsTest {

    private static final String STREAM = "3887b4182b0f2108278e2affde01c67f";
    private static final String CAPTURE = "9e809c0fdf7fe900fef93f5f2b55c27b";
    private static final String ENRICH = "0a448493b4782967b150582570326227";
    private static final String LETTERS = "cbc357ccb763df2852fee8c4fc7d55f2";

    private final Map<String, String> answers = new ConcurrentHashMap<>();
    private final Queue<String> asked = new ConcurrentLinkedQueue<>();
    private HttpServer flink;
    private JobMetrics metrics;

    @BeforeEach
    void start() throws IOException {
        flink = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        flink.createContext("/", exchange -> {
            asked.add(exchange.getRequestURI().toString());
            String answer = answers.get(exchange.getRequestURI().toString());
            byte[] body = String.valueOf(answer).getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(answer == null ? 404 : 200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        flink.start();
        metrics = new JobMetrics(
                URI.create("http://127.0.0.1:" + flink.getAddress().getPort() + "/"), Duration.ofMinutes(5));
    }

    @AfterEach
    void stop() {
        flink.stop(0);
    }

    private static String job(String id, String state) {
        return "{\"jid\":\"" + id + "\",\"name\":\"engagement stream\",\"state\":\"" + state + "\"}";
    }

    private void jobs(String... jobs) {
        answers.put("/jobs/overview", "{\"jobs\":[" + String.join(",", jobs) + "]}");
    }

    private void vertices(String job, String... ids) {
        answers.put("/jobs/" + job, "{\"vertices\":[{\"id\":\"" + String.join("\"},{\"id\":\"", ids) + "\"}]}");
    }

    private void metrics(String job, String vertex, String names, String query, String values) {
        String path = "/jobs/" + job + "/vertices/" + vertex + "/subtasks/metrics";
        answers.put(path, names);
        answers.put(path + "?get=" + query, values);
    }

    private void oneStream(String circuit) {
        jobs(job(STREAM, "RUNNING"), job(CAPTURE, "RESTARTING"));
        vertices(STREAM, ENRICH, LETTERS);
        metrics(
                STREAM,
                ENRICH,
                "[{\"id\":\"deliver.circuitState\"},{\"id\":\"deliver.inFlight\"}]",
                "deliver.circuitState",
                "[{\"id\":\"deliver.circuitState\",\"min\":0.0,\"max\":" + circuit + ",\"sum\":2.0}]");
        metrics(
                STREAM,
                LETTERS,
                "[{\"id\":\"dead_letters__Writer.user.reason.INVALID.letters\"},"
                        + "{\"id\":\"dead_letters__Writer.user.reason.UNRESOLVED.letters\"},"
                        + "{\"id\":\"0.dead_letters.reason.<script>.letters\"},{\"id\":\"numRecordsIn\"}]",
                "dead_letters__Writer.user.reason.INVALID.letters,"
                        + "dead_letters__Writer.user.reason.UNRESOLVED.letters",
                "[{\"id\":\"dead_letters__Writer.user.reason.INVALID.letters\",\"sum\":3.0},"
                        + "{\"id\":\"dead_letters__Writer.user.reason.UNRESOLVED.letters\",\"sum\":0.0}]");
    }

    @Test
    void letters_by_reason_and_the_worst_circuit_are_those_of_running_jobs() throws Exception {
        oneStream("2.0");

        metrics.look(1_000);

        assertThat(metrics.told(1_000)).isEqualTo(new JobMetrics.Told(Map.of("INVALID", 3L, "UNRESOLVED", 0L), "open"));
        assertThat(asked).noneMatch(path -> path.contains(CAPTURE));
    }

    @Test
    void several_jobs_count_together() throws Exception {
        oneStream("1.0");
        jobs(job(STREAM, "RUNNING"), job(CAPTURE, "RUNNING"));
        vertices(CAPTURE, LETTERS);
        metrics(
                CAPTURE,
                LETTERS,
                "[{\"id\":\"Writer.reason.INVALID.letters\"},{\"id\":\"drain.circuitState\"}]",
                "Writer.reason.INVALID.letters,drain.circuitState",
                "[{\"id\":\"Writer.reason.INVALID.letters\",\"sum\":4.0},"
                        + "{\"id\":\"drain.circuitState\",\"max\":0.0}]");

        metrics.look(1_000);

        assertThat(metrics.told(1_000))
                .isEqualTo(new JobMetrics.Told(Map.of("INVALID", 7L, "UNRESOLVED", 0L), "half_open"));
    }

    @Test
    void what_nobody_tells_is_not_known() throws Exception {
        assertThat(metrics.told(0)).isEqualTo(new JobMetrics.Told(null, null));
        jobs(job(STREAM, "RESTARTING"));

        metrics.look(1_000);

        assertThat(metrics.told(1_000)).isEqualTo(new JobMetrics.Told(null, null));
    }

    @Test
    void what_was_seen_is_told_for_a_while_and_then_no_more() throws Exception {
        oneStream("0.0");
        metrics.look(1_000);
        answers.clear();

        assertThatThrownBy(() -> metrics.look(2_000)).isInstanceOf(UnavailableException.class);

        assertThat(metrics.told(1_000 + JobMetrics.GOOD_FOR_MILLIS).circuit()).isEqualTo("closed");
        assertThat(metrics.told(1_001 + JobMetrics.GOOD_FOR_MILLIS)).isEqualTo(new JobMetrics.Told(null, null));
    }

    @Test
    void an_answer_that_is_none_of_flinks_leads_nowhere() {
        jobs(job("../../etc", "RUNNING"));
        assertThatThrownBy(() -> metrics.look(1_000)).isInstanceOf(UnavailableException.class);

        answers.put("/jobs/overview", "<html>");
        assertThatThrownBy(() -> metrics.look(1_000)).isInstanceOf(UnavailableException.class);

        assertThat(asked).containsOnly("/jobs/overview");
    }
}
