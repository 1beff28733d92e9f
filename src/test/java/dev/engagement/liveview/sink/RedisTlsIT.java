package dev.engagement.liveview.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.connection.SecretRef;
import dev.engagement.liveview.LiveValue;
import dev.engagement.liveview.LiveViewKeys;
import dev.engagement.liveview.LiveViewOptions;
import dev.engagement.liveview.LiveViewScript;
import dev.engagement.liveview.WriteOutcome;
import dev.engagement.local.RedisServer;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import redis.clients.jedis.exceptions.JedisConnectionException;

/** {@code rediss://}: a real Redis behind a TLS end whose certificate is for {@code localhost}. */
class RedisTlsIT {

    private static final char[] KEY_STORE_PASSWORD = "changeit".toCharArray();

    @TempDir
    private static Path directory;

    private static RedisServer server;
    private static SSLServerSocket tls;
    private static SSLSocketFactory trusting;

    @BeforeAll
    static void start() throws Exception {
        server = RedisServer.start(Path.of("target/redis/RedisTlsIT"), 0);
        KeyStore keys = selfSigned();
        KeyManagerFactory keyManagers = KeyManagerFactory.getInstance("PKIX");
        keyManagers.init(keys, KEY_STORE_PASSWORD);
        KeyStore certificates = KeyStore.getInstance("PKCS12");
        certificates.load(null, null);
        certificates.setCertificateEntry("redis", keys.getCertificate("redis"));
        TrustManagerFactory trustManagers = TrustManagerFactory.getInstance("PKIX");
        trustManagers.init(certificates);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keyManagers.getKeyManagers(), trustManagers.getTrustManagers(), null);
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

        assertThat(connection.perform(List.of(new LiveValue.Count("c", 1).write(new LiveViewKeys("")))))
                .containsExactly(new Reply.Done(WriteOutcome.WRITTEN));
        connection.abort();
    }

    @Test
    void a_certificate_for_another_host_is_refused() {
        assertThatThrownBy(() ->
                        JedisConnection.connect(options("127.0.0.1"), trusting).load(LiveViewScript.values()))
                .isInstanceOf(JedisConnectionException.class)
                .hasStackTraceContaining("127.0.0.1");
    }

    @Test
    void a_certificate_that_nobody_vouches_for_is_refused() {
        assertThatThrownBy(() -> JedisConnection.connect(options("localhost")).load(LiveViewScript.values()))
                .isInstanceOf(JedisConnectionException.class)
                .hasStackTraceContaining("SSLHandshakeException");
    }

    private static LiveViewOptions options(String host) {
        return new LiveViewOptions(URI.create("rediss://" + host + ":" + tls.getLocalPort()), SecretRef.none(), "");
    }

    private static KeyStore selfSigned() throws Exception {
        Path store = directory.resolve("redis.p12");
        int exit = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        "redis",
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=localhost",
                        "-ext",
                        "san=dns:localhost",
                        "-keystore",
                        store.toString(),
                        "-storetype",
                        "PKCS12",
                        "-storepass",
                        new String(KEY_STORE_PASSWORD))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor();
        assertThat(exit).isZero();
        return KeyStore.getInstance(store.toFile(), KEY_STORE_PASSWORD);
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
