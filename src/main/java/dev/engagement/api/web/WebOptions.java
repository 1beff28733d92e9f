package dev.engagement.api.web;

import java.time.Duration;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Where the API listens, whom it lets in, and how much it takes.
 *
 * @param address of the interface that it listens on
 * @param port 0 takes a free one
 * @param tokens by which it knows who may do what
 * @param allowedHosts names by which it may be asked beside those of loopback, while reading needs no token
 * @param allowedOrigins of pages that may send to it beside its own, such as {@code https://metrics.example.com}
 * @param limits how much it takes
 */
public record WebOptions(
        String address,
        int port,
        TokenRefs tokens,
        Set<String> allowedHosts,
        Set<String> allowedOrigins,
        Limits limits) {

    /**
     * How much the API takes.
     *
     * @param readRate requests a second of one address, over {@link #RATE_WINDOW}
     * @param writeRate of those that write
     * @param maxConnections open connections; more wait until one is closed
     * @param maxLiveClients of them those that are told changes
     * @param threads that requests that read may hold at once, and as many those that write
     * @param maxHeaderBytes of a request
     * @param maxBodyBytes of a request that writes
     * @param bodyTimeout how long a body may take to come
     * @param idleTimeout after which a connection on which nothing moves is closed
     */
    public record Limits(
            int readRate,
            int writeRate,
            int maxConnections,
            int maxLiveClients,
            int threads,
            int maxHeaderBytes,
            int maxBodyBytes,
            Duration bodyTimeout,
            Duration idleTimeout) {

        /** Of requests to {@code /health}, and of the server itself: they are taken by nobody else. */
        private static final int SPARE_THREADS = 8;

        private static final int QUERIES_PART = 4;
        private static final int LOGINS_PART = 16;
        private static final int CONNECTIONS_OF_OTHERS_PART = 4;

        public Limits {
            if (maxLiveClients >= maxConnections) {
                throw new IllegalArgumentException("api.live.max-clients is " + maxLiveClients
                        + " and api.max-connections is " + maxConnections
                        + "; live clients keep their connections, so leave some for requests");
            }
            if (bodyTimeout.isZero() || idleTimeout.isZero()) {
                throw new IllegalArgumentException("api.body-timeout is " + bodyTimeout + " and api.idle-timeout is "
                        + idleTimeout + "; both must be above 0 s, or a client could hold a thread for good");
            }
        }

        /** GraphQL queries at once: their bodies are waited for, and one query is many reads. */
        int queries() {
            return Math.max(1, threads / QUERIES_PART);
        }

        /** Logins at once: whoever has no token yet may make them wait for a body. */
        int logins() {
            return Math.max(1, threads / LOGINS_PART);
        }

        /** Threads of the server: more than all kinds of requests together may hold, so that health always answers. */
        public int allThreads() {
            return 2 * threads + queries() + logins() + SPARE_THREADS;
        }

        /** Open connections of one address: it must not keep out all others. */
        public int maxConnectionsOfAddress() {
            return maxConnections - maxConnections / CONNECTIONS_OF_OTHERS_PART;
        }
    }

    /** What rates are held over: as many requests may come at once as are allowed in it. */
    public static final Duration RATE_WINDOW = Duration.ofSeconds(10);

    private static final Pattern LOOPBACK =
            Pattern.compile("localhost|127(\\.[0-9]{1,3}){3}|\\[?(::1|0:0:0:0:0:0:0:1)]?");

    /** @throws IllegalArgumentException if others could reach it without a token */
    public WebOptions {
        allowedHosts = Set.copyOf(allowedHosts);
        allowedOrigins = Set.copyOf(allowedOrigins);
        if (!isLoopback(address)
                && (tokens.isOpen(Right.READ) || tokens.isOpen(Right.WRITE) || tokens.isOpen(Right.METRICS))) {
            throw new IllegalArgumentException("api.address is '" + address + "', which others than this machine may"
                    + " reach, and nobody would be asked for a token; put one into the environment variable"
                    + " ENGAGEMENT_API_TOKEN or a file named by api.token.secret-file, or give all three of"
                    + " api.read-token, api.write-token and api.metrics-token so, or leave api.address at 127.0.0.1");
        }
    }

    /**
     * Whether an address, or the host of a request, is this machine's own and nobody else's. No name server is asked.
     */
    static boolean isLoopback(String host) {
        return LOOPBACK.matcher(host).matches();
    }
}
