package dev.engagement.api;

import static dev.engagement.api.ApiServerTest.problem;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.engagement.api.live.LiveMessage;
import dev.engagement.api.live.LiveSink;
import dev.engagement.api.web.TokenRefs;
import dev.engagement.api.web.WebOptions;
import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Server-sent events and the WebSocket, as clients see them. */
class LiveStreamsTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long GUARD_MINUTES = 5;

    private static final WebOptions.Limits TWO_CLIENTS = new WebOptions.Limits(
            100_000, 100_000, 500, 2, 16, 8_192, 65_536, Duration.ofMinutes(5), Duration.ofMinutes(5));

    private ScriptedApi api;

    @BeforeEach
    void start() {
        api = ScriptedApi.with(TokenRefs.none(), TWO_CLIENTS);
    }

    @AfterEach
    void stop() {
        api.close();
    }

    @Test
    void server_sent_events_come_one_by_one_as_a_browser_reads_them() throws Exception {
        HttpResponse<InputStream> answer = events("/live?types=click,play");
        try (BufferedReader lines = reader(answer)) {
            ScriptedApi.Joined joined = taken(api.joined);
            assertThat(joined.filter().eventTypes()).containsExactlyInAnyOrder("click", "play");
            assertThat(joined.lastEventId()).isNull();
            assertThat(answer.headers().firstValue("Content-Type").orElse("").replace(" ", ""))
                    .isEqualToIgnoringCase("text/event-stream;charset=utf-8");
            assertThat(event(lines)).isEqualTo("id: s-1|event: snapshot|data: {\"windows\":[]}");

            for (int i = 0; i < 100; i++) {
                LiveMessage message = new LiveMessage("h-" + i, LiveMessage.METRIC, "{\"title\":\"ü" + i + "\"}");
                completed(joined.sink().send(message));
            }
            for (int i = 0; i < 100; i++) {
                assertThat(event(lines)).isEqualTo("id: h-" + i + "|event: metric|data: {\"title\":\"ü" + i + "\"}");
            }

            joined.sink().close("The end");
            assertThat(lines.readLine()).isNull();
        }
        taken(api.left);
    }

    @Test
    void a_line_end_in_a_message_does_not_make_another_one() throws Exception {
        HttpResponse<InputStream> answer = events("/live");
        try (BufferedReader lines = reader(answer)) {
            LiveSink sink = taken(api.joined).sink();
            event(lines);

            completed(sink.send(new LiveMessage("1\nevent: x", "metric\rdata: y", "{\"a\":\n1}\r\n\r\ndata: z")));

            assertThat(event(lines)).isEqualTo("id: 1 event: x|event: metric data: y|data: {\"a\": 1} data: z");
        }
    }

    @Test
    void a_browser_that_comes_back_says_what_it_had() throws Exception {
        HttpResponse<InputStream> byHeader = api.http()
                .send(
                        api.request("/live?last_event_id=ignored")
                                .header("Last-Event-ID", "h-7")
                                .build(),
                        HttpResponse.BodyHandlers.ofInputStream());
        assertThat(taken(api.joined).lastEventId()).isEqualTo("h-7");
        byHeader.body().close();

        HttpResponse<InputStream> byParameter = events("/live?last_event_id=h-8");
        assertThat(taken(api.joined).lastEventId()).isEqualTo("h-8");
        byParameter.body().close();
    }

    @Test
    void a_client_that_has_gone_is_forgotten_when_it_is_told_something() throws Exception {
        HttpResponse<InputStream> answer = events("/live");
        LiveSink sink = taken(api.joined).sink();
        answer.body().close();

        // Until the network says that nobody is there.
        boolean isGone = false;
        while (!isGone) {
            isGone = sink.send(new LiveMessage("h", LiveMessage.HEARTBEAT, "{}"))
                    .toCompletableFuture()
                    .handle((nothing, failure) -> failure != null)
                    .get(GUARD_MINUTES, TimeUnit.MINUTES);
        }

        assertThat(taken(api.left)).isSameAs(sink);
    }

    @Test
    void beyond_as_many_as_there_may_be_each_is_told_to_come_back() throws Exception {
        HttpResponse<InputStream> first = events("/live");
        WebSocket second = socket("/live-metrics", new Heard());
        taken(api.joined);
        taken(api.joined);

        HttpResponse<String> third = api.get("/live");
        problem(third, 503);
        assertThat(third.headers().firstValue("Retry-After")).hasValue("10");
        Heard refused = new Heard();
        socket("/live-metrics", refused);
        assertThat(refused.closed.get(GUARD_MINUTES, TimeUnit.MINUTES)).isEqualTo(1013);

        second.sendClose(WebSocket.NORMAL_CLOSURE, "").get(GUARD_MINUTES, TimeUnit.MINUTES);
        taken(api.left);
        HttpResponse<InputStream> again = events("/live");
        taken(api.joined);
        first.body().close();
        again.body().close();
    }

    @Test
    void what_would_not_do_is_said_as_well_as_it_can_be() throws Exception {
        problem(api.get("/live?type=click"), 400);
        problem(api.get("/live?types=click&types=play"), 400);
        problem(api.post("/live", ""), 405);
        Heard heard = new Heard();
        socket("/live-metrics?type=click", heard);

        assertThat(heard.closed.get(GUARD_MINUTES, TimeUnit.MINUTES)).isEqualTo(1008);
        assertThat(heard.reason).contains("type is 'click'");
        assertThat(api.joined).isEmpty();
    }

    @Test
    void by_web_socket_a_changed_window_comes_as_it_is_with_its_id_and_all_else_with_its_kind() throws Exception {
        Heard heard = new Heard();
        WebSocket socket = socket("/live-metrics?types=click&last_event_id=h-1", heard);
        ScriptedApi.Joined joined = taken(api.joined);
        assertThat(joined.filter().eventTypes()).containsExactly("click");
        assertThat(joined.lastEventId()).isEqualTo("h-1");

        completed(joined.sink().send(new LiveMessage("h-2", LiveMessage.METRIC, "{\"window_start\":1,\"count\":2}")));
        completed(joined.sink().send(new LiveMessage("h-2", LiveMessage.HEARTBEAT, "{}")));

        assertThat(json(heard)).isEqualTo(JSON.readTree("{\"event\":\"snapshot\",\"id\":\"s-1\",\"windows\":[]}"));
        assertThat(json(heard)).isEqualTo(JSON.readTree("{\"id\":\"h-2\",\"window_start\":1,\"count\":2}"));
        assertThat(json(heard)).isEqualTo(JSON.readTree("{\"event\":\"heartbeat\",\"id\":\"h-2\"}"));

        joined.sink().close("Bye");
        assertThat(heard.closed.get(GUARD_MINUTES, TimeUnit.MINUTES)).isEqualTo(1013);
        taken(api.left);
        socket.abort();
    }

    @Test
    void who_talks_to_the_web_socket_is_not_listened_to_for_ever() throws Exception {
        Heard heard = new Heard();
        WebSocket socket = socket("/live-metrics", heard);
        taken(api.joined);
        // One after the other is heard: a client that goes on writing to a connection that ends may never read why.
        while (!heard.closed.isDone()) {
            socket.sendText("hello", true).get(GUARD_MINUTES, TimeUnit.MINUTES);
            heard.pong = new CompletableFuture<>();
            // It fails if the end has come between the two.
            socket.sendPing(ByteBuffer.allocate(0))
                    .handle((sent, failure) -> null)
                    .get(GUARD_MINUTES, TimeUnit.MINUTES);
            CompletableFuture.anyOf(heard.pong, heard.closed).get(GUARD_MINUTES, TimeUnit.MINUTES);
        }

        assertThat(heard.closed.get(GUARD_MINUTES, TimeUnit.MINUTES)).isEqualTo(1013);
        taken(api.left);
    }

    @Test
    void asked_for_its_head_alone_it_does_not_begin() throws Exception {
        HttpResponse<String> head = api.send(api.request("/live").method("HEAD", HttpRequest.BodyPublishers.noBody()));

        assertThat(head.statusCode()).isEqualTo(200);
        assertThat(api.joined).isEmpty();
    }

    @Test
    void the_seat_of_a_client_that_does_not_read_is_free_as_soon_as_it_is_sent_away() throws Exception {
        try (RawConnection stuck = new RawConnection(api.port())) {
            stuck.write("GET /live HTTP/1.1\nHost: localhost\n\n");
            assertThatItsSeatIsFree(stuck);
        }
    }

    @Test
    void so_is_that_of_one_by_web_socket() throws Exception {
        try (RawConnection stuck = new RawConnection(api.port())) {
            stuck.write("GET /live-metrics HTTP/1.1\nHost: localhost\nUpgrade: websocket\nConnection: Upgrade\n"
                    + "Sec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n\n");
            assertThatItsSeatIsFree(stuck);
        }
    }

    private void assertThatItsSeatIsFree(RawConnection stuck) throws Exception {
        LiveSink sink = taken(api.joined).sink();
        // More than all buffers between here and there hold.
        String large = "{\"a\":\"" + "x".repeat(4_000_000) + "\"}";
        List<CompletionStage<Void>> sent = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            sent.add(sink.send(new LiveMessage("h-" + i, LiveMessage.METRIC, large)));
        }

        sink.close("Nothing was read");

        assertThat(api.left.poll()).isSameAs(sink);
        assertThat(sent.get(7)
                        .toCompletableFuture()
                        .handle((nothing, failure) -> failure != null)
                        .get(GUARD_MINUTES, TimeUnit.MINUTES))
                .isTrue();
        // The connection has ended, or this would wait for what is to come.
        stuck.readToEnd();
    }

    // ------------------------------------------------------------------------------------------------------- clients

    private HttpResponse<InputStream> events(String path) throws Exception {
        return api.http().send(api.request(path).build(), HttpResponse.BodyHandlers.ofInputStream());
    }

    private WebSocket socket(String path, Heard heard) throws Exception {
        return api.http()
                .newWebSocketBuilder()
                .buildAsync(URI.create("ws://127.0.0.1:" + api.port() + path), heard)
                .get(GUARD_MINUTES, TimeUnit.MINUTES);
    }

    private static BufferedReader reader(HttpResponse<InputStream> answer) {
        return new BufferedReader(new InputStreamReader(answer.body(), StandardCharsets.UTF_8));
    }

    /** The lines of one event, until the empty one. */
    private static String event(BufferedReader lines) throws Exception {
        StringBuilder event = new StringBuilder();
        String line = lines.readLine();
        while (line != null && !line.isEmpty()) {
            event.append(event.isEmpty() ? "" : "|").append(line);
            line = lines.readLine();
        }
        return event.toString();
    }

    private static JsonNode json(Heard heard) throws Exception {
        return JSON.readTree(taken(heard.texts));
    }

    private static <T> T taken(LinkedBlockingQueue<T> queue) throws InterruptedException {
        T next = queue.poll(GUARD_MINUTES, TimeUnit.MINUTES);
        assertThat(next).as("what was to come within the guard's minutes").isNotNull();
        return next;
    }

    private static void completed(CompletionStage<Void> stage) throws Exception {
        stage.toCompletableFuture().get(GUARD_MINUTES, TimeUnit.MINUTES);
    }

    /** What a client of the WebSocket hears. */
    private static final class Heard implements WebSocket.Listener {
        private final LinkedBlockingQueue<String> texts = new LinkedBlockingQueue<>();
        private final CompletableFuture<Integer> closed = new CompletableFuture<>();
        private final StringBuilder text = new StringBuilder();
        private volatile String reason = "";
        private volatile CompletableFuture<Void> pong = new CompletableFuture<>();

        @Override
        public @Nullable CompletionStage<?> onText(WebSocket socket, CharSequence data, boolean last) {
            text.append(data);
            if (last) {
                texts.add(text.toString());
                text.setLength(0);
            }
            socket.request(1);
            return null;
        }

        @Override
        public @Nullable CompletionStage<?> onPong(WebSocket socket, ByteBuffer message) {
            pong.complete(null);
            socket.request(1);
            return null;
        }

        @Override
        public @Nullable CompletionStage<?> onClose(WebSocket socket, int statusCode, String why) {
            reason = why;
            closed.complete(statusCode);
            return null;
        }

        @Override
        public void onError(WebSocket socket, Throwable error) {
            closed.completeExceptionally(error);
        }
    }
}
