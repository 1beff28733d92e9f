package dev.engagement.api;

import static dev.engagement.api.ApiServerTest.problem;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.engagement.api.definition.ApiDefinition;
import dev.engagement.api.definition.Operation;
import dev.engagement.api.definition.Parameter;
import dev.engagement.api.definition.ParameterType;
import dev.engagement.api.web.TokenRefs;
import dev.engagement.api.web.WebOptions;
import java.io.IOException;
import java.net.URLEncoder;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What somebody tries who means no good, as long as no token is needed. */
class AdversaryTest {

    private static final ObjectMapper JSON = new ObjectMapper();

    /** What must come out of nowhere: a text that is in the answer of the read that is smuggled. */
    private static final String SMUGGLED = "GET /stats HTTP/1.1\nHost: localhost\nConnection: close\n\n";

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
    }

    // ------------------------------------------------------------------------------------ from another site's page

    @ParameterizedTest
    @ValueSource(
            strings = {
                "evil.example.com",
                "evil.example.com:8088",
                "127.0.0.1.nip.io",
                "localhost.evil.example.com",
                "[::2]"
            })
    void a_name_of_a_stranger_that_leads_here_is_not_answered(String host) throws IOException {
        String answer =
                RawConnection.exchange(api.port(), "GET /stats HTTP/1.1\nHost: " + host + "\nConnection: close\n\n");

        assertThat(RawConnection.status(answer)).isEqualTo(403);
        assertThat(answer).contains("api.allowed-hosts");
        assertThat(api.asked).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"localhost", "127.0.0.1:8088", "LocalHost:1", "[::1]:8088"})
    void names_of_this_machine_are(String host) throws IOException {
        String answer =
                RawConnection.exchange(api.port(), "GET /stats HTTP/1.1\nHost: " + host + "\nConnection: close\n\n");

        assertThat(RawConnection.status(answer)).isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://evil.example.com",
                "https://127.0.0.1",
                "null",
                "http://127.0.0.1.nip.io",
                "http://localhost:1"
            })
    void a_page_of_another_site_sends_nothing(String origin) throws Exception {
        HttpResponse<String> answer = api.post("/track", "{}", "Content-Type", "text/plain", "Origin", origin);

        assertThat(problem(answer, 403).get("wayOut").textValue()).contains("api.allowed-origins");
        assertThat(api.post("/graphql", "{}", "Origin", origin).statusCode()).isEqualTo(403);
        assertThat(api.post("/login", "token=x", "Origin", origin).statusCode()).isEqualTo(403);
        assertThat(api.post("/track", "{}", "Sec-Fetch-Site", "cross-site").statusCode())
                .isEqualTo(403);
        assertThat(api.tracked).isEmpty();
        assertThat(answer.headers().firstValue("Access-Control-Allow-Origin")).isEmpty();
    }

    @Test
    void the_own_page_and_programs_send() throws Exception {
        String own = "http://127.0.0.1:" + api.port();

        assertThat(api.post("/track", "{}", "Content-Type", "application/json", "Origin", own)
                        .statusCode())
                .isEqualTo(202);
        assertThat(api.post("/track", "{}", "Content-Type", "application/json").statusCode())
                .isEqualTo(202);
    }

    @Test
    void no_page_of_another_site_reads() throws Exception {
        HttpResponse<String> answer = api.get("/stats", "Origin", "http://evil.example.com");

        assertThat(answer.headers().map().keySet()).noneMatch(name -> name.startsWith("access-control-"));
        assertThat(answer.headers().firstValue("Cross-Origin-Resource-Policy")).hasValue("same-origin");
    }

    @Test
    void a_web_socket_of_another_site_is_not_opened() throws IOException {
        String upgrade = """
                GET /live-metrics HTTP/1.1
                Host: 127.0.0.1:%d
                Upgrade: websocket
                Connection: Upgrade
                Sec-WebSocket-Version: 13
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
                Origin: %s

                """;

        for (String origin : List.of("http://evil.example.com", "null", "https://127.0.0.1:1")) {
            try (RawConnection connection = new RawConnection(api.port())) {
                connection.write(upgrade.formatted(api.port(), origin));
                assertThat(connection.readSome(12)).as(origin).isEqualTo("HTTP/1.1 403");
            }
        }
        assertThat(api.joined).isEmpty();
        try (RawConnection connection = new RawConnection(api.port())) {
            connection.write(upgrade.formatted(api.port(), "http://127.0.0.1:" + api.port()));
            assertThat(connection.readSome(12)).isEqualTo("HTTP/1.1 101");
        }
    }

    // -------------------------------------------------------------------------------------------- what stands in it

    @Test
    void text_is_text() throws Exception {
        HttpResponse<String> answer = api.get("/stats");
        HttpResponse<String> refused = api.get("/stats?%3Cscript%3Ealert(1)%3C/script%3E=%3Cimg%20onerror=x%3E");

        assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/json");
        assertThat(answer.headers().firstValue("X-Content-Type-Options")).hasValue("nosniff");
        problem(refused, 400);
        for (HttpResponse<String> each : List.of(answer, refused)) {
            assertThat(each.headers().firstValue("Content-Security-Policy").orElseThrow())
                    .contains("default-src 'self'", "frame-ancestors 'none'")
                    .doesNotContain("unsafe", "data:", "*");
            assertThat(each.headers().firstValue("Referrer-Policy")).hasValue("no-referrer");
            assertThat(each.headers().firstValue("X-Frame-Options")).hasValue("DENY");
            assertThat(each.headers().firstValue("Server")).isEmpty();
        }
    }

    static Stream<Operation> reads() {
        return ApiDefinition.get().reads().stream();
    }

    /** What reaches a read is the text as it is, or nothing does. That stores take it as text is theirs to show. */
    @ParameterizedTest
    @MethodSource("reads")
    void what_is_injected_is_refused_or_reaches_the_read_as_the_text_that_it_is(Operation operation) throws Exception {
        List<String> evil = List.of(
                "' OR 1=1 --",
                "'; DROP TABLE engagement_events; --",
                "x\r\nDEL engagement:*\r\n",
                "*3\r\n$3\r\nSET\r\n",
                "${jndi:ldap://evil}",
                "{{7*7}}",
                "../../etc/passwd",
                "<script>alert(1)</script>",
                "\u0000",
                "\u202e\ud83d\ude00",
                "-1",
                "99999999999999999999",
                "NaN",
                "[]",
                "a".repeat(5_000));
        for (Parameter parameter : operation.parameters()) {
            for (String text : evil) {
                api.asked.clear();
                HttpResponse<String> answer = api.get(with(operation, parameter, text));

                assertThat(answer.statusCode())
                        .as("%s=%s", parameter.name(), text)
                        .isIn(200, 400, 404);
                if (answer.statusCode() == 200) {
                    String asked = api.asked.remove();
                    if (parameter.type() == ParameterType.TEXT) {
                        assertThat(asked).contains(parameter.name() + "=" + text);
                    }
                } else {
                    assertThat(api.asked).isEmpty();
                    assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/problem+json");
                }
            }
        }
    }

    /** The example, with another value for one parameter. */
    private static String with(Operation operation, Parameter parameter, String text) {
        String encoded = URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
        String example = operation.example();
        int query = example.indexOf('?');
        String path = query < 0 ? example : example.substring(0, query);
        if (parameter.inPath()) {
            return path.substring(0, path.lastIndexOf('/') + 1) + encoded;
        }
        String others = query < 0
                ? ""
                : Stream.of(example.substring(query + 1).split("&"))
                        .filter(each -> !each.startsWith(parameter.name() + "="))
                        .collect(Collectors.joining("&"));
        return path + "?" + others + (others.isEmpty() ? "" : "&") + parameter.name() + "=" + encoded;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/static/../../../../etc/passwd",
                "/static/%2e%2e/%2e%2e/etc/passwd",
                "/static/..%2f..%2fetc/passwd",
                "/static/..%5c..%5cetc/passwd",
                "/static/js/../../log4j2-api.properties",
                "/static//etc/passwd",
                "/static/%00",
                "/static/.hidden",
                "/static/index.html/",
                "/static/index.html%00.js",
                "/static/../dev/engagement/api/ApiServer.class",
                "/static/dev/engagement/api/ApiServer.class",
                "/../stats",
                "/static/..;/stats",
                "/static/%252e%252e/stats",
                "/static/file:/etc/passwd",
                "//etc/passwd"
            })
    void nothing_is_found_beyond_the_page(String path) throws IOException {
        String answer =
                RawConnection.exchange(api.port(), "GET " + path + " HTTP/1.1\nHost: localhost\nConnection: close\n\n");

        assertThat(RawConnection.status(answer)).isIn(400, 404);
        assertThat(answer).doesNotContain("root:", "rootLogger", "\u00ca\u00fe");
        assertThat(api.asked).isEmpty();
    }

    // -------------------------------------------------------------------------------------------- too much, too slow

    @Test
    void a_body_that_is_too_large_is_refused_before_it_has_come() throws IOException {
        String answer = RawConnection.exchange(
                api.port(),
                "POST /track HTTP/1.1\nHost: localhost\nContent-Type: application/json\nContent-Length: 1000000000\n\n");

        assertThat(RawConnection.status(answer)).isEqualTo(413);
        assertThat(answer).containsIgnoringCase("connection: close");
        assertThat(api.tracked).isEmpty();
    }

    @Test
    void one_that_does_not_say_how_large_it_is_may_not_be_larger_either() throws IOException {
        // It ends with the byte that is too much: what came behind it and was not read could reset the connection.
        String chunk = "4000\n" + "a".repeat(0x4000) + "\n";
        String answer = RawConnection.exchange(
                api.port(),
                "POST /track HTTP/1.1\nHost: localhost\nContent-Type: application/json\nTransfer-Encoding: chunked\n\n"
                        + chunk.repeat(4) + "1\na");

        assertThat(RawConnection.status(answer)).isEqualTo(413);
        assertThat(api.tracked).isEmpty();
    }

    @Test
    void what_is_compressed_is_not_unpacked() throws Exception {
        problem(api.post("/track", "x", "Content-Type", "application/json", "Content-Encoding", "gzip"), 415);
        assertThat(api.tracked).isEmpty();
    }

    @Test
    void heads_that_are_too_large_are_refused() throws IOException {
        String header = RawConnection.exchange(
                api.port(), "GET /stats HTTP/1.1\nHost: localhost\nX-Long: " + "a".repeat(10_000) + "\n\n");
        String path =
                RawConnection.exchange(api.port(), "GET /" + "a".repeat(10_000) + " HTTP/1.1\nHost: localhost\n\n");

        assertThat(RawConnection.status(header)).isEqualTo(431);
        assertThat(RawConnection.status(path)).isIn(400, 414, 431);
        assertThat(header + path).contains("application/problem+json").doesNotContain("<h1>", "jetty");
    }

    @Test
    void who_begins_a_body_and_says_nothing_more_is_told_so() throws IOException {
        WebOptions.Limits hasty = new WebOptions.Limits(
                1_000, 1_000, 100, 10, 16, 8_192, 65_536, Duration.ofMinutes(5), Duration.ofMillis(200));
        try (ScriptedApi impatient = ScriptedApi.with(TokenRefs.none(), hasty)) {
            String answer = RawConnection.exchange(
                    impatient.port(),
                    "POST /track HTTP/1.1\nHost: localhost\nContent-Type: application/json\nContent-Length: 100\n\n{");

            // On a machine that is busy the connection may have been idle for too long before the head was read.
            assertThat(RawConnection.status(answer)).as(answer).isIn(408, -1);
            assertThat(impatient.tracked).isEmpty();
        }
    }

    @Test
    void who_sends_a_byte_now_and_then_holds_no_thread_for_long() throws IOException {
        // A clock that goes a second further each time that somebody looks.
        AtomicLong nanos = new AtomicLong();
        WebOptions options = new WebOptions(
                "127.0.0.1",
                0,
                TokenRefs.none(),
                Set.of(),
                Set.of(),
                new WebOptions.Limits(
                        1_000, 1_000, 100, 10, 16, 8_192, 65_536, Duration.ofMillis(500), Duration.ofMinutes(5)));
        try (ScriptedApi impatient = ScriptedApi.with(
                options, () -> nanos.addAndGet(Duration.ofSeconds(1).toNanos()))) {
            String answer = RawConnection.exchange(
                    impatient.port(),
                    "POST /track HTTP/1.1\nHost: localhost\nContent-Type: application/json\nContent-Length: 100\n\n{");

            assertThat(RawConnection.status(answer)).isEqualTo(408);
            assertThat(answer).contains("body-too-slow").containsIgnoringCase("connection: close");
        }
    }

    // ------------------------------------------------------------------------------------------------- smuggled heads

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Content-Length: 0\nTransfer-Encoding: chunked\n",
                "Transfer-Encoding: chunked\nContent-Length: 5\n",
                "Content-Length: 5\nContent-Length: 6\n",
                "Content-Length: 5, 6\n",
                "Content-Length: +5\n",
                "Content-Length: -1\n",
                "Content-Length: 0x5\n",
                "Content-Length : 5\n",
                "Transfer-Encoding : chunked\n",
                "Transfer-Encoding: xchunked\n",
                "Transfer-Encoding: chunked, identity\n",
                "Transfer-Encoding: gzip, chunked, chunked\n",
                "X: a\n Transfer-Encoding: chunked\n",
                "Transfer-Encoding:\n chunked\n",
                "Host: evil.example.com\n",
                " Transfer-Encoding: chunked\n"
            })
    void a_request_hidden_in_another_is_not_answered(String heads) throws IOException {
        String answers = RawConnection.exchange(
                api.port(),
                "POST /graphql HTTP/1.1\nHost: localhost\nContent-Type: application/json\n" + heads + "\n0\n\n"
                        + SMUGGLED);

        assertThat(answers.split("HTTP/1\\.1 ", -1)).as(answers).hasSize(2);
        assertThat(RawConnection.status(answers)).isIn(400, 501);
        assertThat(api.asked).isEmpty();
    }

    @Test
    void a_header_of_the_answer_cannot_be_written_from_outside() throws Exception {
        HttpResponse<String> answer = api.get("/stats?a%0d%0aSet-Cookie:%20x=1=2");
        HttpResponse<String> path = api.get("/events/1%0d%0aX-Evil:%201");

        assertThat(answer.headers().firstValue("Set-Cookie")).isEmpty();
        assertThat(path.statusCode()).isEqualTo(400);
        assertThat(path.headers().firstValue("X-Evil")).isEmpty();
    }

    // ------------------------------------------------------------------------------------------------------- GraphQL

    static Stream<String> bombs() {
        String aliases = IntStream.range(0, 1_000)
                .mapToObj(i -> "a" + i + ": stats { as_of }")
                .collect(Collectors.joining(" ", "{ ", " }"));
        String depth = "{ stats ".repeat(2_000) + "}".repeat(2_000);
        String fragments = "{ stats { ...f } } fragment f on Stats { ...g } fragment g on Stats { ...f }";
        String doubled = IntStream.range(0, 25)
                        .mapToObj(i -> "fragment f" + i + " on Query { ...f" + (i + 1) + " ...f" + (i + 1) + " }")
                        .collect(Collectors.joining(" ", "{ ...f0 } ", " "))
                + "fragment f25 on Query { stats { as_of } }";
        String arguments = "{ leaderboard(by: events, limit: " + "9".repeat(10_000) + ") { as_of } }";
        String lists = "{ rollup(name: " + "[".repeat(10_000) + "]".repeat(10_000) + ") { as_of } }";
        return Stream.of(aliases, depth, fragments, doubled, arguments, lists);
    }

    @ParameterizedTest
    @MethodSource("bombs")
    void a_query_that_would_cost_too_much_is_refused_before_a_read_is_asked(String query) throws Exception {
        String body = JSON.writeValueAsString(JSON.createObjectNode().put("query", query));

        HttpResponse<String> answer = api.post("/graphql", body, "Content-Type", "application/json");

        assertThat(answer.statusCode()).isIn(200, 400, 413);
        if (answer.statusCode() == 200) {
            JsonNode errors = JSON.readTree(answer.body()).get("errors");
            assertThat(errors).isNotEmpty();
        }
        assertThat(api.asked).isEmpty();
        assertThat(answer.body()).doesNotContain("Exception", "\tat ");
    }

    @Test
    void a_query_that_is_too_long_or_nested_too_deep_as_json_is_refused() throws Exception {
        String answer = RawConnection.exchange(
                api.port(),
                "POST /graphql HTTP/1.1\nHost: localhost\nContent-Type: application/json\nContent-Length: 70000\n\n");

        assertThat(RawConnection.status(answer)).isEqualTo(413);
        problem(api.post("/graphql", "[".repeat(30_000), "Content-Type", "application/json"), 400);
    }

    // ------------------------------------------------------------------------------------------------------ too often

    @Test
    void who_asks_too_often_is_told_when_to_come_back() throws Exception {
        AtomicLong nanos = new AtomicLong();
        WebOptions options = new WebOptions(
                "127.0.0.1",
                0,
                TokenRefs.none(),
                Set.of(),
                Set.of(),
                new WebOptions.Limits(1, 1, 100, 10, 16, 8_192, 65_536, Duration.ofMinutes(5), Duration.ofMinutes(5)));
        try (ScriptedApi slow = ScriptedApi.with(options, nanos::get)) {
            for (int left = 9; left >= 0; left--) {
                HttpResponse<String> answer = slow.get("/stats");
                assertThat(answer.statusCode()).isEqualTo(200);
                assertThat(answer.headers().firstValue("RateLimit").orElseThrow())
                        .startsWith("\"read\";r=" + left + ";t=");
                assertThat(answer.headers().firstValue("RateLimit-Policy")).hasValue("\"read\";q=10;w=10");
            }

            HttpResponse<String> refused = slow.get("/stats");
            problem(refused, 429);
            assertThat(refused.headers().firstValue("Retry-After")).hasValue("1");
            assertThat(slow.asked).hasSize(10);
            // Each has a quota of its own, and whoever looks after the process is always answered.
            assertThat(slow.post("/track", "{}", "Content-Type", "application/json")
                            .statusCode())
                    .isEqualTo(202);
            assertThat(slow.get("/health/live").statusCode()).isEqualTo(200);

            nanos.addAndGet(Duration.ofSeconds(1).toNanos());
            assertThat(slow.get("/stats").statusCode()).isEqualTo(200);
        }
    }
}
