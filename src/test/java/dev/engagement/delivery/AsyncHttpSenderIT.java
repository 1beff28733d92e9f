package dev.engagement.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import dev.engagement.connection.SecretRef;
import dev.engagement.connection.testing.SelfSigned;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import org.apache.flink.configuration.MemorySize;
import org.apache.hc.client5.http.DnsResolver;
import org.apache.hc.client5.http.SystemDefaultDnsResolver;
import org.apache.hc.core5.http2.HttpVersionPolicy;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.core.Appender;
import org.apache.logging.log4j.core.LogEvent;
import org.apache.logging.log4j.core.LoggerContext;
import org.apache.logging.log4j.core.appender.AbstractAppender;
import org.apache.logging.log4j.core.config.LoggerConfig;
import org.apache.logging.log4j.core.config.Property;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Over real connections: plain and TLS, HTTP/1.1 and HTTP/2, well-behaved receivers and others. */
@Timeout(value = 2 * AsyncHttpSenderIT.LIMIT_MINUTES, unit = TimeUnit.MINUTES)
class AsyncHttpSenderIT {

    /** Guards against hanging, and says nothing of how fast anything is. */
    static final int LIMIT_MINUTES = 5;

    private static final String SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    private static final String PREVIOUS = "whsec_ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7";
    private static final byte[] BODY = "{\"event_id\":16,\"title\":\"Zürich – 漢字\"}".getBytes(StandardCharsets.UTF_8);
    private static final Clock CLOCK = Clock.fixed(Instant.ofEpochSecond(1_767_881_512, 999_000_000), ZoneOffset.UTC);
    private static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

    @TempDir
    private static Path folder;

    private static SelfSigned certificate;

    private final BlockingQueue<Answer> answers = new LinkedBlockingQueue<>();
    private @Nullable AsyncHttpSender sender;

    @BeforeAll
    static void makeCertificate() throws Exception {
        certificate = SelfSigned.in(folder);
        Files.writeString(folder.resolve("secret"), SECRET + "\n");
        Files.writeString(folder.resolve("previous"), PREVIOUS);
        Files.writeString(folder.resolve("token"), "hunter2");
    }

    @AfterEach
    void closePoster() {
        if (sender != null) {
            sender.close();
        }
    }

    // ---- What is sent

