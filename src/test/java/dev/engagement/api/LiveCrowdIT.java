package dev.engagement.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.engagement.local.ApiProcess;
import dev.engagement.local.testing.SharedServers;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.Jedis;

/** Two hundred clients by WebSocket, of whom twenty do not read, on the whole API and a real Redis. */
class LiveCrowdIT {

    private static final int READERS = 180;
    private static final int STUCK = 20;

    /** So much that no buffer of a socket takes it: 24 MB for each of those who do not read. */
    private static final int LARGE = 800;

    private static final String PADDING = "x".repeat(30_000);
    private static final int GUARD_MILLIS = 300_000;
    private static final long START = 1_767_882_090_000L;

    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    private SharedServers servers;
    private EngagementApi api;

    @BeforeEach
    void start() throws IOException {
        servers = SharedServers.lease(Path.of("target/it/live-crowd"));
        List<String> options = new ArrayList<>(
                ApiProcess.options(servers.analytics(), Path.of(servers.postgresPasswordFile()), servers.redis()));
        options.addAll(List.of("--api.port", "0", "--api.store-timeout", "30 s"));
        api = EngagementApi.start(ApiOptions.parse(options.toArray(String[]::new), Map.of()), Clock.systemUTC());
    }

    @AfterEach
    void stop() {
        api.close();
        servers.close();
    }

    /** As the job tells it; what is padding is a text, and so a part of the key. */
    private static String window(String eventType, long count, String padding) {
        return "{\"window_start\":" + START + ",\"window_end\":" + (START + 30_000) + ",\"count\":" + count
                + ",\"total_value\":0,\"unique_users\":1,\"event_type\":\"" + eventType
                + "\",\"window_size\":\"30s\",\"unique_users_exact\":true,\"padding\":\"" + padding + "\"}";
    }

    @Test
    void those_who_read_are_told_all_and_those_who_do_not_cost_nobody_anything() throws Exception {
        List<Reader> readers = new ArrayList<>();
        List<Stuck> stuck = new ArrayList<>();
        try (Jedis redis = servers.redis().connect()) {
            await().until(() -> number("engagement_api_live_stale") == 0);
            for (int i = 0; i < READERS; i++) {
                Reader reader = new Reader();
                var unused = http.newWebSocketBuilder()
                        .buildAsync(
                                URI.create("ws" + api.address().toString().substring(4) + "/live-metrics?types=click"),
                                reader)
                        .get(GUARD_MILLIS, TimeUnit.MILLISECONDS);
                readers.add(reader);
            }
            for (int i = 0; i < STUCK; i++) {
                stuck.add(new Stuck(api.address().getPort()));
            }
            await().until(() -> number("engagement_api_live_clients") == READERS + STUCK);
            // At once, or some of these might be told of the same window only once.
            for (Reader reader : readers) {
                await().until(() -> reader.heard("\"event\":\"snapshot\""));
            }
            long threads = number("engagement_api_threads");

            for (int count = 1; count <= LARGE; count++) {
                redis.publish("metrics_updates", window("play", count, PADDING));
            }
            redis.publish("metrics_updates", window("click", 1, ""));

            for (Reader reader : readers) {
                await().until(() -> reader.heard("\"count\":1,"));
            }
            assertThat(readers).noneMatch(reader -> reader.heard("\"event_type\":\"play\""));
            assertThat(number("engagement_api_threads")).isLessThan(threads + STUCK);
            redis.publish("metrics_updates", window("click", 2, ""));
            for (Reader reader : readers) {
                await().until(() -> reader.heard("\"count\":2,"));
            }

            for (Stuck each : stuck) {
                List<String> told = each.readUntil("\"count\":" + LARGE + ",");
                assertThat(told).as("the newest, and not all").hasSizeLessThan(LARGE / 2);
            }
        } finally {
            for (Stuck each : stuck) {
                each.close();
            }
            readers.forEach(Reader::leave);
        }
        await().until(() -> number("engagement_api_live_clients") == 0);
    }

    private long number(String name) throws Exception {
        String numbers = http.send(
                        HttpRequest.newBuilder(URI.create(api.address() + "/prometheus"))
                                .build(),
                        HttpResponse.BodyHandlers.ofString())
                .body();
        return numbers.lines()
                .filter(line -> line.startsWith(name + " "))
                .mapToLong(line -> (long) Double.parseDouble(line.substring(name.length() + 1)))
                .findFirst()
                .orElseThrow();
    }

    /** Who keeps what it hears. */
    private static final class Reader implements WebSocket.Listener {
        private final StringBuffer all = new StringBuffer();
        private volatile @Nullable WebSocket socket;

        boolean heard(String text) {
            return all.indexOf(text) >= 0;
        }

        void leave() {
            WebSocket open = socket;
            if (open != null) {
                open.abort();
            }
        }

        @Override
        public void onOpen(WebSocket opened) {
            socket = opened;
            opened.request(Long.MAX_VALUE);
        }

        @Override
        public @Nullable CompletionStage<?> onText(WebSocket from, CharSequence data, boolean last) {
            all.append(data);
            return null;
        }
    }

    /** Who asks, and does not read until the end. */
    private static final class Stuck {
        private final Socket socket = new Socket();
        private final DataInputStream in;

        Stuck(int port) throws IOException {
            socket.setReceiveBufferSize(4_096);
            socket.setSoTimeout(GUARD_MILLIS);
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            socket.getOutputStream()
                    .write(("GET /live-metrics?types=play HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                                    + "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                    + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            in = new DataInputStream(socket.getInputStream());
        }

        /** The messages until the first one with that text. */
        List<String> readUntil(String text) throws IOException {
            String line = line();
            assertThat(line).startsWith("HTTP/1.1 101");
            while (!line.isEmpty()) {
                line = line();
            }
            List<String> all = new ArrayList<>();
            String message;
            do {
                message = message();
                all.add(message);
            } while (!message.contains(text));
            return all;
        }

        private String line() throws IOException {
            StringBuilder line = new StringBuilder();
            int next = in.readUnsignedByte();
            while (next != '\n') {
                if (next != '\r') {
                    line.append((char) next);
                }
                next = in.readUnsignedByte();
            }
            return line.toString();
        }

        /** A frame as a server sends it: whole or in parts, and never masked. */
        private String message() throws IOException {
            StringBuilder message = new StringBuilder();
            boolean isLast = false;
            while (!isLast) {
                isLast = (in.readUnsignedByte() & 0x80) != 0;
                int length = in.readUnsignedByte();
                byte[] part =
                        new byte[length == 126 ? in.readUnsignedShort() : length == 127 ? (int) in.readLong() : length];
                in.readFully(part);
                message.append(new String(part, StandardCharsets.UTF_8));
            }
            return message.toString();
        }

        void close() throws IOException {
            socket.close();
        }
    }
}
