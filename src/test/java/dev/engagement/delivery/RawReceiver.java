package dev.engagement.delivery;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/** Whatever no well-behaved server would do: a script runs on each connection once the first request is there. */
final class RawReceiver implements AutoCloseable {

    /** What happens on a connection. */
    @FunctionalInterface
    interface Script {
        void run(Socket connection, OutputStream out) throws IOException, InterruptedException;
    }

    private static final Pattern CONTENT_LENGTH = Pattern.compile("(?i)\r\ncontent-length: *(\\d+)");

    private final ServerSocket server;
    private final String scheme;
    private final AtomicInteger connections = new AtomicInteger();
    private final Queue<Socket> open = new ConcurrentLinkedQueue<>();

    private RawReceiver(ServerSocket server, String scheme) {
        this.server = server;
        this.scheme = scheme;
    }

    static RawReceiver start(@Nullable SSLContext tls, Script script) throws IOException {
        InetAddress here = InetAddress.getByName("localhost");
        RawReceiver receiver = tls == null
                ? new RawReceiver(new ServerSocket(0, 50, here), "http")
                : new RawReceiver(tls.getServerSocketFactory().createServerSocket(0, 50, here), "https");
        receiver.inBackground(() -> receiver.accept(script));
        return receiver;
    }

    URI url() {
        return URI.create(scheme + "://localhost:" + server.getLocalPort() + "/events");
    }

    int connections() {
        return connections.get();
    }

    private void accept(Script script) {
        while (!server.isClosed()) {
            try {
                Socket connection = server.accept();
                connections.incrementAndGet();
                open.add(connection);
                inBackground(() -> serve(connection, script));
            } catch (IOException e) {
                // Closed.
                return;
            }
        }
    }

    private static void serve(Socket connection, Script script) {
        try (connection) {
            readRequest(connection.getInputStream());
            script.run(connection, connection.getOutputStream());
        } catch (IOException e) {
            // The client has gone, as it should.
            return;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** To its end: what is left unread would reset the connection when it is closed. */
    private static void readRequest(InputStream in) throws IOException {
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            int next = in.read();
            if (next < 0) {
                throw new IOException("no request");
            }
            head.append((char) next);
        }
        Matcher length = CONTENT_LENGTH.matcher(head);
        in.skipNBytes(length.find() ? Long.parseLong(length.group(1)) : 0);
    }

    static void write(OutputStream out, String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.ISO_8859_1));
        out.flush();
    }

    private void inBackground(Runnable work) {
        Thread thread = new Thread(work, "raw-receiver");
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void close() throws IOException {
        server.close();
        for (Socket connection : open) {
            connection.close();
        }
    }
}
