package dev.engagement.api;

import static dev.engagement.api.ApiServerTest.problem;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.engagement.api.web.TokenRefs;
import dev.engagement.api.web.WebOptions;
import dev.engagement.connection.SecretRef;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who is let in where tokens are needed. */
class AdmissionTest {

    private static final String READ = "a-token-for-reading-0123456789";
    private static final String WRITE = "a-token-for-writing-0123456789";
    private static final String METRICS = "a-token-for-metrics-0123456789";
    private static final String FORM = "application/x-www-form-urlencoded";

    @TempDir
    private Path folder;

    private ScriptedApi api;

    @BeforeEach
    void start() throws IOException {
        api = ScriptedApi.with(
                new TokenRefs(
                        SecretRef.none(),
                        ScriptedApi.in(folder, READ),
                        ScriptedApi.in(folder, WRITE),
                        ScriptedApi.in(folder, METRICS)),
                ScriptedApi.LIMITS);
    }

    @AfterEach
    void stop() {
        api.close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/stats",
                "/metrics/realtime?event_type=click",
                "/openapi.json",
                "/docs",
                "/docs.css",
                "/live",
                "/live-metrics",
                "/prometheus",
                "/%70rometheus",
                "/static/index.html",
                "/nothing/here",
                "/%6cive"
            })
    void without_a_token_nothing_is_told_not_even_what_there_is(String path) throws Exception {
        HttpResponse<String> none = api.get(path);
        HttpResponse<String> wrong = api.get(path, "Authorization", "Bearer " + READ + "x");

        problem(none, 401);
        problem(wrong, 401);
        assertThat(none.headers().firstValue("WWW-Authenticate")).hasValue("Bearer realm=\"engagement\"");
        assertThat(none.body()).doesNotContain(READ);
        assertThat(api.asked).isEmpty();
        assertThat(api.joined).isEmpty();
    }

    @Test
    void each_token_is_for_one_thing() throws Exception {
        assertThat(api.get("/stats", "Authorization", "Bearer " + READ).statusCode())
                .isEqualTo(200);
        assertThat(api.get("/stats", "Authorization", "bearer   " + READ + " ").statusCode())
                .isEqualTo(200);
        problem(api.get("/stats", "Authorization", "Bearer " + WRITE), 403);
        problem(api.get("/stats", "Authorization", "Bearer " + METRICS), 403);
        problem(api.get("/stats", "Authorization", "Basic " + READ), 401);

        assertThat(api.get("/prometheus", "Authorization", "Bearer " + METRICS).statusCode())
                .isEqualTo(200);
        problem(api.get("/prometheus", "Authorization", "Bearer " + READ), 403);
        // As the router reads it, not as it is written.
        problem(api.get("/%70rometheus", "Authorization", "Bearer " + READ), 403);

        String json = "application/json";
        problem(api.post("/track", "{}", "Content-Type", json), 401);
        problem(api.post("/track", "{}", "Content-Type", json, "Authorization", "Bearer " + READ), 403);
        assertThat(api.post("/track", "{}", "Content-Type", json, "Authorization", "Bearer " + WRITE)
                        .statusCode())
                .isEqualTo(202);
        problem(api.post("/graphql", "{}", "Content-Type", json, "Authorization", "Bearer " + WRITE), 403);
        assertThat(api.post(
                                "/graphql",
                                "{\"query\":\"{ stats { as_of } }\"}",
                                "Content-Type",
                                json,
                                "Authorization",
                                "Bearer " + READ)
                        .statusCode())
                .isEqualTo(200);
        assertThat(api.tracked).hasSize(1);
    }

    @Test
    void a_token_in_the_address_is_none_as_addresses_are_logged() throws Exception {
        problem(api.get("/stats?token=" + READ), 401);
        problem(api.get("/stats?access_token=" + READ), 401);
    }

    @Test
    void what_a_probe_and_the_login_need_is_open() throws Exception {
        assertThat(api.get("/health/live").statusCode()).isEqualTo(200);
        await().until(() -> api.get("/health/ready").statusCode() == 200);
        assertThat(api.get("/login").statusCode()).isEqualTo(200);
        assertThat(api.get("/static/login.html").statusCode()).isEqualTo(200);
        assertThat(api.get("/static/style.css").statusCode()).isEqualTo(200);
        assertThat(api.get("/static/js/login.js").statusCode()).isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/wall", "/docs", "/static/index.html"})
    void a_browser_is_led_to_the_login_and_a_program_is_told(String path) throws Exception {
        HttpResponse<String> browser = api.get(path, "Accept", "text/html,application/xhtml+xml");

        assertThat(browser.statusCode()).isEqualTo(303);
        assertThat(browser.headers().firstValue("Location").orElseThrow())
                .isEqualTo("/login?next=" + path.replace("/", "%2F"));
        problem(api.get(path, "Accept", "application/json"), 401);
    }

    @Test
    void a_browser_logs_in_and_keeps_the_token_out_of_reach_of_scripts_and_of_other_sites() throws Exception {
        HttpResponse<String> answer =
                api.post("/login", "token=" + READ + "&next=%2Fwall", "Content-Type", FORM, "Accept", "text/html");

        assertThat(answer.statusCode()).isEqualTo(303);
        assertThat(answer.headers().firstValue("Location")).hasValue("/wall");
        String cookie = answer.headers().firstValue("Set-Cookie").orElseThrow();
        assertThat(cookie)
                .startsWith("engagement_token=")
                .contains("; HttpOnly", "; SameSite=Strict", "; Path=/", "; Max-Age=")
                .doesNotContain("Domain", "Secure", READ);

        String sent = cookie.substring(0, cookie.indexOf(';'));
        HttpResponse<String> byCookie = api.get("/stats", "Cookie", sent);
        assertThat(byCookie.statusCode()).isEqualTo(200);
        assertThat(byCookie.headers().firstValue("Engagement-Session")).hasValue("cookie");
        assertThat(api.get("/stats", "Authorization", "Bearer " + READ)
                        .headers()
                        .firstValue("Engagement-Session"))
                .isEmpty();
        assertThat(api.get("/", "Cookie", sent, "Accept", "text/html").statusCode())
                .isEqualTo(200);
        problem(api.post("/track", "{}", "Cookie", sent), 403);
        problem(api.get("/stats", "Cookie", "engagement_token=%%%"), 401);
        problem(api.get("/stats", "Cookie", "engagement_token=AAAA"), 401);
    }

    @Test
    void by_tls_the_cookie_is_for_tls() throws Exception {
        // As behind a proxy that leaves the header Host as it is.
        HttpResponse<String> answer =
                api.post("/login", "token=" + READ, "Content-Type", FORM, "Origin", "https://127.0.0.1:" + api.port());

        assertThat(answer.statusCode()).isEqualTo(204);
        assertThat(answer.headers().firstValue("Set-Cookie").orElseThrow()).endsWith("; Secure");
    }

    @Test
    void who_logs_out_has_no_token_any_more() throws Exception {
        HttpResponse<String> answer = api.post("/logout", "");

        assertThat(answer.statusCode()).isEqualTo(204);
        assertThat(answer.headers().firstValue("Set-Cookie").orElseThrow()).startsWith("engagement_token=; Max-Age=0;");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "https%3A%2F%2Fevil.example.com",
                "%2F%2Fevil.example.com",
                "%2F%5Cevil.example.com",
                "javascript%3Aalert(1)",
                "%2Fwall%0d%0aSet-Cookie%3A%20x",
                ""
            })
    void nobody_is_led_elsewhere_by_the_login(String next) throws Exception {
        HttpResponse<String> answer =
                api.post("/login", "token=" + READ + "&next=" + next, "Content-Type", FORM, "Accept", "text/html");

        assertThat(answer.headers().firstValue("Location")).hasValue("/");
        assertThat(answer.headers().allValues("Set-Cookie")).hasSize(1);
    }

    @Test
    void a_login_that_is_none_is_refused() throws Exception {
        problem(api.post("/login", "token=" + WRITE, "Content-Type", FORM), 401);
        problem(api.post("/login", "", "Content-Type", FORM), 401);
        problem(api.post("/login", "{\"token\":\"" + READ + "\"}", "Content-Type", "application/json"), 415);
        problem(api.post("/login", "token=" + READ + "&token=x", "Content-Type", FORM), 400);
        String large = RawConnection.exchange(
                api.port(), "POST /login HTTP/1.1\nHost: x\nContent-Type: " + FORM + "\nContent-Length: 5000\n\n");
        assertThat(RawConnection.status(large)).isEqualTo(413);
    }

    @Test
    void tokens_cannot_be_tried_out() throws Exception {
        AtomicLong nanos = new AtomicLong();
        WebOptions options =
                new WebOptions("127.0.0.1", 0, ScriptedApi.token(folder), Set.of(), Set.of(), ScriptedApi.LIMITS);
        try (ScriptedApi guarded = ScriptedApi.with(options, nanos::get)) {
            for (int i = 0; i < 10; i++) {
                problem(guarded.get("/stats", "Authorization", "Bearer guess-number-" + i), 401);
                problem(guarded.post("/login", "token=guess-at-login-" + i, "Content-Type", FORM), 401);
            }

            HttpResponse<String> further = guarded.get("/stats", "Authorization", "Bearer guess-number-20");
            problem(further, 429);
            assertThat(further.headers().firstValue("Retry-After")).hasValue("3");
            problem(guarded.post("/login", "token=guess-number-21", "Content-Type", FORM), 429);
            // Behind a proxy all are of one address: who guesses must not lock out those who know.
            assertThat(guarded.get("/stats", "Authorization", "Bearer " + ScriptedApi.TOKEN)
                            .statusCode())
                    .isEqualTo(200);
            assertThat(guarded.post("/login", "token=" + ScriptedApi.TOKEN, "Content-Type", FORM)
                            .statusCode())
                    .isEqualTo(204);
            // A token that is missing is no guess.
            problem(guarded.get("/stats"), 401);
            // Whoever looks after the process does not suffer from it.
            assertThat(guarded.get("/health/live").statusCode()).isEqualTo(200);

            nanos.addAndGet(Duration.ofSeconds(3).toNanos());
            problem(guarded.get("/stats", "Authorization", "Bearer guess-number-22"), 401);
            problem(guarded.get("/stats", "Authorization", "Bearer guess-number-23"), 429);
        }
    }

    @Test
    void a_page_that_goes_on_with_an_old_token_does_not_lock_its_person_out() throws Exception {
        for (int i = 0; i < 100; i++) {
            problem(api.get("/stats", "Authorization", "Bearer the-token-of-yesterday"), 401);
        }

        assertThat(api.get("/stats", "Authorization", "Bearer " + READ).statusCode())
                .isEqualTo(200);
    }

    @Test
    void with_tokens_it_may_be_asked_by_any_name() throws IOException {
        String answer = RawConnection.exchange(
                api.port(),
                "GET /stats HTTP/1.1\nHost: metrics.example.com\nAuthorization: Bearer " + READ
                        + "\nConnection: close\n\n");

        assertThat(RawConnection.status(answer)).isEqualTo(200);
    }
}
