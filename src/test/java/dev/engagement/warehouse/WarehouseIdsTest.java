package dev.engagement.warehouse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.engagement.connection.testing.ManualPause;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.apache.flink.configuration.MemorySize;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Against a server that answers from a script, in BigQuery's form: pages, and queries that take their time. */
class WarehouseIdsTest {

    private record Answer(int status, String body) {}

    private final Deque<Answer> script = new ArrayDeque<>();
    private final List<String> asked = new ArrayList<>();
    private final ManualPause pause = new ManualPause();
    private HttpServer server;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            asked.add(exchange.getRequestMethod() + " " + exchange.getRequestURI() + " " + body);
            Answer answer = script.remove();
            byte[] bytes = answer.body.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(answer.status, bytes.length);
            exchange.getResponseBody().write(bytes);
            exchange.close();
        });
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    @Test
    void pagesAreReadOneAfterTheOther() throws Exception {
        script.add(new Answer(200, """
            {"kind": "bigquery#queryResponse", "schema": {"fields": [{"name": "event_id", "type": "INTEGER"}]},
             "jobReference": {"projectId": "p", "jobId": "job 1", "location": "EU"}, "totalRows": "3", "pageToken": "a/b",
             "rows": [{"f": [{"v": "1"}]}, {"f": [{"v": "9223372036854775807"}]}], "jobComplete": true}"""));
        script.add(new Answer(200, """
            {"jobReference": {"projectId": "p", "jobId": "job 1", "location": "EU"}, "rows": [{"f": [{"v": "-5"}]}],
             "jobComplete": true}"""));

        assertThat(ids()).containsExactly(1L, Long.MAX_VALUE, -5L);
        assertThat(asked.get(0))
                .startsWith("POST /bigquery/v2/projects/p/queries ")
                .contains("FROM `p.analytics.engagement_events` WHERE event_ts >="
                        + " TIMESTAMP_MICROS(5) AND event_ts < TIMESTAMP_MICROS(7)");
        assertThat(asked.get(1))
                .startsWith("GET /bigquery/v2/projects/p/queries/job%201?timeoutMs=10000&location=EU&pageToken=a%2Fb ");
    }

    @Test
    void aQueryThatTakesItsTimeIsWaitedFor() throws Exception {
        script.add(new Answer(200, """
            {"jobReference": {"projectId": "p", "jobId": "j"}, "jobComplete": false}"""));
        script.add(new Answer(503, "{}"));
        script.add(new Answer(200, """
            {"jobReference": {"projectId": "p", "jobId": "j"}, "jobComplete": true, "rows": [{"f": [{"v": "2"}]}]}"""));

        assertThat(ids()).containsExactly(2L);
        assertThat(script).isEmpty();
        assertThat(pause.made()).as("after what failed").hasSize(1);
    }

    @Test
    void noTableHasNoIds() throws Exception {
        script.add(new Answer(404, "{\"error\": {\"message\": \"Not found: Table p:analytics.engagement_events\"}}"));

        assertThat(ids()).isEmpty();
    }

    @Test
    void noRowsAreNotAnError() throws Exception {
        script.add(new Answer(200, """
            {"jobReference": {"projectId": "p", "jobId": "j"}, "jobComplete": true, "totalRows": "0"}"""));

        assertThat(ids()).isEmpty();
    }

    @Test
    void aRefusalSaysWhatToCheck() {
        script.add(new Answer(403, "{\"error\": {\"message\": \"Access Denied\"}}"));

        assertThatThrownBy(this::ids)
                .isInstanceOf(IOException.class)
                .hasMessageContaining("The warehouse table p.analytics.engagement_events cannot be asked")
                .hasMessageContaining("HTTP 403", "Access Denied")
                .hasMessageContaining("bigquery.jobUser");
    }

    @Test
    void anAnswerThatEndsInItsRowsIsNotTakenForAllOfThem() {
        script.add(new Answer(200, "{\"jobComplete\": true, \"rows\": [{\"f\": [{\"v\": \"1\"}]},"));

        assertThatThrownBy(this::ids).isInstanceOf(IOException.class);
    }

    @Test
    void aDryRunSaysWhatWouldBeRead() throws Exception {
        script.add(new Answer(200, "{\"jobComplete\": true, \"totalBytesProcessed\": \"16000000000\"}"));
        script.add(new Answer(404, "{}"));

        WarehouseIds ids = WarehouseIds.of(options(), pause);
        assertThat(ids.bytesToRead(5, 7)).isEqualTo(16_000_000_000L);
        assertThat(ids.bytesToRead(5, 7)).as("without a table").isZero();
        assertThat(asked.get(0)).contains("dryRun");
    }

    private List<Long> ids() throws Exception {
        List<Long> ids = new ArrayList<>();
        WarehouseIds.of(options(), pause).between(5, 7, ids::add);
        return ids;
    }

    private WarehouseOptions options() {
        URI rest = URI.create("http://127.0.0.1:" + server.getAddress().getPort());
        return new WarehouseOptions(
                "p",
                "analytics",
                "engagement_events",
                new WarehouseOptions.Endpoints(rest, rest),
                null,
                new WarehouseOptions.Layout(WarehouseOptions.Partition.DAY, null, false),
                MemorySize.ofMebiBytes(1),
                MemorySize.ofMebiBytes(1),
                Duration.ofSeconds(1),
                Duration.ofSeconds(1),
                false,
                false,
                WarehouseOptions.JsonNumbers.EXACT);
    }
}
