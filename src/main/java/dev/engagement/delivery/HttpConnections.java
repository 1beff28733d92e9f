package dev.engagement.delivery;

import java.time.Duration;
import java.util.concurrent.Future;
import javax.net.ssl.SSLContext;
import org.apache.hc.client5.http.DnsResolver;
import org.apache.hc.client5.http.HttpRoute;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.config.TlsConfig;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManager;
import org.apache.hc.client5.http.impl.nio.PoolingAsyncClientConnectionManagerBuilder;
import org.apache.hc.client5.http.nio.AsyncConnectionEndpoint;
import org.apache.hc.client5.http.ssl.ClientTlsStrategyBuilder;
import org.apache.hc.client5.http.ssl.HostnameVerificationPolicy;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.URIScheme;
import org.apache.hc.core5.http.config.Http1Config;
import org.apache.hc.core5.http.impl.nio.ClientHttp1IOEventHandler;
import org.apache.hc.core5.http.impl.nio.ClientHttp1StreamDuplexerFactory;
import org.apache.hc.core5.http.nio.ssl.TlsStrategy;
import org.apache.hc.core5.http.protocol.DefaultHttpProcessor;
import org.apache.hc.core5.http.protocol.HttpCoreContext;
import org.apache.hc.core5.http.protocol.HttpProcessor;
import org.apache.hc.core5.http2.HttpVersionPolicy;
import org.apache.hc.core5.http2.config.H2Config;
import org.apache.hc.core5.http2.frame.FrameConsts;
import org.apache.hc.core5.http2.impl.nio.ClientH2StreamMultiplexerFactory;
import org.apache.hc.core5.http2.impl.nio.ClientH2UpgradeHandler;
import org.apache.hc.core5.http2.impl.nio.ClientHttp1UpgradeHandler;
import org.apache.hc.core5.http2.impl.nio.HttpProtocolNegotiator;
import org.apache.hc.core5.http2.protocol.H2RequestContent;
import org.apache.hc.core5.http2.protocol.H2RequestTargetHost;
import org.apache.hc.core5.http2.ssl.ApplicationProtocol;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.pool.PoolConcurrencyPolicy;
import org.apache.hc.core5.pool.PoolReusePolicy;
import org.apache.hc.core5.pool.PoolStats;
import org.apache.hc.core5.reactor.DefaultConnectingIOReactor;
import org.apache.hc.core5.reactor.IOEventHandlerFactory;
import org.apache.hc.core5.reactor.IOReactorConfig;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connections to one receiver and the thread that serves them. The client library's parts are put together here rather
 * than by its own builder, which would follow redirects, keep cookies, and log headers at level DEBUG.
 */
final class HttpConnections implements HttpExchange.Connections, AutoCloseable {

    /** Makes such connections, as often as they are needed. */
    @FunctionalInterface
    interface Maker {
        HttpConnections make();
    }

    private static final Logger LOG = LoggerFactory.getLogger(HttpConnections.class);

    /** What is behind these in a head is not read: its status counts, and its connection is given up. */
    private static final int LONGEST_LINE = 16 * 1_024;

    private static final int MAX_HEADERS = 200;

    /**
     * Heads of HTTP/2 are read as a whole or not at all, so of these the size is bounded as it comes, by frames of 16 KiB,
     * and not by what it would be in text.
     */
    private static final int MAX_CONTINUATIONS = 15;

    /** After that a connection is made anew: the receiver may have moved. */
    private static final TimeValue LONGEST_LIFE = TimeValue.ofMinutes(10);

    /**
     * How much longer than an attempt a connection may be silent. Attempts are ended by their caller, for whom time passes
     * only as far as it is observed; this is for connections that nobody ends.
     */
    private static final Duration GRACE = Duration.ofMinutes(2);

    private static final TimeValue TIMEOUT_WITH_THE_THREAD = TimeValue.ofSeconds(2);

    private final HttpRoute route;
    private final Timeout timeout;
    private final PoolingAsyncClientConnectionManager pool;
    private final DefaultConnectingIOReactor reactor;
    private Thread thread;

    private HttpConnections(
            HttpHost receiver,
            Timeout timeout,
            PoolingAsyncClientConnectionManager pool,
            IOEventHandlerFactory protocols,
            IOReactorConfig config) {
        this.route = new HttpRoute(receiver, null, URIScheme.HTTPS.same(receiver.getSchemeName()));
        this.timeout = timeout;
        this.pool = pool;
        this.reactor = new DefaultConnectingIOReactor(
                protocols,
                config,
                task -> thread = AsyncHttpSender.daemon(task, "delivery-http"),
                null,
                e -> LOG.warn("A connection to {} was lost by an error of the client", receiver, e),
                null,
                null);
        reactor.start();
    }

