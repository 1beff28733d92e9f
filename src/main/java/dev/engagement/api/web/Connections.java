package dev.engagement.api.web;

import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.HttpChannel;
import org.eclipse.jetty.server.HttpConnection;
import org.eclipse.jetty.server.Request;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connections that there are: no address has more than a part of them, and none lasts on which no whole head of a
 * request comes. The server's own idle timeout begins anew with every byte, so that half a head could last for ever.
 * Thread-safe.
 */
public final class Connections implements Connection.Listener, HttpChannel.Listener {

    private static final Logger LOG = LoggerFactory.getLogger(Connections.class);

    /** Of one connection: whether, and since when, it waits for the head of a request. */
    private static final class Open {
        private final EndPoint endPoint;

        /** A WebSocket has no further heads: the connection below it is opened anew as one. */
        private final boolean isHttp;

        private volatile boolean waiting;
        private volatile long sinceNanos;

        Open(EndPoint endPoint, boolean isHttp, long sinceNanos) {
            this.endPoint = endPoint;
            this.isHttp = isHttp;
            this.waiting = isHttp;
            this.sinceNanos = sinceNanos;
        }
    }

    private final int maxOfAddress;
    private final Duration headTimeout;
    private final LongSupplier nanos;
    private final Map<EndPoint, Open> open = new ConcurrentHashMap<>();

    /** Guarded by itself. */
    private final Map<String, Set<Open>> byAddress = new HashMap<>();

    /**
     * Without any.
     *
     * @param maxOfAddress how many there may be of one address
     * @param headTimeout how long a connection may be without a whole head and without a request
     * @param nanos {@link System#nanoTime}, or a test's own
     */
    public Connections(int maxOfAddress, Duration headTimeout, LongSupplier nanos) {
        this.maxOfAddress = maxOfAddress;
        this.headTimeout = headTimeout;
        this.nanos = nanos;
    }

    @Override
    public void onOpened(Connection connection) {
        EndPoint endPoint = connection.getEndPoint();
        Open opened = new Open(endPoint, connection instanceof HttpConnection, nanos.getAsLong());
        EndPoint excess = null;
        synchronized (byAddress) {
            Set<Open> same = byAddress.computeIfAbsent(address(endPoint), address -> new HashSet<>());
            if (same.size() >= maxOfAddress) {
                // Who has only begun to ask goes before who has come to ask: half heads keep nobody out.
                Open longest = longestWaiting(same);
                if (longest != null) {
                    same.remove(longest);
                    open.remove(longest.endPoint);
                }
                excess = longest == null ? endPoint : longest.endPoint;
            }
            if (excess != endPoint) {
                same.add(opened);
                open.put(endPoint, opened);
            }
        }
        if (excess != null) {
            end(excess);
        }
    }

    private static @Nullable Open longestWaiting(Set<Open> all) {
        Open longest = null;
        for (Open each : all) {
            if (each.waiting && (longest == null || each.sinceNanos - longest.sinceNanos < 0)) {
                longest = each;
            }
        }
        return longest;
    }

    @Override
    public void onClosed(Connection connection) {
        EndPoint endPoint = connection.getEndPoint();
        synchronized (byAddress) {
            Open closed = open.remove(endPoint);
            if (closed != null) {
                byAddress.computeIfPresent(address(endPoint), (address, same) -> {
                    same.remove(closed);
                    return same.isEmpty() ? null : same;
                });
            }
        }
    }

    /** Its head has come. */
    @Override
    public void onRequestBegin(Request request) {
        Open each = open.get(request.getHttpChannel().getEndPoint());
        if (each != null) {
            each.waiting = false;
        }
    }

    /** Its answer has gone. */
    @Override
    public void onComplete(Request request) {
        Open each = open.get(request.getHttpChannel().getEndPoint());
        if (each != null && each.isHttp) {
            each.sinceNanos = nanos.getAsLong();
            each.waiting = true;
        }
    }

    /** Ends those that have waited for too long. */
    public void endOverdue() {
        long now = nanos.getAsLong();
        for (Open each : open.values()) {
            if (each.waiting && now - each.sinceNanos >= headTimeout.toNanos()) {
                end(each.endPoint);
            }
        }
    }

    private static void end(EndPoint endPoint) {
        try {
            endPoint.close();
        } catch (RuntimeException e) {
            // Thrown on, it would be the last look at all others.
            LOG.error("A connection cannot be ended", e);
        }
    }

    private static String address(EndPoint endPoint) {
        SocketAddress remote = endPoint.getRemoteSocketAddress();
        return remote instanceof InetSocketAddress internet && internet.getAddress() != null
                ? Gate.network(internet.getAddress().getHostAddress())
                : "";
    }
}
