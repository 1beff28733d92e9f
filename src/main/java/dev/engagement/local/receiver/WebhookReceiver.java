package dev.engagement.local.receiver;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLContext;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.URIScheme;
import org.apache.hc.core5.http.impl.bootstrap.HttpAsyncServer;
import org.apache.hc.core5.http2.HttpVersionPolicy;
import org.apache.hc.core5.http2.config.H2Config;
import org.apache.hc.core5.http2.impl.nio.bootstrap.H2ServerBootstrap;
import org.apache.hc.core5.http2.ssl.H2ServerTlsStrategy;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.reactor.IOReactorConfig;
import org.apache.hc.core5.reactor.IOSession;
import org.apache.hc.core5.reactor.IOSessionListener;
import org.apache.hc.core5.reactor.ListenerEndpoint;
import org.apache.hc.core5.util.TimeValue;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A webhook receiver over HTTP/1.1, and with TLS over HTTP/2 for who offers it, inside this JVM, on the loopback interface.
 *
 * <pre>
 * POST /any/path              an event, or an array of events: recorded durably, then answered 200
 * GET  /stats                 {"received":N,"distinct":N,"duplicates":N,…}: posts, by webhook-id
 * GET  /received?after=N      what arrived, in order, from the one after index N on; &amp;limit=N
 * GET  /received/ids          the event ids as runs, [first, last]; ?from=ID&amp;to=ID&amp;limit=RUNS, both included
 * POST /behaviour             {@link Behaviour}, or an array of them; {"mode":"ok"} mends
 * GET  /behaviour             what is in force
 * </pre>
 *
 * <p>What was recorded survives {@link #close}, and a kill -9 of the JVM, and a later {@link #start} on the folder; what is
 * in force and what was refused does not. One receiver a folder. One thread reads and answers posts, another one what
 * takes its time.
 *
 * <p>Thread safe.
 */
public final class WebhookReceiver implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(WebhookReceiver.class);

    private static final String HOST = "127.0.0.1";
    private static final int BACKLOG = 1024;
    private static final int STREAMS_A_CONNECTION = 1000;
    /** HTTP/2's own 64 KiB would make a round trip of each piece of a large batch. */
    private static final int WINDOW_BYTES = 1 << 20;

    private static final long START_SECONDS = 30;

    private final Desk desk;
    private final Arrivals arrivals;
    private final ScheduledExecutorService worker;
    private final HttpAsyncServer server;
    private final URIScheme scheme;
    private final int port;

    private WebhookReceiver(Path directory, int port, List<String> secrets, @Nullable SSLContext tls)
            throws IOException {
        Files.createDirectories(directory);
        Signatures signatures = new Signatures(secrets);
        arrivals = new Arrivals(directory.resolve("arrivals.tsv"));
        worker = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "receiver-worker");
            thread.setDaemon(true);
            return thread;
        });
        desk = new Desk(arrivals, signatures, new Behaviours(System::nanoTime), worker);
        Sessions sessions = new Sessions();
        H2ServerBootstrap bootstrap = H2ServerBootstrap.bootstrap();
        if (tls != null) {
            bootstrap.setTlsStrategy(new H2ServerTlsStrategy(tls));
        }
        scheme = tls == null ? URIScheme.HTTP : URIScheme.HTTPS;
        server = bootstrap
                .setVersionPolicy(HttpVersionPolicy.NEGOTIATE)
                .setH2Config(H2Config.custom()
                        .setPushEnabled(false)
                        .setMaxConcurrentStreams(STREAMS_A_CONNECTION)
                        .setInitialWindowSize(WINDOW_BYTES)
                        .build())
                .setIOReactorConfig(IOReactorConfig.custom()
                        // Leaves the machine's other cores to what posts; and makes the current session unambiguous.
                        .setIoThreadCount(1)
                        .setSoReuseAddress(true)
                        .setTcpNoDelay(true)
                        .setBacklogSize(BACKLOG)
                        .build())
                .setExceptionCallback(WebhookReceiver::report)
                .setIOSessionListener(sessions)
                // A receiver is asked by whatever name the way to it has.
                .setRequestRouter((request, context) -> () -> exchange(request, sessions.current))
                .create();
        try {
            server.start();
            this.port = listen(port);
        } catch (IOException | RuntimeException e) {
            close();
            throw e;
        }
    }

    /**
     * Starts it with what the folder holds; empty if it has nothing yet.
     *
     * @param directory of this receiver alone; created if missing
     * @param port where it listens; 0 takes a free one
     * @param secrets if there are any, a post has to be signed by one of them, or is answered 401 and counted; each
     *     {@code whsec_} and base64
     * @throws ReceiverException if it does not start
     */
    public static WebhookReceiver start(Path directory, int port, List<String> secrets) {
        return start(directory, port, secrets, null);
    }

    /**
     * As {@link #start(Path, int, List)}, over TLS.
     *
     * @param tls with the receiver's key; null for plain HTTP
     */
    public static WebhookReceiver start(Path directory, int port, List<String> secrets, @Nullable SSLContext tls) {
        try {
            return new WebhookReceiver(directory, port, secrets, tls);
        } catch (IOException e) {
            throw new ReceiverException(
                    "The receiver did not start in " + directory + " on port " + port + ": " + e.getMessage(), e);
        }
    }

    private int listen(int port) throws IOException {
        try {
            ListenerEndpoint endpoint = server.listen(new InetSocketAddress(InetAddress.getByName(HOST), port), scheme)
                    .get(START_SECONDS, TimeUnit.SECONDS);
            return ((InetSocketAddress) endpoint.getAddress()).getPort();
        } catch (ExecutionException e) {
            throw new IOException(String.valueOf(e.getCause()), e);
        } catch (TimeoutException e) {
            throw new IOException("it does not listen after " + START_SECONDS + " s", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    private Exchange exchange(HttpRequest request, @Nullable IOSession session) {
        String path = String.valueOf(request.getPath());
        int query = path.indexOf('?');
        String place = query < 0 ? path : path.substring(0, query);
        boolean isPost = request.getMethod().equals("POST");
        return isPost && !place.equals(Desk.BEHAVIOUR)
                ? new PostExchange(desk, session, place)
                : new ControlExchange(desk, place, query < 0 ? "" : path.substring(query + 1));
    }

    /** Connections break, and senders speak no HTTP: that is theirs. A mistake of the receiver's own has to show. */
    private static void report(Exception e) {
        if (e instanceof RuntimeException) {
            LOG.error("A mistake of the receiver's", e);
        }
    }

    /** Where it listens: {@code http://host:port}, or https. */
    public String url() {
        return scheme.id + "://" + HOST + ":" + port;
    }

    /** Stops; connections break, what was answered stays. */
    @Override
    public void close() {
        server.close(CloseMode.IMMEDIATE);
        try {
            server.awaitShutdown(TimeValue.ofSeconds(START_SECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        worker.shutdownNow();
        try {
            arrivals.close();
        } catch (IOException e) {
            throw new ReceiverException("The receiver's file cannot be closed", e);
        }
    }

    /** Whose bytes the I/O thread reads now: an exchange is made while it does. */
    private static final class Sessions implements IOSessionListener {

        private @Nullable IOSession current;

        @Override
        public void connected(IOSession session) {}

        @Override
        public void startTls(IOSession session) {}

        @Override
        public void inputReady(IOSession session) {
            current = session;
        }

        @Override
        public void outputReady(IOSession session) {
            current = session;
        }

        @Override
        public void timeout(IOSession session) {}

        @Override
        public void exception(IOSession session, Exception e) {}

        @Override
        public void disconnected(IOSession session) {}
    }
}