    @ParameterizedTest
    @ValueSource(strings = {"plain", "HTTP/1.1", "HTTP/2.0"})
    void the_receiver_gets_body_and_headers(String protocol) throws Exception {
        try (TestReceiver receiver = receiver(protocol)) {
            open(with(receiver.url("/200?{\"status\":\"ok\"}"
                    .replace("{", "%7B")
                    .replace("}", "%7D")
                    .replace("\"", "%22"))));

            assertThat(post("evt_16")).isInstanceOfSatisfying(Answer.Answered.class, answer -> {
                assertThat(answer.status()).isEqualTo(200);
                assertThat(answer.retryAfter()).isEqualTo("7");
                assertThat(answer.whole()).isTrue();
                assertThat(answer.body()).asString().isEqualTo("%7B%22status%22:%22ok%22%7D");
            });

            TestReceiver.Got got = receiver.got().remove();
            assertThat(got.protocol()).isEqualTo(protocol.equals("plain") ? "HTTP/1.1" : protocol);
            assertThat(got.body()).isEqualTo(BODY);
            assertThat(got.header("content-type")).isEqualTo("application/json");
            assertThat(got.header("user-agent")).isEqualTo("engagement-pipeline");
            assertThat(got.header("authorization")).isEqualTo("Bearer hunter2");
            assertThat(got.header("idempotency-key")).isEqualTo("evt_16");
            assertThat(got.header("webhook-id")).isEqualTo("evt_16");
            assertThat(got.header("webhook-timestamp")).isEqualTo("1767881512");
            assertThat(got.header("accept-encoding")).isEqualTo("0 of it");
            assertThat(got.header("webhook-signature"))
                    .isEqualTo("v1," + hmac(SECRET, got) + " v1," + hmac(PREVIOUS, got));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"plain", "HTTP/1.1", "HTTP/2.0"})
    void connections_are_used_again_and_keep_no_cookies(String protocol) throws Exception {
        try (TestReceiver receiver = receiver(protocol)) {
            AsyncHttpSender opened = open(with(receiver.url("/200")));
            for (int i = 0; i < 20; i++) {
                assertThat(status(post("evt_" + i))).isEqualTo(200);
            }

            assertThat(receiver.got())
                    .extracting(TestReceiver.Got::connection)
                    .hasSize(20)
                    .containsOnly(receiver.got().element().connection());
            assertThat(receiver.got())
                    .allSatisfy(got -> assertThat(got.header("cookie")).isEqualTo("0 of it"));
            assertThat(opened.connectionCount()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"plain", "HTTP/1.1", "HTTP/2.0"})
    void no_more_connections_than_requests_in_flight_and_all_are_answered(String protocol) throws Exception {
        try (TestReceiver receiver = receiver(protocol)) {
            AsyncHttpSender opened = open(with(receiver.url("/200"), 4));
            for (int i = 0; i < 500; i++) {
                opened.post(new Request("evt_" + i, BODY), answers::add);
            }

            for (int i = 0; i < 500; i++) {
                assertThat(status(next())).isEqualTo(200);
            }
            assertThat(receiver.got())
                    .extracting(got -> got.header("webhook-id"))
                    .doesNotHaveDuplicates()
                    .hasSize(500);
            assertThat(receiver.got().stream().map(TestReceiver.Got::connection).collect(Collectors.toSet()))
                    .hasSizeBetween(1, 4);
            assertThat(opened.connectionCount()).isBetween(1, 4);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"plain", "HTTP/2.0"})
    void large_bodies_arrive_whole(String protocol) throws Exception {
        byte[] large = "x".repeat(3_000_000).getBytes(StandardCharsets.US_ASCII);
        try (TestReceiver receiver = receiver(protocol)) {
            open(with(receiver.url("/200"))).post(new Request("bat_1", large), answers::add);

            assertThat(status(next())).isEqualTo(200);
            assertThat(receiver.got().remove().body()).isEqualTo(large);
        }
    }

    @Test
    void a_secret_that_changes_in_its_file_signs_from_then_on() throws Exception {
        Path secret = Files.writeString(folder.resolve("changing"), SECRET);
        try (TestReceiver receiver = receiver("plain")) {
            DeliveryOptions.Secrets secrets = new DeliveryOptions.Secrets(
                    SecretRef.inFile("delivery.secret", secret.toString()), SecretRef.none(), SecretRef.none());
            AsyncHttpSender opened = open(with(receiver.url("/200"), secrets, DeliveryOptions.Security.DEFAULT, 8));
            post("evt_1");
            Files.writeString(secret, PREVIOUS);
            opened.lookAgain();
            post("evt_2");

            TestReceiver.Got first = receiver.got().remove();
            TestReceiver.Got second = receiver.got().remove();
            assertThat(first.header("webhook-signature")).isEqualTo("v1," + hmac(SECRET, first));
            assertThat(second.header("webhook-signature")).isEqualTo("v1," + hmac(PREVIOUS, second));
        }
    }

    // ---- Answers

    @ParameterizedTest
    @ValueSource(ints = {201, 204, 301, 302, 303, 307, 308, 400, 401, 404, 407, 408, 413, 425, 429, 500, 503})
    void every_status_is_an_answer_and_nothing_is_sent_twice(int status) throws Exception {
        try (TestReceiver receiver = receiver("plain")) {
            open(with(receiver.url("/" + status)));

            assertThat(status(post("evt_1"))).isEqualTo(status);
            assertThat(status(post("evt_2"))).isEqualTo(status);
            assertThat(receiver.got()).extracting(TestReceiver.Got::path).containsExactly("/" + status, "/" + status);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void an_endless_body_is_cut_off_with_its_connection(boolean tls) throws Exception {
        CountDownLatch gone = new CountDownLatch(1);
        try (RawReceiver receiver = RawReceiver.start(tls ? certificate.context() : null, (connection, out) -> {
            RawReceiver.write(out, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            try {
                while (true) {
                    RawReceiver.write(out, "400\r\n" + "x".repeat(1_024) + "\r\n");
                }
            } catch (IOException e) {
                gone.countDown();
                throw e;
            }
        })) {
            AsyncHttpSender opened = open(with(receiver.url()));

            assertThat(post("evt_1")).isInstanceOfSatisfying(Answer.Answered.class, answer -> {
                assertThat(answer.status()).isEqualTo(200);
                assertThat(answer.body()).hasSize(4_096).containsOnly('x');
                assertThat(answer.whole()).isFalse();
            });
            assertThat(gone.await(LIMIT_MINUTES, TimeUnit.MINUTES))
                    .as("the receiver notices")
                    .isTrue();
            assertThat(opened.connectionCount()).isZero();
        }
    }

    @Test
    void a_body_of_exactly_the_limit_is_whole() throws Exception {
        try (RawReceiver receiver = RawReceiver.start(
                null,
                (connection, out) -> RawReceiver.write(
                        out, "HTTP/1.1 500 No\r\nContent-Length: 4096\r\n\r\n" + "x".repeat(4_096)))) {
            open(with(receiver.url()));

            assertThat(post("evt_1")).isInstanceOfSatisfying(Answer.Answered.class, answer -> assertThat(answer.whole())
                    .isTrue());
        }
    }

    @Test
    void an_answer_may_come_in_pieces() throws Exception {
        try (RawReceiver receiver = RawReceiver.start(null, (connection, out) -> {
            connection.setTcpNoDelay(true);
            for (String piece : ("HTTP/1.1 100 Continue\r\n\r\n" + OK).split("")) {
                RawReceiver.write(out, piece);
            }
        })) {
            open(with(receiver.url()));

            assertThat(post("evt_1")).isInstanceOfSatisfying(Answer.Answered.class, answer -> {
                assertThat(answer.status()).isEqualTo(200);
                assertThat(answer.body()).asString().isEqualTo("{}");
            });
        }
    }

    @Test
    void a_status_counts_though_the_rest_is_lost() throws Exception {
        try (RawReceiver receiver = RawReceiver.start(null, (connection, out) -> {
            RawReceiver.write(out, "HTTP/1.1 400 No\r\nContent-Length: 100\r\n\r\nbecause");
            connection.close();
        })) {
            open(with(receiver.url()));

            assertThat(post("evt_1")).isInstanceOfSatisfying(Answer.Answered.class, answer -> {
                assertThat(answer.status()).isEqualTo(400);
                assertThat(answer.body()).asString().isEqualTo("because");
                assertThat(answer.whole()).isFalse();
            });
        }
    }

    /** What comes first of an answer, with a status, and what is wrong behind it. */
    static Stream<Arguments> brokenBehindTheStatus() {
        String chunked = "Transfer-Encoding: chunked\r\n\r\n";
        return Stream.of(
                Arguments.of("a header of 20 kB", "X-Long: " + "x".repeat(20_000) + "\r\n\r\n"),
                Arguments.of(
                        "a folded header of 20 kB", "X-Long: x\r\n" + (" " + "x".repeat(10_000) + "\r\n").repeat(2)),
                Arguments.of("too many headers", "X-More: and more\r\n".repeat(1_000) + "\r\n"),
                Arguments.of("a header without a colon", "no header at all\r\n\r\n"),
                Arguments.of("a Content-Length that is no number", "Content-Length: many\r\n\r\n{}"),
                Arguments.of("a Content-Length below zero", "Content-Length: -1\r\n\r\n{}"),
                Arguments.of("two Content-Lengths", "Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}"),
                Arguments.of("an unknown Transfer-Encoding", "Transfer-Encoding: mist\r\n\r\n{}"),
                Arguments.of("a body broken off", "Content-Length: 100\r\n\r\n{}"),
                Arguments.of("no size of a chunk", chunked + "two\r\n{}\r\n"),
                Arguments.of("a chunk of another size", chunked + "2\r\n{}{}{}\r\n0\r\n\r\n"),
                Arguments.of("chunks without an end", chunked + "2\r\n{}\r\n"),
                Arguments.of(
                        "a trailer of 20 kB", chunked + "2\r\n{}\r\n0\r\nX-Long: " + "x".repeat(20_000) + "\r\n\r\n"),
                Arguments.of("a head broken off", "X-More: and mo"),
                Arguments.of("nothing", ""));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("brokenBehindTheStatus")
    void a_status_counts_whatever_breaks_behind_it(String what, String rest) throws Exception {
        try (RawReceiver receiver = RawReceiver.start(
                null,
                (connection, out) -> RawReceiver.write(
                        out,
                        "HTTP/1.1 102 Wait\r\nRetry-After: 99\r\n\r\nHTTP/1.1 503 No\r\nretry-After: 7\r\n" + rest))) {
            AsyncHttpSender opened = open(with(receiver.url()));

            assertThat(post("evt_1")).as(what).isInstanceOfSatisfying(Answer.Answered.class, answer -> {
                assertThat(answer.status()).isEqualTo(503);
                assertThat(answer.retryAfter()).isEqualTo("7");
                assertThat(answer.whole()).isFalse();
            });
            assertThat(opened.connectionCount()).isZero();
            assertThat(receiver.connections()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {20, 120})
    void a_large_head_of_http_2_is_an_answer(int kilobytes) throws Exception {
        try (TestReceiver receiver = receiver("HTTP/2.0")) {
            receiver.sendsHeader("X-Long", "x".repeat(kilobytes * 1_000));
            open(with(receiver.url("/503")));

            assertThat(post("evt_1")).isInstanceOfSatisfying(Answer.Answered.class, answer -> {
                assertThat(answer.status()).isEqualTo(503);
                assertThat(answer.retryAfter()).isEqualTo("7");
                assertThat(answer.whole()).isTrue();
            });
        }
    }

    /** Of this one nothing is read: its status is inside of what is compressed. */
    @Test
    void a_head_of_http_2_that_is_larger_than_any_is_no_answer() throws Exception {
        try (TestReceiver receiver = receiver("HTTP/2.0")) {
            receiver.sendsHeader("X-Long", "x".repeat(1_000_000));
            open(with(receiver.url("/503")));

            assertThat(kind(post("evt_1"))).isEqualTo(NoAnswer.MALFORMED_ANSWER);
        }
    }

    @Test
    void what_a_receiver_repeats_of_our_secrets_is_masked() throws Exception {
        try (RawReceiver receiver = RawReceiver.start(
                null,
                (connection, out) -> RawReceiver.write(
                        out, "HTTP/1.1 400 No\r\nContent-Length: 31\r\n\r\nyou said Authorization: hunter2"))) {
            open(with(receiver.url()));

            assertThat(post("evt_1")).isInstanceOfSatisfying(Answer.Answered.class, answer -> assertThat(answer.body())
                    .asString()
                    .isEqualTo("you said Authorization: *******"));
        }
    }

    // ---- No answer

    @Test
    void nobody_there_is_no_answer() throws Exception {
        URI url;
        try (RawReceiver receiver = RawReceiver.start(null, (connection, out) -> {})) {
            url = receiver.url();
        }
        open(with(url));

        Answer answer = post("evt_1");
        assertThat(why(answer)).contains("refused");
        assertThat(kind(answer)).isEqualTo(NoAnswer.CONNECTION_REFUSED);
    }

    @Test
    void a_reset_is_no_answer_and_is_not_repeated() throws Exception {
        try (RawReceiver receiver = RawReceiver.start(null, (connection, out) -> {
            connection.setSoLinger(true, 0);
            connection.close();
        })) {
            open(with(receiver.url()));

            assertThat(kind(post("evt_1"))).isEqualTo(NoAnswer.CONNECTION_CLOSED);
            assertThat(receiver.connections()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "220 mail.example.com ESMTP\r\n",
                "HTTP/1.1 two hundred\r\n\r\n",
                "HTTP/1.1 20 O\r\n\r\n",
                "HTTP/1.1 2000 OK\r\n\r\n",
            })
    void what_is_no_http_is_no_answer(String said) throws Exception {
        try (RawReceiver receiver = RawReceiver.start(null, (connection, out) -> {
            RawReceiver.write(out, said);
            RawReceiver.write(out, "x".repeat(40_000));
        })) {
            open(with(receiver.url()));

            assertThat(kind(post("evt_1"))).isEqualTo(NoAnswer.MALFORMED_ANSWER);
        }
    }

    @Test
    void an_endless_head_is_an_answer() throws Exception {
        try (RawReceiver receiver = RawReceiver.start(null, (connection, out) -> {
            RawReceiver.write(out, "HTTP/1.1 200 OK\r\n");
            while (true) {
                RawReceiver.write(out, "X-More: and more\r\n");
            }
        })) {
            open(with(receiver.url()));

            assertThat(status(post("evt_1"))).isEqualTo(200);
        }
    }

    @Test
    void informational_answers_alone_are_none() throws Exception {
        try (RawReceiver receiver = RawReceiver.start(
                null, (connection, out) -> RawReceiver.write(out, "HTTP/1.1 102 Wait\r\n\r\nHTTP/1.1 103 Hints\r\n"))) {
            open(with(receiver.url()));

            assertThat(kind(post("evt_1"))).isEqualTo(NoAnswer.CONNECTION_CLOSED);
        }
    }

    @Test
    void posting_does_not_wait_for_a_name_server() throws Exception {
        CountDownLatch answer = new CountDownLatch(1);
        Names slow = host -> {
            try {
                answer.await();
            } catch (InterruptedException e) {
                throw new UnknownHostException(host);
            }
            return new InetAddress[] {InetAddress.getByName("localhost")};
        };
        try (TestReceiver receiver = receiver("plain")) {
            sender = AsyncHttpSender.open(with(receiver.url("/200")), CLOCK, slow);
            assertThat(why(post("evt_1"))).contains("localhost was not looked up yet");

            answer.countDown();

            await().until(() -> post("evt_1") instanceof Answer.Answered);
        }
    }

    /** As containers are called in Compose and Swarm; {@link URI} knows no host in it. */
    @ParameterizedTest
    @ValueSource(strings = {"webhook_receiver", "_", "stack_receiver.1.example"})
    void a_host_with_an_underscore_is_posted_to(String host) throws Exception {
        List<String> asked = new ArrayList<>();
        Names names = name -> {
            asked.add(name);
            return new InetAddress[] {InetAddress.getByName("localhost")};
        };
        BlockingQueue<String> hosts = new LinkedBlockingQueue<>();
        HttpServer receiver = HttpServer.create(new InetSocketAddress(InetAddress.getByName("localhost"), 0), 0);
        receiver.createContext("/200", exchange -> {
            hosts.add(exchange.getRequestHeaders().getFirst("Host"));
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
        });
        receiver.start();
        try {
            String authority = host + ":" + receiver.getAddress().getPort();
            sender = AsyncHttpSender.open(
                    with(
                            URI.create("http://" + authority + "/200?a=b"),
                            secrets(),
                            new DeliveryOptions.Security(null, SecretRef.none(), List.of(host), true),
                            8),
                    CLOCK,
                    names);

            assertThat(post("evt_16"))
                    .isInstanceOfSatisfying(Answer.Answered.class, answer -> assertThat(answer.status())
                            .isEqualTo(200));
            assertThat(asked).containsOnly(host);
            assertThat(hosts).containsExactly(authority);
        } finally {
            receiver.stop(0);
        }
    }

    @Test
    void a_name_that_nobody_knows_is_no_answer() throws Exception {
        Names ignorant = host -> {
            throw new UnknownHostException(host);
        };
        sender = AsyncHttpSender.open(with(URI.create("https://receiver.example.com/x")), CLOCK, ignorant);

        Answer answer = post("evt_1");
        assertThat(why(answer)).contains("receiver.example.com is not known to any name server here");
        assertThat(kind(answer)).isEqualTo(NoAnswer.HOST_UNKNOWN);
    }

    // ---- Giving up

    @Test
    void an_attempt_that_is_given_up_is_silent_and_loses_its_connection() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch gone = new CountDownLatch(1);
        try (RawReceiver receiver = RawReceiver.start(null, (connection, out) -> {
            asked.countDown();
            try {
                connection.getInputStream().read();
            } finally {
                gone.countDown();
            }
        })) {
            AsyncHttpSender opened = open(with(receiver.url()));
            HttpSender.Attempt attempt = opened.post(new Request("evt_1", BODY), answers::add);
            assertThat(asked.await(LIMIT_MINUTES, TimeUnit.MINUTES)).isTrue();

            attempt.cancel();
            attempt.cancel();

            assertThat(gone.await(LIMIT_MINUTES, TimeUnit.MINUTES)).isTrue();
            assertThat(opened.connectionCount()).isZero();
            assertThat(answers).isEmpty();
        }
    }

    @Test
    void giving_up_frees_the_place_for_others() throws Exception {
        HangsTwice script = new HangsTwice();
        try (RawReceiver receiver = RawReceiver.start(null, script)) {
            AsyncHttpSender opened = open(with(receiver.url(), 2));
            HttpSender.Attempt first = opened.post(new Request("evt_1", BODY), answers::add);
            HttpSender.Attempt second = opened.post(new Request("evt_2", BODY), answers::add);
            HttpSender.Attempt waiting = opened.post(new Request("evt_3", BODY), answers::add);
            opened.post(new Request("evt_4", BODY), answers::add);
            // A request that is given up before it was read would not be one of the two.
            await().until(() -> script.requests() == 2);
            assertThat(answers).isEmpty();

            waiting.cancel();
            first.cancel();
            second.cancel();

            assertThat(status(next())).isEqualTo(200);
            assertThat(answers).isEmpty();
        }
    }

    @Test
    void closing_ends_the_threads() throws Exception {
        try (TestReceiver receiver = receiver("plain")) {
            AsyncHttpSender opened = open(with(receiver.url("/200")));
            post("evt_1");
            assertThat(threads()).contains("delivery-http", "delivery-lookout");

            opened.close();

            await().untilAsserted(() -> assertThat(threads()).doesNotContain("delivery-http", "delivery-lookout"));
            assertThat(kind(post("evt_2"))).isEqualTo(NoAnswer.CLIENT_FAILED);
        }
    }

    @Test
    void an_error_on_its_thread_does_not_end_delivery() throws Exception {
        try (TestReceiver receiver = receiver("plain")) {
            AsyncHttpSender opened = open(with(receiver.url("/200")));
            Thread.UncaughtExceptionHandler before = Thread.getDefaultUncaughtExceptionHandler();
            Thread.setDefaultUncaughtExceptionHandler((thread, e) -> {});
            try {
                opened.post(new Request("evt_1", BODY), answer -> {
                    throw new AssertionError("of the one who listens");
                });
                await().dontCatchUncaughtExceptions().until(() -> !threads().contains("delivery-http"));
            } finally {
                Thread.setDefaultUncaughtExceptionHandler(before);
            }

            assertThat(status(post("evt_2"))).isEqualTo(200);
        }
    }

    // ---- TrustStores

    @Test
    void a_certificate_of_an_unknown_authority_is_refused() throws Exception {
        try (TestReceiver receiver = receiver("HTTP/2.0")) {
            open(with(receiver.url("/200"), secrets(), DeliveryOptions.Security.DEFAULT, 8));

            Answer answer = post("evt_1");
            assertThat(why(answer)).contains("SSL").containsAnyOf("PKIX", "certif");
            assertThat(kind(answer)).isEqualTo(NoAnswer.TLS_FAILED);
            assertThat(receiver.got()).isEmpty();
        }
    }

    @Test
    void a_certificate_of_another_name_is_refused() throws Exception {
        Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
        SelfSigned other = SelfSigned.in(elsewhere, "receiver.example.com");
        DeliveryOptions.Security trusting =
                new DeliveryOptions.Security(other.certificate().toString(), SecretRef.none(), List.of(), false);
        try (TestReceiver receiver = TestReceiver.start(other.context(), HttpVersionPolicy.NEGOTIATE)) {
            open(with(receiver.url("/200"), secrets(), trusting, 8));

            Answer answer = post("evt_1");
            assertThat(why(answer)).contains("localhost");
            assertThat(kind(answer)).isEqualTo(NoAnswer.TLS_FAILED);
            assertThat(receiver.got()).isEmpty();

            closePoster();
            URI named = URI.create(receiver.url("/200").toString().replace("localhost", "receiver.example.com"));
            Names known = host -> new InetAddress[] {InetAddress.getByName("localhost")};
            sender = AsyncHttpSender.open(with(named, secrets(), trusting, 8), CLOCK, known);

            // That it is answered at all is what counts: the test receiver is called localhost.
            assertThat(status(post("evt_2"))).isEqualTo(421);
        }
    }

    @Test
    void a_trust_store_with_a_password_is_believed() throws Exception {
        Path password = Files.writeString(folder.resolve("trust-password"), "letmein");
        DeliveryOptions.Security trusting = new DeliveryOptions.Security(
                certificate.trustStore("letmein").toString(),
                SecretRef.inFile("delivery.trust-store-password", password.toString()),
                List.of(),
                false);
        try (TestReceiver receiver = receiver("HTTP/2.0")) {
            open(with(receiver.url("/200"), secrets(), trusting, 8));

            assertThat(status(post("evt_1"))).isEqualTo(200);
        }
    }

    @Test
    void a_trust_store_or_a_secret_that_is_missing_does_not_open() {
        DeliveryOptions.Security missing =
                new DeliveryOptions.Security("/does/not/exist", SecretRef.none(), List.of(), false);
        DeliveryOptions.Secrets nowhere = new DeliveryOptions.Secrets(
                SecretRef.inFile("delivery.secret", "/does/not/exist"), SecretRef.none(), SecretRef.none());

        assertThatThrownBy(() -> open(with(URI.create("https://localhost/"), secrets(), missing, 8)))
                .hasMessageContainingAll("delivery.trust-store", "/does/not/exist");
        assertThatThrownBy(() ->
                        open(with(URI.create("https://localhost/"), nowhere, DeliveryOptions.Security.DEFAULT, 8)))
                .hasMessageContainingAll("delivery.secret", "/does/not/exist");
        assertThat(threads()).doesNotContain("delivery-http", "delivery-lookout");
    }

    // ---- Secrets

    @ParameterizedTest
    @ValueSource(strings = {"plain", "HTTP/1.1", "HTTP/2.0"})
    void no_secret_is_logged_at_any_level(String protocol) throws Exception {
        try (TestReceiver receiver = receiver(protocol);
                Log log = Log.ofEverything()) {
            AsyncHttpSender opened = open(with(receiver.url("/200?%7B%7D")));
            post("evt_1");
            closePoster();
            sender = null;

            assertThat(log.text()).isNotEmpty().doesNotContain("hunter2", "AAECAw", "ZGVmZ2", "webhook-signature");
            assertThat(opened.toString())
                    .isEqualTo("AsyncHttpSender[" + receiver.url("/200") + "]")
                    .doesNotContain("hunter2");
        }
    }

    // ----

    private static TestReceiver receiver(String protocol) throws Exception {
        SSLContext tls = protocol.equals("plain") ? null : certificate.context();
        return TestReceiver.start(
                tls, protocol.equals("HTTP/2.0") ? HttpVersionPolicy.NEGOTIATE : HttpVersionPolicy.FORCE_HTTP_1);
    }

    private AsyncHttpSender open(DeliveryOptions options) throws InterruptedException {
        sender = AsyncHttpSender.open(options, CLOCK, SystemDefaultDnsResolver.INSTANCE);
        return sender;
    }

    private Answer post(String id) throws InterruptedException {
        assertThat(sender).isNotNull();
        sender.post(new Request(id, BODY), answers::add);
        return next();
    }

    private Answer next() throws InterruptedException {
        Answer answer = answers.poll(LIMIT_MINUTES, TimeUnit.MINUTES);
        assertThat(answer).as("an answer").isNotNull();
        return answer;
    }

    private static int status(Answer answer) {
        assertThat(answer).isInstanceOf(Answer.Answered.class);
        return ((Answer.Answered) answer).status();
    }

    private static String why(Answer answer) {
        assertThat(answer).isInstanceOf(Answer.Unanswered.class);
        return ((Answer.Unanswered) answer).why();
    }

    private static NoAnswer kind(Answer answer) {
        assertThat(answer).isInstanceOf(Answer.Unanswered.class);
        return ((Answer.Unanswered) answer).kind();
    }

    private static Set<String> threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(Thread::isAlive)
                .map(Thread::getName)
                .collect(Collectors.toSet());
    }

    private static DeliveryOptions.Secrets secrets() {
        return new DeliveryOptions.Secrets(
                SecretRef.inFile("delivery.secret", folder.resolve("secret").toString()),
                SecretRef.inFile(
                        "delivery.previous-secret", folder.resolve("previous").toString()),
                SecretRef.inFile("delivery.token", folder.resolve("token").toString()));
    }

    private static DeliveryOptions with(URI url) throws Exception {
        return with(url, 8);
    }

    private static DeliveryOptions with(URI url, int inFlight) throws Exception {
        return with(
                url,
                secrets(),
                new DeliveryOptions.Security(certificate.certificate().toString(), SecretRef.none(), List.of(), false),
                inFlight);
    }

    private static DeliveryOptions with(
            URI url, DeliveryOptions.Secrets secrets, DeliveryOptions.Security security, int inFlight) {
        DeliveryOptions o = DeliveryOptions.to(URI.create("https://receiver.example.com"));
        return new DeliveryOptions(
                url,
                secrets,
                security,
                o.attempts(),
                new DeliveryOptions.InFlight(inFlight, o.inFlight().bytes()),
                o.batch(),
                o.drainRate(),
                o.retryRetention(),
                o.includeSnapshot(),
                o.receipts(),
                o.success(),
                MemorySize.parse("4 kb"));
    }

    /** HMAC-SHA256 put together by hand as RFC 2104 says, over what the receiver saw. */
    private static String hmac(String secret, TestReceiver.Got got) throws Exception {
        byte[] key = Arrays.copyOf(Base64.getDecoder().decode(secret.substring("whsec_".length())), 64);
        byte[] inner = new byte[64];
        byte[] outer = new byte[64];
        for (int i = 0; i < 64; i++) {
            inner[i] = (byte) (key[i] ^ 0x36);
            outer[i] = (byte) (key[i] ^ 0x5c);
        }
        MessageDigest sha = MessageDigest.getInstance("SHA-256");
        sha.update(inner);
        sha.update((got.header("webhook-id") + "." + got.header("webhook-timestamp") + ".")
                .getBytes(StandardCharsets.UTF_8));
        byte[] digest = sha.digest(got.body());
        sha.update(outer);
        return Base64.getEncoder().encodeToString(sha.digest(digest));
    }

    /** A name server. */
    @FunctionalInterface
    private interface Names extends DnsResolver {

        @Override
        InetAddress[] resolve(String host) throws UnknownHostException;

        @Override
        default String resolveCanonicalHostname(String host) {
            return host;
        }
    }

    /** Never answers the first two requests; later ones are fine. */
    private static final class HangsTwice implements RawReceiver.Script {

        private final CountDownLatch never = new CountDownLatch(1);
        private final AtomicInteger requests = new AtomicInteger();

        int requests() {
            return requests.get();
        }

        @Override
        public void run(Socket connection, OutputStream out) throws IOException, InterruptedException {
            if (requests.incrementAndGet() <= 2) {
                never.await();
            }
            RawReceiver.write(out, OK);
        }
    }

    /** Everything that the client and this room log, at every level. */
    private static final class Log implements AutoCloseable {

        private static final List<String> NAMES = List.of("org.apache.hc", "dev.engagement.delivery");

        private final StringBuffer text = new StringBuffer();
        private final LoggerContext context = (LoggerContext) LogManager.getContext(false);
        private final Appender appender = new AbstractAppender("everything", null, null, false, Property.EMPTY_ARRAY) {
            @Override
            public void append(LogEvent event) {
                text.append(event.getMessage().getFormattedMessage()).append('\n');
            }
        };

        static Log ofEverything() {
            Log log = new Log();
            log.appender.start();
            for (String name : NAMES) {
                LoggerConfig logger = new LoggerConfig(name, Level.ALL, false);
                logger.addAppender(log.appender, Level.ALL, null);
                log.context.getConfiguration().addLogger(name, logger);
            }
            log.context.updateLoggers();
            return log;
        }

        String text() {
            return text.toString();
        }

        @Override
        public void close() {
            NAMES.forEach(context.getConfiguration()::removeLogger);
            context.updateLoggers();
        }
    }
}
