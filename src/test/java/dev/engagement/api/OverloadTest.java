package dev.engagement.api;

import static dev.engagement.api.ApiServerTest.problem;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.engagement.api.live.LiveMessage;
import dev.engagement.api.live.LiveSink;
import dev.engagement.api.read.Health;
import dev.engagement.api.web.TokenRefs;
import dev.engagement.api.web.WebOptions;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** However many come, and however slow the stores are: health is answered, and the others are told to come back. */
class OverloadTest {

    private static final String FORM = "application/x-www-form-urlencoded";
    private static final String BODY_TO_COME = "Host: 127.0.0.1\nContent-Length: 100\nContent-Type: ";
    private static final int THREADS = ScriptedApi.LIMITS.threads();

    /** More than there are threads, whatever a part of them is. */
    private static final int MANY = 100;

    @TempDir
    private Path folder;

    @Test
    void bodies_that_do_not_come_hold_no_more_than_the_places_of_their_kind() throws Exception {
        List<RawConnection> silent = new ArrayList<>();
        try (ScriptedApi api = ScriptedApi.with(ScriptedApi.token(folder), ScriptedApi.LIMITS)) {
            for (int i = 0; i < MANY; i++) {
                silent.add(
                        new RawConnection(api.port()).write("POST /login HTTP/1.1\n" + BODY_TO_COME + FORM + "\n\n"));
            }

            HttpResponse<String> refused = await().until(
                            () -> api.post("/login", "token=" + ScriptedApi.TOKEN, "Content-Type", FORM),
                            answer -> answer.statusCode() == 503);

            problem(refused, 503);
            assertThat(refused.headers().firstValue("Retry-After")).hasValue("1");
            assertThat(api.get("/health/live").statusCode()).isEqualTo(200);
            assertThat(api.get("/stats", "Authorization", "Bearer " + ScriptedApi.TOKEN)
                            .statusCode())
                    .isEqualTo(200);
            // The server would wait for them.
            for (RawConnection each : silent) {
                each.close();
            }
        }
    }

    @Test
    void a_body_of_which_no_byte_comes_is_ended_in_time() throws IOException {
        WebOptions.Limits hasty = new WebOptions.Limits(
                1_000, 1_000, 100, 10, 16, 8_192, 65_536, Duration.ofMillis(200), Duration.ofMinutes(10));
        try (ScriptedApi api = ScriptedApi.with(TokenRefs.none(), hasty)) {
            String answer = RawConnection.exchange(
                    api.port(), "POST /track HTTP/1.1\n" + BODY_TO_COME + "application/json\n\n");

            assertThat(RawConnection.status(answer)).isEqualTo(408);
            assertThat(answer).contains("body-too-slow").containsIgnoringCase("connection: close");
            assertThat(api.tracked).isEmpty();
        }
    }

    @Test
    void a_slow_database_holds_up_who_sends_events_and_nobody_else() throws Exception {
        try (ScriptedApi api = ScriptedApi.open()) {
            assertThatOthersAreAnswered(
                    api,
                    () -> api.request("/track")
                            .header("Content-Type", "application/json")
                            .POST(HttpRequest.BodyPublishers.ofString("{}")),
                    202,
                    THREADS,
                    "/metrics/realtime?event_type=click");
        }
    }

    @Test
    void a_slow_store_holds_up_who_reads_and_not_health_nor_who_sends() throws Exception {
        try (ScriptedApi api = ScriptedApi.open()) {
            assertThatOthersAreAnswered(api, () -> api.request("/stats"), 200, THREADS, null);
        }
    }

    @Test
    void queries_that_take_long_leave_room_for_the_page() throws Exception {
        try (ScriptedApi api = ScriptedApi.open()) {
            assertThatOthersAreAnswered(
                    api,
                    () -> api.request("/graphql")
                            .header("Content-Type", "application/json")
                            .POST(HttpRequest.BodyPublishers.ofString("{\"query\":\"{ stats { as_of } }\"}")),
                    200,
                    THREADS / 4,
                    "/stats");
        }
    }

    /** Of many at once as many are taken as have places; the others come back, and are answered then. */
    private static void assertThatOthersAreAnswered(
            ScriptedApi api, Supplier<HttpRequest.Builder> request, int status, int places, @Nullable String otherPath)
            throws Exception {
        CompletableFuture<Void> store = new CompletableFuture<>();
        api.slow = store;
        List<CompletableFuture<HttpResponse<String>>> all = new ArrayList<>();
        try {
            for (int i = 0; i < MANY; i++) {
                all.add(api.sending(request.get()));
            }
            await().until(() -> all.stream().filter(CompletableFuture::isDone).count() == MANY - places);
            await().until(() -> api.begun.get() == places);

            assertThat(api.get("/health/live").statusCode()).isEqualTo(200);
            api.slow = null;
            await().until(() -> api.get("/health/ready").statusCode() == 200);
            if (otherPath != null) {
                assertThat(api.get(otherPath).statusCode()).isEqualTo(200);
            }
            for (CompletableFuture<HttpResponse<String>> each : all) {
                if (each.isDone()) {
                    problem(each.join(), 503);
                    assertThat(each.join().headers().firstValue("Retry-After")).hasValue("1");
                }
            }
        } finally {
            store.complete(null);
        }
        assertThat(all).filteredOn(each -> each.join().statusCode() == status).hasSize(places);
        assertThat(api.send(request.get()).statusCode()).isEqualTo(status);
    }

