package dev.engagement.local.receiver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The receiver, as a sender over HTTP meets it. */
class WebhookReceiverTest {

    @TempDir
    private Path directory;

    private WebhookReceiver receiver;
    private Sender sender;

    @BeforeEach
    void start() {
        receiver = WebhookReceiver.start(directory, 0, List.of());
        sender = new Sender(receiver.url());
    }

    @AfterEach
    void stop() {
        receiver.close();
    }

    @Test
    void posts_are_counted_by_webhook_id() throws Exception {
        for (long id : List.of(1L, 2L, 1L)) {
            assertThat(sender.post(id).status()).isEqualTo(200);
        }
        assertThat(sender.ask("/stats").body()).startsWith("{\"received\":3,\"distinct\":2,\"duplicates\":1,");
        assertThat(sender.stat("events")).isEqualTo(3);
        assertThat(sender.stat("distinctEvents")).isEqualTo(2);
        assertThat(sender.stat("misnamed")).isZero();
    }

    @Test
    void a_batch_is_one_post_of_several_events() throws Exception {
        // The first 32 hex digits of: printf 1,2,3 | sha256sum
        String name = "bat_8a6ae15122001229edb8866f56e342af";
        sender.post("bat_" + "0".repeat(32), "[" + Sender.event(4) + "]");
        sender.post(name, "[" + Sender.event(1) + ", " + Sender.event(2) + "," + Sender.event(3) + "]");
        assertThat(sender.stat("received")).isEqualTo(2);
        assertThat(sender.stat("events")).isEqualTo(4);
        assertThat(sender.get("/received/ids")).hasToString("{\"ids\":[[1,4]],\"next\":null}");
        assertThat(sender.stat("misnamed")).as("the first one is").isEqualTo(1);
    }

