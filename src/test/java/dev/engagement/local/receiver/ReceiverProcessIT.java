package dev.engagement.local.receiver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.engagement.local.ReceiverProcess;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The receiver as a process of its own: killed under load, and started again. */
class ReceiverProcessIT {

    private static final Path DIRECTORY = Path.of("target/it/receiver-process");
    private static final int SENDERS = 4;
    private static final int KILLS = 3;
    private static final int POSTS_A_LIFE = 500;

    private ReceiverProcess receiver;

    @BeforeEach
    void start() {
        ReceiverProcess.discard(DIRECTORY);
        receiver = ReceiverProcess.start(DIRECTORY, 0);
    }

    @AfterEach
    void stop() {
        receiver.close();
    }

    private HttpRequest signed(long id) throws Exception {
        String now = Long.toString(Instant.now().getEpochSecond());
        String body = Sender.event(id);
        String secret = Files.readString(receiver.secretFile()).substring("whsec_".length());
        return HttpRequest.newBuilder(URI.create(receiver.url() + "/events"))
                .header("webhook-id", "evt_" + id)
                .header("webhook-timestamp", now)
                .header("webhook-signature", SignaturesTest.sign(secret, "evt_" + id + "." + now + "." + body))
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
    }

    @Test
    void what_was_answered_survives_kill_minus_9_and_what_was_not_may_come_again() throws Exception {
        Set<Long> answered = new ConcurrentSkipListSet<>();
        AtomicLong ids = new AtomicLong();
        for (int life = 0; life < KILLS; life++) {
            AtomicBoolean alive = new AtomicBoolean(true);
            Thread[] senders = new Thread[SENDERS];
            for (int i = 0; i < SENDERS; i++) {
                senders[i] = new Thread(() -> sendUntilItDies(answered, ids, alive), "sender-" + i);
                senders[i].start();
            }
            long enough = (long) (life + 1) * POSTS_A_LIFE;
            await().until(() -> answered.size() >= enough || !alive.get());
            receiver.kill();
            for (Thread each : senders) {
                each.join();
            }
            assertThat(answered).hasSizeGreaterThanOrEqualTo((int) enough);
            receiver.restart();
            Set<Long> kept = new TreeSet<>();
            for (JsonNode run : receiver.get("/received/ids").path("ids")) {
                for (long id = run.path(0).asLong(); id <= run.path(1).asLong(); id++) {
                    kept.add(id);
                }
            }
            assertThat(kept).containsAll(answered);
            assertThat(kept.size() - answered.size())
                    .as("recorded, but killed before the answer: one of each sender and life at most")
                    .isLessThanOrEqualTo(SENDERS * (life + 1));
            assertThat(receiver.get("/stats").path("received").asLong()).isEqualTo(kept.size());
        }
    }

    private void sendUntilItDies(Set<Long> answered, AtomicLong ids, AtomicBoolean alive) {
        HttpClient http = HttpClient.newHttpClient();
        while (alive.get()) {
            long id = ids.incrementAndGet();
            try {
                if (http.send(signed(id), HttpResponse.BodyHandlers.discarding())
                                .statusCode()
                        == 200) {
                    answered.add(id);
                }
            } catch (IOException died) {
                alive.set(false);
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        }
    }

    @Test
    void it_takes_what_is_signed_by_its_secret_which_nobody_else_can_read() throws Exception {
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(receiver.secretFile())))
                .isEqualTo("rw-------");
        HttpClient http = HttpClient.newHttpClient();
        assertThat(http.send(signed(1), HttpResponse.BodyHandlers.ofString()).body())
                .isEqualTo("{\"status\":\"ok\"}");
        assertThat(new Sender(receiver.url()).post(2).status()).isEqualTo(401);
        assertThat(receiver.get("/stats").path("badSignatures").asLong()).isEqualTo(1);
    }

    @Test
    void a_behaviour_is_told_and_forgotten_at_a_restart() {
        receiver.behave("{\"mode\": \"hang\"}");
        assertThat(receiver.get("/behaviour").path("mode").asText()).isEqualTo("hang");
        assertThatThrownBy(() -> receiver.behave("{\"mode\": \"sulk\"}")).hasMessageContaining("sulk");
        receiver.restart();
        assertThat(receiver.get("/behaviour").path("mode").asText()).isEqualTo("ok");
    }

    @Test
    void the_script_breaks_mends_and_tells() throws Exception {
        assertThat(script("fail", "418")).isEqualTo("0 {\"mode\":\"fail\",\"status\":418}\n");
        assertThat(receiver.get("/behaviour").path("status").asInt()).isEqualTo(418);
        assertThat(script("fail")).isEqualTo("0 {\"mode\":\"fail\",\"status\":503}\n");
        assertThat(script("slow", "250")).contains("\"delayMillis\":250");
        assertThat(script("hang")).contains("\"hang\"");
        assertThat(script("reset")).contains("\"reset\"");
        assertThat(script("stats")).startsWith("0 {\"received\":0,").endsWith("{\"mode\":\"reset\"}\n");
        assertThat(script("mend")).isEqualTo("0 {\"mode\":\"ok\",\"status\":200}\n");
        assertThat(script("fail", "99")).startsWith("2 The status is '99'");
        assertThat(script("slow")).startsWith("2 slow needs the milliseconds");
        assertThat(script("sulk")).startsWith("2 There is no 'sulk'");
        assertThat(script("mend", "now")).startsWith("2 'now' is too much");
        assertThat(script("--help")).startsWith("0 Usage: scripts/receiver.sh VERB");
        receiver.stop();
        assertThat(script("stats")).startsWith("1 ").contains("does not answer");
    }

    /** The exit code and what it said. */
    private String script(String... arguments) throws Exception {
        ProcessBuilder builder = new ProcessBuilder("scripts/receiver.sh", "--url", receiver.url());
        builder.command().addAll(List.of(arguments));
        Process process = builder.redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return process.waitFor() + " " + output;
    }
}
