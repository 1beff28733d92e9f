package dev.engagement.api.live;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Connection;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.exceptions.JedisConnectionException;

/**
 * One subscription of one channel. One thread reads it; others may {@link #ping} it, so that a Redis which says nothing
 * because nothing changes is told from one that is gone without a word, and close it. What goes wrong leaves as a Jedis
 * exception.
 */
final class Subscription implements AutoCloseable {

    private final Wire wire;

    /** Guarded by this. */
    private boolean closed;

    private Subscription(Wire wire) {
        this.wire = wire;
    }

    /**
     * Subscribes, and waits until Redis says so.
     *
     * @param config whose timeout is also that of {@link #next}
     */
    static Subscription open(HostAndPort address, JedisClientConfig config, String channel) {
        Subscription subscription = new Subscription(new Wire(address, config));
        try {
            subscription.wire.sendCommand(Protocol.Command.SUBSCRIBE, channel);
            subscription.wire.push();
            Object answer = subscription.wire.getUnflushedObject();
            if (!isKind("subscribe", answer)) {
                throw new JedisConnectionException("Redis did not confirm the subscription");
            }
            return subscription;
        } catch (RuntimeException e) {
            subscription.close();
            throw e;
        }
    }

    /**
     * Waits for the next sign of life.
     *
     * @return the message; null if it was only an answer to {@link #ping}
     * @throws JedisConnectionException if there is none in time, or the subscription was closed
     */
    @Nullable
    String next() {
        Object answer = wire.getUnflushedObject();
        return isKind("message", answer) && answer instanceof List<?> parts && parts.size() == 3
                ? text(parts.get(2))
                : null;
    }

    /** Asks Redis for a sign of life. */
    synchronized void ping() {
        // Jedis would silently connect again, to no channel.
        if (!closed) {
            wire.sendCommand(Protocol.Command.PING);
            wire.push();
        }
    }

    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            wire.forceDisconnect();
        } catch (IOException e) {
            throw new UncheckedIOException("The socket to Redis cannot be closed", e);
        }
    }

    private static boolean isKind(String kind, @Nullable Object answer) {
        return answer instanceof List<?> parts && !parts.isEmpty() && kind.equals(text(parts.get(0)));
    }

    private static String text(@Nullable Object part) {
        return part instanceof byte[] bytes ? new String(bytes, StandardCharsets.UTF_8) : "";
    }

    /** A connection that can be made to send what it buffers before an answer is waited for. */
    private static final class Wire extends Connection {

        Wire(HostAndPort address, JedisClientConfig config) {
            super(address, config);
        }

        void push() {
            flush();
        }
    }
}
