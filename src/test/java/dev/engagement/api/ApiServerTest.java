package dev.engagement.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.engagement.api.definition.ApiDefinition;
import dev.engagement.api.definition.Operation;
import dev.engagement.api.read.Health;
import dev.engagement.api.read.NotFoundException;
import dev.engagement.api.read.UnavailableException;
import dev.engagement.api.web.TokenRefs;
import dev.engagement.api.web.WebOptions;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the server makes of the definition and of its parts, over real HTTP. */
class ApiServerTest {

    private static final ObjectMapper JSON = new ObjectMapper();

    private static ScriptedApi api;

    @BeforeAll
    static void start() {
        api = ScriptedApi.open();
    }

    @AfterAll
    static void stop() {
        api.close();
    }

    @AfterEach
    void forget() {
        api.asked.clear();
        api.tracked.clear();
        api.failure = null;
        api.away = null;
        api.missing = null;
        api.maxAgeSeconds = 0;
        api.health = new Health(true, true, null);
    }

    static Stream<Operation> reads() {
        return ApiDefinition.get().reads().stream();
    }

    @ParameterizedTest
    @MethodSource("reads")
    void every_read_answers_its_example_on_each_of_its_paths(Operation operation) throws Exception {
        for (String path : operation.paths()) {
            int query = operation.example().indexOf('?');
            String example = path.contains("{")
                    ? operation.example()
                    : path + (query < 0 ? "" : operation.example().substring(query));

            HttpResponse<String> answer = api.get(example);

            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
            assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/json");
            assertThat(JSON.readTree(answer.body()).get("as_of").textValue()).isEqualTo("2026-01-08T09:00:00Z");
            assertThat(api.asked.remove()).startsWith(operation.id());
        }
    }

