package dev.engagement.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.engagement.local.Ports;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A proxy in front of a server that answers what it is told. */
class TcpProxyTest {

    private static final int TIMEOUT_MILLIS = 300_000;

    private ServerSocket echo;
    private TcpProxy proxy;

    @BeforeEach
    void start() throws IOException {
        echo = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        onThread(() -> {
            while (!echo.isClosed()) {
                Socket each = echo.accept();
                onThread(() -> each.getInputStream().transferTo(each.getOutputStream()));
            }
        });
        proxy = TcpProxy.start(Ports.free(), echo.getLocalPort());
    }

    @AfterEach
    void stop() throws IOException {
        proxy.close();
        echo.close();
    }

    @Test
    void forwardsEveryByteInOrder() throws Exception {
        byte[] sent = new byte[20_000_000];
        new Random(7).nextBytes(sent);
        try (Socket client = connect()) {
            CompletableFuture<byte[]> received = CompletableFuture.supplyAsync(() -> {
                try {
                    return client.getInputStream().readNBytes(sent.length);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
            client.getOutputStream().write(sent);
            assertThat(received.join()).isEqualTo(sent);
            assertThat(proxy.connections()).isEqualTo(1);
        }
        await().until(() -> proxy.connections() == 0);
    }

    @Test
    void aCutResetsConnectionsAndNewOnesAreServed() throws Exception {
        try (Socket client = connect()) {
            assertThat(say(client, "one")).isEqualTo("one");
            proxy.cut();
            assertThatThrownBy(() -> say(client, "two")).isInstanceOf(IOException.class);
        }
        try (Socket client = connect()) {
            assertThat(say(client, "three")).isEqualTo("three");
        }
    }

    @Test
    void refusesNewConnectionsAndLetsOldOnesBe() throws Exception {
        try (Socket client = connect()) {
            assertThat(say(client, "one")).isEqualTo("one");
            proxy.refuse();
            assertThatThrownBy(this::connect).isInstanceOf(ConnectException.class);
            assertThat(say(client, "two")).isEqualTo("two");
        }
        proxy.restore();
        try (Socket client = connect()) {
            assertThat(say(client, "three")).isEqualTo("three");
        }
    }

    @Test
    void delaysEachWay() throws Exception {
        try (Socket client = connect()) {
            assertThat(say(client, "one")).isEqualTo("one");
            proxy.delay(Duration.ofMillis(150));
            long before = System.nanoTime();
            assertThat(say(client, "two")).isEqualTo("two");
            assertThat(Duration.ofNanos(System.nanoTime() - before)).isGreaterThanOrEqualTo(Duration.ofMillis(300));
            proxy.restore();
            assertThat(say(client, "three")).isEqualTo("three");
        }
    }

    @Test
    void swallowsOnOldAndNewConnectionsAndResetsThemAfterwards() throws Exception {
        try (Socket old = connect()) {
            assertThat(say(old, "one")).isEqualTo("one");
            proxy.swallow();
            try (Socket fresh = connect()) {
                for (Socket each : new Socket[] {old, fresh}) {
                    each.setSoTimeout(200);
                    assertThatThrownBy(() -> say(each, "two")).isInstanceOf(SocketTimeoutException.class);
                }
                proxy.restore();
                for (Socket each : new Socket[] {old, fresh}) {
                    each.setSoTimeout(TIMEOUT_MILLIS);
                    assertThatThrownBy(() -> say(each, "three"))
                            .isInstanceOf(IOException.class)
                            .isNotInstanceOf(SocketTimeoutException.class);
                }
            }
        }
        try (Socket client = connect()) {
            assertThat(say(client, "four")).isEqualTo("four");
        }
    }

    @Test
    void aServerThatIsNotThereEndsTheConnection() throws Exception {
        echo.close();
        // The end may come while the connection is still being made.
        await().untilAsserted(() -> assertThatThrownBy(() -> {
                    try (Socket client = connect()) {
                        say(client, "one");
                    }
                })
                .isInstanceOf(IOException.class)
                .isNotInstanceOf(SocketTimeoutException.class));
        await().until(() -> proxy.connections() == 0);
    }

    private Socket connect() throws IOException {
        Socket socket = new Socket();
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), proxy.port()), TIMEOUT_MILLIS);
        socket.setSoTimeout(TIMEOUT_MILLIS);
        return socket;
    }

    private static String say(Socket socket, String word) throws IOException {
        socket.getOutputStream().write(word.getBytes(StandardCharsets.UTF_8));
        byte[] answer = socket.getInputStream().readNBytes(word.length());
        if (answer.length < word.length()) {
            throw new IOException("The connection has ended");
        }
        return new String(answer, StandardCharsets.UTF_8);
    }

    private interface Work {
        void run() throws IOException;
    }

    private static void onThread(Work work) {
        Thread thread = new Thread(
                () -> {
                    try {
                        work.run();
                    } catch (IOException closed) {
                        Thread.currentThread().interrupt();
                    }
                },
                "echo");
        thread.setDaemon(true);
        thread.start();
    }
}