    @Test
    void what_arrived_is_told_in_its_order_and_from_any_place_on() throws Exception {
        int count = 700;
        List<Long> expected = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            long id = (i * 37L) % count;
            expected.add(id);
            sender.post(id);
        }
        List<Long> told = new ArrayList<>();
        long after = 0;
        while (true) {
            JsonNode page = sender.get("/received?after=" + after + "&limit=300");
            if (page.path("received").isEmpty()) {
                assertThat(page.path("next").asLong()).isEqualTo(after);
                break;
            }
            for (JsonNode each : page.path("received")) {
                assertThat(each.path("index").asLong()).isEqualTo(told.size() + 1);
                assertThat(Instant.parse(each.path("time").asText()))
                        .isBefore(Instant.now().plusSeconds(1));
                long id = each.path("event_ids").path(0).asLong();
                assertThat(each.path("webhook_id").asText()).isEqualTo("evt_" + id);
                told.add(id);
            }
            after = page.path("next").asLong();
        }
        assertThat(told).isEqualTo(expected);
    }

    @Test
    void event_ids_are_told_as_runs_page_by_page() throws Exception {
        for (long id : List.of(1L, 2L, 3L, 7L, 9L, 10L, 5_000_000_000L)) {
            sender.post(id);
        }
        assertThat(sender.get("/received/ids?from=2&to=9").path("ids")).hasToString("[[2,3],[7,7],[9,9]]");
        JsonNode page = sender.get("/received/ids?limit=2");
        assertThat(page).hasToString("{\"ids\":[[1,3],[7,7]],\"next\":8}");
        assertThat(sender.get("/received/ids?from=8").path("ids")).hasToString("[[9,10],[5000000000,5000000000]]");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{",
                "{\"event_id\":1",
                "{\"event_id\":1}}",
                "{\"event_id\":1}{\"event_id\":2}",
                "[]",
                "[{\"event_id\":1},2]",
                "[[{\"event_id\":1}]]",
                "[{\"event_id\":1},{\"id\":2}]",
                "{\"id\":1}",
                "{\"event_id\":\"1 2\"}",
                "{\"event_id\":1.5}",
                "{\"event_id\":null}",
                "{\"event_id\":9223372036854775808}",
                "{\"event_id\":1,\"event_id\":2}",
                "{\"raw_payload\":{\"event_id\":1}}",
                "null",
                "17",
                "event_id=1"
            })
    void what_is_no_event_is_refused_in_words_and_not_counted_as_received(String body) throws Exception {
        Sender.Reply reply = sender.post("evt_1", body);
        assertThat(reply.status()).isEqualTo(400);
        assertThat(reply.body()).startsWith("{\"error\":\"").hasSizeGreaterThan(20);
        assertThat(sender.stat("received")).isZero();
        assertThat(sender.stat("malformed")).isEqualTo(1);
    }

    @Test
    void a_post_needs_a_webhook_id_and_one_alone() throws Exception {
        HttpRequest without = HttpRequest.newBuilder(URI.create(receiver.url() + "/events"))
                .POST(HttpRequest.BodyPublishers.ofString(Sender.event(1)))
                .build();
        HttpResponse<String> reply = HttpClient.newHttpClient().send(without, HttpResponse.BodyHandlers.ofString());
        assertThat(reply.statusCode()).isEqualTo(400);
        assertThat(reply.body()).contains("webhook-id");
        assertThat(sender.post("evt 1", Sender.event(1)).status()).isEqualTo(400);
        assertThat(sender.post("evt_1", Sender.event(1), "Idempotency-Key", "evt_2")
                        .status())
                .isEqualTo(400);
        assertThat(sender.post("evt_1", Sender.event(1), "Idempotency-Key", "evt_1")
                        .status())
                .isEqualTo(200);
        assertThat(sender.stat("received")).isEqualTo(1);
    }

    @Test
    void a_huge_post_is_taken_and_one_beyond_the_limit_is_refused() throws Exception {
        String huge = "x".repeat(20_000_000);
        assertThat(sender.post("evt_1", "{\"raw_payload\":\"" + huge + "\",\"event_id\":1}")
                        .status())
                .isEqualTo(200);
        String tooLarge = " ".repeat((int) PostExchange.MAX_BYTES) + Sender.event(2);
        assertThat(sender.post("evt_2", tooLarge).status()).isEqualTo(413);
        assertThat(sender.stat("received")).isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource({"fail,503", "reject,400", "redirect,301", "error-body,200"})
    void what_is_refused_by_behaviour_is_not_received(String mode, int status) throws Exception {
        sender.behave("{\"mode\":\"" + mode + "\",\"times\":1}");
        Sender.Reply reply = sender.post(1);
        assertThat(reply.status()).isEqualTo(status);
        assertThat(reply.body()).contains("\"status\":\"error\"");
        assertThat(sender.stat("received")).isZero();
        assertThat(sender.stat("failed")).isEqualTo(1);
        assertThat(sender.post(1).body()).as("mended after one").isEqualTo("{\"status\":\"ok\"}");
        assertThat(sender.stat("received")).isEqualTo(1);
    }

    @Test
    void an_answer_has_the_status_and_the_retry_after_that_it_is_told() throws Exception {
        sender.behave("{\"mode\":\"fail\",\"status\":429,\"retryAfter\":\"Fri, 31 Dec 1999 23:59:59 GMT\"}");
        Sender.Reply reply = sender.post(1);
        assertThat(reply.status()).isEqualTo(429);
        assertThat(reply.header("Retry-After")).isEqualTo("Fri, 31 Dec 1999 23:59:59 GMT");
        sender.behave("{\"mode\":\"redirect\",\"status\":307}");
        assertThat(sender.post(1).header("Location")).isEqualTo("/redirected");
        assertThat(sender.ask("/redirected").status()).isEqualTo(404);
        assertThat(sender.stat("redirected")).isEqualTo(1);
    }

    @Test
    void a_reset_is_not_received_and_a_lost_answer_is() throws Exception {
        sender.behave("[{\"mode\":\"reset\",\"times\":2},{\"mode\":\"lose\"}]");
        // The client itself may try a second time.
        assertThatThrownBy(() -> sender.post(1)).isInstanceOf(IOException.class);
        long resets = sender.stat("failed");
        assertThat(resets).isBetween(1L, 2L);
        for (long i = resets; i < 2; i++) {
            assertThatThrownBy(() -> sender.post(1)).isInstanceOf(IOException.class);
        }
        long before = sender.stat("received");
        assertThatThrownBy(() -> sender.post(2)).isInstanceOf(IOException.class);
        assertThat(sender.stat("received")).isGreaterThan(before);
        assertThat(sender.get("/received/ids").path("ids")).hasToString("[[2,2]]");
    }

    @Test
    void a_reset_ends_the_connection_at_once() throws Exception {
        sender.behave("{\"mode\":\"reset\"}");
        URI address = URI.create(receiver.url());
        try (Socket socket = new Socket(address.getHost(), address.getPort())) {
            socket.setSoTimeout(300_000);
            String body = Sender.event(1);
            socket.getOutputStream()
                    .write(("POST /events HTTP/1.1\r\nHost: x\r\nwebhook-id: evt_1\r\nContent-Length: " + body.length()
                                    + "\r\n\r\n" + body)
                            .getBytes(StandardCharsets.US_ASCII));
            assertThatThrownBy(() -> socket.getInputStream().read()).hasMessageContaining("reset");
        }
    }

    @Test
    void what_hangs_is_never_answered_and_strikes_nobody_else() throws Exception {
        sender.behave("{\"mode\":\"hang\",\"times\":1}");
        HttpRequest request = HttpRequest.newBuilder(URI.create(receiver.url() + "/events"))
                .header("webhook-id", "evt_1")
                .POST(HttpRequest.BodyPublishers.ofString(Sender.event(1)))
                .build();
        CompletableFuture<HttpResponse<String>> hanging =
                HttpClient.newHttpClient().sendAsync(request, HttpResponse.BodyHandlers.ofString());
        await().until(() -> sender.stat("failed") == 1);
        assertThat(sender.post(2).status()).isEqualTo(200);
        assertThat(sender.stat("received")).isEqualTo(1);
        assertThat(hanging).isNotDone();
        hanging.cancel(true);
    }

    @Test
    void what_is_slow_is_received_when_it_comes_and_answered_later() throws Exception {
        sender.behave("{\"mode\":\"slow\",\"delayMillis\":300}");
        long before = System.nanoTime();
        assertThat(sender.post(1).status()).isEqualTo(200);
        assertThat(Duration.ofNanos(System.nanoTime() - before)).isGreaterThanOrEqualTo(Duration.ofMillis(300));
        assertThat(sender.stat("received")).isEqualTo(1);
    }

    @Test
    void an_endless_answer_does_not_end_and_others_are_answered_meanwhile() throws Exception {
        sender.behave("{\"mode\":\"endless\",\"times\":1}");
        HttpRequest request = HttpRequest.newBuilder(URI.create(receiver.url() + "/events"))
                .header("webhook-id", "evt_1")
                .POST(HttpRequest.BodyPublishers.ofString(Sender.event(1)))
                .build();
        HttpResponse<InputStream> reply =
                HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofInputStream());
        try (InputStream body = reply.body()) {
            assertThat(body.readNBytes(3_000_000)).hasSize(3_000_000);
            assertThat(sender.post(2).status()).isEqualTo(200);
            assertThat(body.readNBytes(3_000_000)).hasSize(3_000_000);
        }
        assertThat(sender.stat("received"))
                .as("a sender may be content with the status")
                .isEqualTo(2);
    }

    @Test
    void a_behaviour_that_is_none_changes_nothing() throws Exception {
        sender.behave("{\"mode\":\"fail\",\"share\":0.25}");
        for (String wrong : List.of(
                "{\"mode\":\"sulk\"}",
                "{}",
                "[",
                "7",
                "{\"mode\":\"fail\",\"status\":99}",
                "{\"mode\":\"fail\",\"share\":2}",
                "{\"mode\":\"fail\",\"retryAfter\":\"1\\r\\nX: y\"}",
                "{\"mode\":\"slow\",\"delay\":7}",
                "{\"mode\":\"slow\",\"delayMillis\":\"7\"}")) {
            assertThat(sender.behave(wrong).status()).as(wrong).isEqualTo(400);
        }
        assertThat(sender.get("/behaviour")).hasToString("{\"mode\":\"fail\",\"status\":503,\"share\":0.25}");
    }

    @Test
    void posts_by_many_at_once_are_all_received() throws Exception {
        HttpClient http = HttpClient.newHttpClient();
        List<CompletableFuture<Integer>> all = IntStream.range(0, 2_000)
                .mapToObj(id -> HttpRequest.newBuilder(URI.create(receiver.url() + "/any/path?x=" + id))
                        .header("webhook-id", "evt_" + id)
                        .POST(HttpRequest.BodyPublishers.ofString(Sender.event(id)))
                        .build())
                .map(request -> http.sendAsync(request, HttpResponse.BodyHandlers.discarding())
                        .thenApply(HttpResponse::statusCode))
                .toList();
        assertThat(all).allSatisfy(each -> assertThat(each.join()).isEqualTo(200));
        assertThat(sender.get("/received/ids").path("ids")).hasToString("[[0,1999]]");
    }

    @Test
    void a_signed_post_is_checked_if_there_is_a_secret() throws Exception {
        String body = Sender.event(1);
        String now = Long.toString(Instant.now().getEpochSecond());
        try (WebhookReceiver strict =
                WebhookReceiver.start(directory.resolve("strict"), 0, List.of("b2xk", "whsec_bmV3"))) {
            Sender signing = new Sender(strict.url());
            String good = SignaturesTest.sign("bmV3", "evt_1." + now + "." + body);
            assertThat(signing.post("evt_1", body, "webhook-timestamp", now, "webhook-signature", good)
                            .status())
                    .isEqualTo(200);
            assertThat(signing.post("evt_2", body, "webhook-timestamp", now, "webhook-signature", good)
                            .status())
                    .as("signed for another id")
                    .isEqualTo(401);
            assertThat(signing.post("evt_1", body).status()).as("not signed").isEqualTo(401);
            assertThat(signing.stat("badSignatures")).isEqualTo(2);
            assertThat(signing.stat("received")).isEqualTo(1);
        }
    }

    @Test
    void a_restart_knows_what_was_received() throws Exception {
        sender.post(1);
        sender.post(2);
        receiver.close();
        receiver = WebhookReceiver.start(directory, 0, List.of());
        sender = new Sender(receiver.url());
        sender.post(2);
        assertThat(sender.ask("/stats").body()).startsWith("{\"received\":3,\"distinct\":2,\"duplicates\":1,");
        assertThat(sender.get("/received?after=1").path("next").asLong()).isEqualTo(3);
    }

    @Test
    void what_it_does_not_know_it_says() throws Exception {
        assertThat(sender.ask("/nothing").status()).isEqualTo(404);
        assertThat(sender.ask("/received?before=3").body()).contains("after, limit");
        assertThat(sender.ask("/received?limit=0").status()).isEqualTo(400);
        assertThat(sender.ask("/received?after=x").status()).isEqualTo(400);
    }
}