    @Test
    void parameters_of_path_and_query_reach_the_read_with_their_defaults() throws Exception {
        api.get("/metrics/realtime?event_type=click&limit=7");
        assertThat(api.asked.remove()).isEqualTo("realtime event_type=click window_size=30s limit=7");

        api.get("/events/4711");
        assertThat(api.asked.remove()).isEqualTo("event id=4711 fallback=none");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/metrics/realtime",
                "/metrics/realtime?event_type=click&limit=0",
                "/metrics/realtime?event_type=click&limit=101",
                "/metrics/realtime?event_type=click&limit=1&limit=2",
                "/metrics/realtime?event_type=click&limt=1",
                "/events/4711?id=1",
                "/events/x"
            })
    void what_would_not_do_is_a_problem_with_a_way_out_and_no_read_is_asked(String path) throws Exception {
        HttpResponse<String> answer = api.get(path);

        JsonNode problem = problem(answer, 400);
        assertThat(problem.get("type").textValue()).isEqualTo("urn:engagement:problem:invalid-parameter");
        assertThat(problem.get("wayOut").textValue()).isNotBlank();
        assertThat(api.asked).isEmpty();
    }

    @Test
    void an_answer_may_be_kept_for_as_long_as_it_cannot_change_by_the_one_who_asked() throws Exception {
        assertThat(api.get("/stats").headers().firstValue("Cache-Control")).hasValue("no-store");

        api.maxAgeSeconds = 30;
        assertThat(api.get("/stats").headers().firstValue("Cache-Control")).hasValue("private, max-age=30");
    }

    @Test
    void the_head_of_an_answer_is_the_same_without_it() throws Exception {
        for (String path : List.of("/stats", "/", "/docs", "/openapi.json", "/static/style.css")) {
            HttpResponse<String> whole = api.get(path);
            HttpResponse<String> head = api.send(api.request(path).method("HEAD", HttpRequest.BodyPublishers.noBody()));

            assertThat(head.statusCode()).as(path).isEqualTo(200);
            assertThat(head.body()).as(path).isEmpty();
            assertThat(mediaType(head)).as(path).isEqualTo(mediaType(whole));
            assertThat(head.headers().firstValue("Content-Length")).as(path).isNotEqualTo(Optional.of("0"));
        }
    }

    @Test
    void what_is_not_there_is_404_and_another_method_405() throws Exception {
        api.missing = new NotFoundException("There is no such event", "ask for another");
        assertThat(problem(api.get("/events/1"), 404).get("detail").textValue()).isEqualTo("There is no such event");
        assertThat(problem(api.get("/nothing/here"), 404).get("wayOut").textValue())
                .contains("/docs");

        HttpResponse<String> posted = api.post("/stats", "{}");
        assertThat(problem(posted, 405).get("wayOut").textValue()).isEqualTo("use GET");
        assertThat(posted.headers().firstValue("Allow")).hasValue("GET");
        assertThat(api.get("/track").headers().firstValue("Allow")).hasValue("POST");
        assertThat(problem(api.get("/live-metrics"), 426).get("wayOut").textValue())
                .contains("/live");
    }

    @ParameterizedTest
    @ValueSource(strings = {"PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"})
    void methods_that_nothing_has_are_refused_at_the_gate(String method) throws Exception {
        HttpResponse<String> answer =
                api.send(api.request("/stats").method(method, HttpRequest.BodyPublishers.noBody()));

        problem(answer, 405);
        assertThat(answer.headers().map().keySet())
                .noneMatch(header -> header.toLowerCase(Locale.ROOT).startsWith("access-control-"));
    }

    @Test
    void a_store_that_is_away_is_503_with_the_time_to_come_back_and_without_its_address() throws Exception {
        api.away = new UnavailableException(
                "Redis", Duration.ofMillis(1_500), new IllegalStateException("10.1.2.3:6379 refused"));

        HttpResponse<String> answer = api.get("/stats");

        assertThat(problem(answer, 503).get("detail").textValue()).isEqualTo("Redis does not answer now");
        assertThat(answer.headers().firstValue("Retry-After")).hasValue("2");
        assertThat(answer.body()).doesNotContain("10.1.2.3");
        // Of a commit that nobody knows of, no more is promised than a key keeps.
        HttpResponse<String> sent = api.post("/track", "{}", "Content-Type", "application/json");
        assertThat(problem(sent, 503).get("wayOut").textValue()).contains("same Idempotency-Key");
    }

    @Test
    void what_nobody_expected_is_500_with_an_incident_and_without_a_word_of_it() throws Exception {
        api.failure = new IllegalStateException("password=hunter2 at dev.engagement.Secret");

        HttpResponse<String> answer = api.get("/stats");

        assertThat(problem(answer, 500).get("detail").textValue())
                .matches("The log says what, under the incident \\w{8}");
        assertThat(answer.body()).doesNotContain("hunter2", "Secret", "Exception", "\tat ");
    }

    @Test
    void events_are_taken_with_202_and_their_ids() throws Exception {
        HttpResponse<String> answer =
                api.post("/track", "{\"a\":1}", "Content-Type", "application/json", "Idempotency-Key", "key-1");

        assertThat(answer.statusCode()).isEqualTo(202);
        assertThat(JSON.readTree(answer.body())).isEqualTo(JSON.readTree("{\"ids\":[1],\"repeated\":false}"));
        assertThat(api.tracked).containsExactly("application/json key-1 {\"a\":1}");
    }

    @Test
    void graphql_asks_the_same_reads() throws Exception {
        HttpResponse<String> answer =
                api.post("/graphql", "{\"query\":\"{ stats { as_of } }\"}", "Content-Type", "application/json");

        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        assertThat(JSON.readTree(answer.body()).at("/data/stats/as_of").textValue())
                .isEqualTo("2026-01-08T09:00:00Z");
        assertThat(api.asked).containsExactly("stats");
        problem(api.post("/graphql", "{", "Content-Type", "application/json"), 400);
        problem(api.post("/graphql", "{} {}", "Content-Type", "application/json"), 400);
        problem(api.post("/graphql", "[]", "Content-Type", "application/json"), 400);
        problem(api.post("/graphql", "", "Content-Type", "application/json"), 400);
        problem(api.post("/graphql", "{}", "Content-Type", "text/plain"), 415);
        problem(api.post("/graphql?query=1", "{}", "Content-Type", "application/json"), 400);
    }

    @Test
    void the_documents_of_the_definition_are_served() throws Exception {
        HttpResponse<String> openApi = api.get("/openapi.json");
        assertThat(JSON.readTree(openApi.body()).get("openapi").textValue()).isEqualTo("3.1.0");

        HttpResponse<String> docs = api.get("/docs");
        assertThat(mediaType(docs)).isEqualTo("text/html;charset=utf-8");
        assertThat(docs.body())
                .contains("http://127.0.0.1:" + api.port() + "/leaderboard")
                .doesNotContain("<script");
        assertThat(mediaType(api.get("/docs.css"))).isEqualTo("text/css;charset=utf-8");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/static/index.html", "/wall", "/login"})
    void the_pages_are_served_without_anything_inline(String path) throws Exception {
        HttpResponse<String> page = api.get(path);

        assertThat(page.statusCode()).isEqualTo(200);
        assertThat(mediaType(page)).isEqualTo("text/html;charset=utf-8");
        assertThat(page.headers().firstValue("Content-Security-Policy").orElseThrow())
                .startsWith("default-src 'self'");
        assertThat(page.body()).startsWith("<!doctype html>");
        assertThat(page.body()).doesNotContainPattern("(?i)<script(?![^>]*\\bsrc=)");
        assertThat(page.body()).doesNotContainPattern("(?i)<style|\\son[a-z]+=|\\sstyle=|javascript:");
    }

    @Test
    void a_file_that_has_not_changed_is_not_sent_again_and_a_sent_one_is_compressed() throws Exception {
        HttpResponse<String> first = api.get("/static/index.html");
        String etag = first.headers().firstValue("ETag").orElseThrow();

        assertThat(api.get("/static/index.html", "If-None-Match", etag).statusCode())
                .isEqualTo(304);
        HttpResponse<String> compressed = api.get("/static/index.html", "Accept-Encoding", "gzip");
        assertThat(compressed.headers().firstValue("Content-Encoding")).hasValue("gzip");
        assertThat(compressed.headers().firstValueAsLong("Content-Length").orElseThrow())
                .isLessThan(first.body().length());
        assertThat(api.get("/static/index.html", "Accept-Encoding", "gzip;q=0")
                        .headers()
                        .firstValue("Content-Encoding"))
                .isEmpty();
        problem(api.get("/static/nothing.js"), 404);
        problem(api.get("/static/js"), 404);
    }

    @Test
    void health_says_whether_it_lives_and_whether_its_stores_do() throws Exception {
        assertThat(api.get("/health/live").body()).isEqualTo("{\"status\":\"up\"}");
        await().until(() -> api.get("/health/ready").statusCode() == 200);

        api.health = new Health(false, true, "Redis does not answer");
        // What was said is kept for a second.
        HttpResponse<String> answer = await().until(() -> api.get("/health/ready"), said -> said.statusCode() == 503);

        assertThat(JSON.readTree(answer.body()))
                .isEqualTo(JSON.readTree("{\"status\":\"not ready\",\"redis\":false,\"postgres\":true,"
                        + "\"why\":\"Redis does not answer\"}"));
        assertThat(api.get("/health/live").statusCode()).isEqualTo(200);
    }

    @Test
    void numbers_are_by_operation_and_never_by_what_somebody_typed() throws Exception {
        api.get("/stats");
        api.get("/no-such-path-4711");

        HttpResponse<String> numbers = api.get("/prometheus");

        assertThat(mediaType(numbers)).startsWith("text/plain;version=0.0.4");
        assertThat(numbers.body())
                .containsPattern("engagement_api_requests_total\\{operation=\"stats\",status=\"200\"} [1-9]")
                .containsPattern("engagement_api_requests_total\\{operation=\"other\",status=\"404\"} [1-9]")
                .contains("engagement_api_live_clients ")
                .doesNotContain("4711");
    }

    @Test
    void a_port_that_is_taken_is_said_with_the_way_out() {
        WebOptions taken =
                new WebOptions("127.0.0.1", api.port(), TokenRefs.none(), Set.of(), Set.of(), ScriptedApi.LIMITS);

        assertThatThrownBy(() -> ScriptedApi.with(taken, System::nanoTime).close())
                .isInstanceOf(ApiServer.StartException.class)
                .hasMessageContaining("127.0.0.1:" + api.port())
                .hasMessageContaining("--api.port");
    }

    /** Without the blanks that a server may put into it or take out. */
    private static String mediaType(HttpResponse<String> answer) {
        return answer.headers()
                .firstValue("Content-Type")
                .orElse("")
                .replace(" ", "")
                .toLowerCase(Locale.ROOT);
    }

    static JsonNode problem(HttpResponse<String> answer, int status) throws Exception {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/problem+json");
        assertThat(answer.headers().firstValue("Cache-Control")).hasValue("no-store");
        JsonNode problem = JSON.readTree(answer.body());
        assertThat(problem.fieldNames()).toIterable().contains("type", "title", "status", "detail", "wayOut");
        assertThat(problem.get("status").intValue()).isEqualTo(status);
        return problem;
    }
}
