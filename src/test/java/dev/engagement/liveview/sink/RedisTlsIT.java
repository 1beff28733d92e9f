package dev.engagement.liveview.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.connection.SecretRef;
import dev.engagement.connection.testing.SelfSigned;
import dev.engagement.liveview.LiveViewKeys;
import dev.engagement.liveview.LiveViewOptions;
import dev.engagement.liveview.LiveViewScript;
import dev.engagement.liveview.WriteOutcome;
import dev.engagement.local.RedisServer;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocketFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.exceptions.JedisConnectionException;

/** {@code rediss://}: a real Redis behind a TLS end whose certificate is for {@code localhost}. */
class RedisTlsIT {

    @TempDir
    private static Path directory;

    private static RedisServer server;
    private static SSLServerSocket tls;
    private static SSLSocketFactory trusting;

    @BeforeAll
    static void start() throws Exception {
        server = RedisServer.start(Path.of("target/redis/RedisTlsIT"), 0);
        SSLContext context = SelfSigned.in(directory).context();
        trusting = context.getSocketFactory();
        tls = (SSLServerSocket) context.getServerSocketFactory().createServerSocket(0);
        inBackground(RedisTlsIT::accept);
    }

    @AfterAll
    static void stop() throws IOException {
        tls.close();
        server.close();
    }

    @Test
    void a_trusted_server_is_written_to() {
        JedisConnection connection = JedisConnection.connect(options("localhost"), trusting);
        connection.load(LiveViewScript.values());

        assertThat(connection.perform(List.of(Writes.count("c", 1, new LiveViewKeys("")))))
                .containsExactly(new Reply.Done(WriteOutcome.WRITTEN));
        connection.abort();
    }

    @Test
    void a_certificate_for_another_host_is_refused() {
        assertThatThrownBy(() ->
                        JedisConnection.connect(options("127.0.0.1"), trusting).load(LiveViewScript.values()))
                .isInstanceOf(JedisConnectionException.class)
                .hasStackTraceContaining("127.0.0.1")
                .satisfies(RedisTlsIT::isRefused);
    }

    @Test
    void a_certificate_that_nobody_vouches_for_is_refused() {
        assertThatThrownBy(() -> JedisConnection.connect(options("localhost")).load(LiveViewScript.values()))
                .isInstanceOf(JedisConnectionException.class)
                .hasStackTraceContaining("SSLHandshakeException")
                .satisfies(RedisTlsIT::isRefused);
    }

    @Test
    void a_server_without_tls_is_no_refusal_since_it_may_still_be_starting() {
        LiveViewOptions plain =
                new LiveViewOptions(URI.create("rediss://localhost:" + server.port()), SecretRef.none(), "");

        HostAndPort address = new HostAndPort("localhost", server.port());
        // It waits for more of what it takes for a command: how long we wait for its answer is not what this is about.
        JedisConnection.Patience timeout = new JedisConnection.Patience(Duration.ofMillis(300), Duration.ofMillis(300));

        assertThatThrownBy(() -> JedisConnection.connect(address, plain, trusting, timeout)
                        .load(LiveViewScript.values()))
                .isInstanceOf(JedisConnectionException.class)
                .satisfies(failure ->
                        assertThat(RedisVerdict.of((RuntimeException) failure)).isEqualTo(RedisVerdict.TRANSIENT));
    }

    @Test
    void the_preflight_does_not_judge_certificates_by_the_trust_of_the_client() {
        assertThat(LiveViewPreflight.check(options("localhost"), trusting)).isEmpty();
        assertThat(LiveViewPreflight.check(options("localhost")))
                .hasValueSatisfying(warning -> assertThat(warning).contains("starts all the same"));
    }

    private static void isRefused(Throwable failure) {
        assertThat(RedisVerdict.of((RuntimeException) failure)).isEqualTo(RedisVerdict.REFUSED);
    }

    private static LiveViewOptions options(String host) {
        return new LiveViewOptions(URI.create("rediss://" + host + ":" + tls.getLocalPort()), SecretRef.none(), "");
    }

    private static void accept() throws IOException {
        while (true) {
            Socket client = tls.accept();
            Socket redis = new Socket(server.host(), server.port());
            inBackground(() -> pipe(client, redis));
            inBackground(() -> pipe(redis, client));
        }
    }

    private static void pipe(Socket from, Socket to) throws IOException {
        try (from;
                to) {
            from.getInputStream().transferTo(to.getOutputStream());
        }
    }

    private interface Work {
        void run() throws IOException;
    }

    private static void inBackground(Work work) {
        Thread thread = new Thread(() -> {
            try {
                work.run();
            } catch (IOException closed) {
                // The other end of the connection sees it, and the test with it.
                Thread.currentThread().interrupt();
            }
        });
        thread.setDaemon(true);
        thread.start();
    }
}