    /**
     * @throws IllegalStateException if the trust store cannot be read here
     */
    static Maker to(HttpHost receiver, DeliveryOptions options, DnsResolver addresses) {
        Timeout timeout = Timeout.of(options.attempts().timeout().plus(GRACE));
        ConnectionConfig connection = ConnectionConfig.custom()
                .setConnectTimeout(timeout)
                .setSocketTimeout(timeout)
                .setTimeToLive(LONGEST_LIFE)
                .build();
        TlsConfig tls = TlsConfig.custom()
                .setVersionPolicy(HttpVersionPolicy.NEGOTIATE)
                .setHandshakeTimeout(timeout)
                .build();
        TlsStrategy strategy = tls(TrustStores.context(options.security()));
        IOReactorConfig reactor = IOReactorConfig.custom()
                .setIoThreadCount(1)
                .setSoTimeout(timeout)
                .setTcpNoDelay(true)
                .setSoKeepAlive(true)
                .build();
        IOEventHandlerFactory protocols = protocols();
        int max = options.inFlight().requests();
        return () -> new HttpConnections(
                receiver,
                timeout,
                PoolingAsyncClientConnectionManagerBuilder.create()
                        .setTlsStrategy(strategy)
                        .setDnsResolver(addresses)
                        .setPoolConcurrencyPolicy(PoolConcurrencyPolicy.STRICT)
                        .setConnPoolPolicy(PoolReusePolicy.LIFO)
                        .setMaxConnPerRoute(max)
                        .setMaxConnTotal(max)
                        .setDefaultConnectionConfig(connection)
                        .setDefaultTlsConfig(tls)
                        .build(),
                protocols,
                reactor);
    }

    private static TlsStrategy tls(SSLContext trust) {
        return ClientTlsStrategyBuilder.create()
                .setSslContext(trust)
                // By Java and by the client: the receiver's name has to be in its certificate.
                .setHostVerificationPolicy(HostnameVerificationPolicy.BOTH)
                .buildAsync();
    }

    private static IOEventHandlerFactory protocols() {
        Http1Config limits1 = Http1Config.custom()
                .setMaxLineLength(LONGEST_LINE)
                .setMaxHeaderCount(MAX_HEADERS)
                .build();
        H2Config limits2 = H2Config.custom()
                .setPushEnabled(false)
                .setMaxFrameSize(FrameConsts.MIN_FRAME_SIZE)
                .setMaxContinuations(MAX_CONTINUATIONS)
                .setMaxHeaderListSize(Integer.MAX_VALUE)
                .build();
        return (session, attachment) -> {
            AnswerHead head = new AnswerHead();
            HttpProcessor processor = new DefaultHttpProcessor(
                    H2RequestTargetHost.INSTANCE,
                    H2RequestContent.INSTANCE,
                    (request, entity, context) -> head.begin(context));
            ClientHttp1StreamDuplexerFactory http1 = new ClientHttp1StreamDuplexerFactory(
                    processor, limits1, null, null, () -> head.parser(limits1), null, null);
            ClientH2StreamMultiplexerFactory http2 =
                    new ClientH2StreamMultiplexerFactory(processor, null, limits2, null, head);
            session.registerProtocol(ApplicationProtocol.HTTP_1_1.id, new ClientHttp1UpgradeHandler(http1));
            session.registerProtocol(ApplicationProtocol.HTTP_2.id, new ClientH2UpgradeHandler(http2, null));
            return attachment == HttpVersionPolicy.FORCE_HTTP_1
                    ? new ClientHttp1IOEventHandler(http1.create(session))
                    : new HttpProtocolNegotiator(session, null);
        };
    }

    /** Sends it over a connection that is free, or over a new one. */
    void send(HttpExchange exchange) {
        try {
            Future<?> lease = pool.lease("", route, null, timeout, new Step(exchange) {
                @Override
                public void completed(AsyncConnectionEndpoint connection) {
                    if (exchange.leased(connection)) {
                        if (connection.isConnected()) {
                            execute(exchange, connection);
                        } else {
                            connect(exchange, connection);
                        }
                    }
                }
            });
            exchange.leasing(lease);
        } catch (RuntimeException e) {
            // A pool or a thread that was closed meanwhile.
            exchange.failed(e);
        }
    }

    private void connect(HttpExchange exchange, AsyncConnectionEndpoint connection) {
        exchange.connecting(
                pool.connect(connection, reactor, timeout, null, HttpCoreContext.create(), new Step(exchange) {
                    @Override
                    public void completed(AsyncConnectionEndpoint connected) {
                        execute(exchange, connected);
                    }
                }));
    }

    private static void execute(HttpExchange exchange, AsyncConnectionEndpoint connection) {
        try {
            connection.execute("", exchange, null, exchange.context());
        } catch (RuntimeException e) {
            // Given up, and taken from under it, in this moment.
            exchange.failed(e);
        }
    }

    @Override
    public void reuse(AsyncConnectionEndpoint connection, TimeValue keepAlive) {
        pool.release(connection, null, keepAlive);
    }

    @Override
    public void discard(AsyncConnectionEndpoint connection) {
        connection.close(CloseMode.IMMEDIATE);
        pool.release(connection, null, TimeValue.ZERO_MILLISECONDS);
    }

    boolean isAlive() {
        return thread.isAlive();
    }

    int count() {
        PoolStats stats = pool.getTotalStats();
        return stats.getAvailable() + stats.getLeased();
    }

    @Override
    public void close() {
        reactor.close(CloseMode.IMMEDIATE);
        pool.close(CloseMode.IMMEDIATE);
        try {
            reactor.awaitShutdown(TIMEOUT_WITH_THE_THREAD);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private abstract static class Step implements FutureCallback<AsyncConnectionEndpoint> {

        private final HttpExchange exchange;

        Step(HttpExchange exchange) {
            this.exchange = exchange;
        }

        @Override
        public void failed(Exception cause) {
            exchange.failed(cause);
        }

        @Override
        public void cancelled() {
            exchange.cancel();
        }
    }
}