    @Test
    void half_heads_of_one_address_make_room_for_those_who_ask() throws Exception {
        int max = 20;
        WebOptions.Limits few = new WebOptions.Limits(
                1_000, 1_000, max, 10, 16, 8_192, 65_536, Duration.ofMinutes(10), Duration.ofMinutes(10));
        List<RawConnection> halves = new ArrayList<>();
        try (ScriptedApi api = ScriptedApi.with(TokenRefs.none(), few)) {
            for (int i = 0; i < 2 * max; i++) {
                halves.add(new RawConnection(api.port()).write("GET /health/live HTTP/1.1\nHost: loc"));
            }

            String answer = RawConnection.exchange(api.port(), "GET /health/live HTTP/1.1\nHost: localhost\n\n");

            assertThat(RawConnection.status(answer)).isEqualTo(200);
            assertThat(halves.get(0).readToEnd()).isEmpty();
        } finally {
            for (RawConnection each : halves) {
                each.close();
            }
        }
    }

    @Test
    void a_head_that_does_not_end_is_ended_however_often_a_byte_of_it_comes() throws Exception {
        // A clock that goes a minute further each time that somebody looks: the server's own, of bytes, stands beside
        // it.
        AtomicLong nanos = new AtomicLong();
        WebOptions options = new WebOptions(
                "127.0.0.1",
                0,
                TokenRefs.none(),
                Set.of(),
                Set.of(),
                new WebOptions.Limits(
                        1_000, 1_000, 100, 10, 16, 8_192, 65_536, Duration.ofHours(1), Duration.ofMinutes(10)));
        try (ScriptedApi api = ScriptedApi.with(
                        options, () -> nanos.addAndGet(Duration.ofMinutes(1).toNanos()));
                RawConnection socket = new RawConnection(api.port());
                RawConnection stream = new RawConnection(api.port());
                RawConnection fresh = new RawConnection(api.port());
                RawConnection used = new RawConnection(api.port())) {
            socket.write("GET /live-metrics HTTP/1.1\nHost: localhost\nUpgrade: websocket\nConnection: Upgrade\n"
                    + "Sec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n\n");
            stream.write("GET /live HTTP/1.1\nHost: localhost\n\n");
            List<LiveSink> live =
                    List.of(api.joined.take().sink(), api.joined.take().sink());
            fresh.write("GET /stats HTTP/1.1\nHost: loc");
            used.write("GET /stats HTTP/1.1\nHost: localhost\n\n");
            assertThat(used.readSome(12)).isEqualTo("HTTP/1.1 200");
            used.write("GET /stats HTTP/1.1\nHost: loc");

            assertThat(fresh.readToEnd()).isEmpty();
            assertThat(used.readToEnd()).doesNotContain("HTTP/1.1");
            // Who is told changes has asked, and waits for nothing.
            live.forEach(sink -> sink.send(new LiveMessage("h-1", LiveMessage.HEARTBEAT, "{}"))
                    .toCompletableFuture()
                    .join());
            assertThat(api.left).isEmpty();
        }
    }

    @Test
    void the_stores_are_asked_whether_they_answer_once_a_second_by_one() throws Exception {
        AtomicLong nanos = new AtomicLong();
        WebOptions options = new WebOptions("127.0.0.1", 0, TokenRefs.none(), Set.of(), Set.of(), ScriptedApi.LIMITS);
        try (ScriptedApi api = ScriptedApi.with(options, nanos::get)) {
            await().until(() -> api.get("/health/ready").statusCode() == 200);
            for (int i = 0; i < 10; i++) {
                assertThat(api.get("/health/ready").statusCode()).isEqualTo(200);
            }
            assertThat(api.healthAsked).hasValue(1);

            nanos.addAndGet(Duration.ofSeconds(1).toNanos());
            CompletableFuture<Void> store = new CompletableFuture<>();
            api.slow = store;
            try {
                List<CompletableFuture<HttpResponse<String>>> all = new ArrayList<>();
                for (int i = 0; i < MANY; i++) {
                    all.add(api.sending(api.request("/health/ready")));
                }
                // Who asks waits for less than a probe does, and then says that they do not answer.
                all.forEach(CompletableFuture::join);
                assertThat(api.healthAsked).hasValue(2);
                assertThat(text(api.get("/health/ready"), 503)).contains("have not answered within");
                assertThat(api.get("/health/live").statusCode()).isEqualTo(200);
            } finally {
                store.complete(null);
                api.slow = null;
            }
            api.health = new Health(true, false, "PostgreSQL does not answer");
            await().until(() -> {
                nanos.addAndGet(Duration.ofSeconds(1).toNanos());
                return api.get("/health/ready").body().contains("PostgreSQL does not answer");
            });
        }
    }

    private static String text(HttpResponse<String> answer, int status) {
        assertThat(answer.statusCode()).isEqualTo(status);
        return answer.body();
    }
}
