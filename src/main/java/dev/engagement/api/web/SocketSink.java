package dev.engagement.api.web;

import dev.engagement.api.live.LiveClient;
import dev.engagement.api.live.LiveMessage;
import dev.engagement.api.live.LiveSink;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.eclipse.jetty.websocket.api.Session;
import org.eclipse.jetty.websocket.api.WriteCallback;
import org.jspecify.annotations.Nullable;

/** One client of the WebSocket. Nobody waits for it. Thread-safe. */
final class SocketSink implements LiveSink {

    /** RFC 6455's registry: come back later. */
    private static final int TRY_AGAIN_LATER = 1013;

    /** A close frame has room for 123 bytes. */
    private static final int MAX_REASON_LENGTH = 120;

    private final Session session;
    private final RateLimits heard;
    private final Runnable whenClosed;

    /** Messages that were given to the connection, and are not out yet. */
    private final AtomicInteger underWay = new AtomicInteger();

    /** Both guarded by this. */
    private boolean closed;

    private @Nullable LiveClient client;

    /**
     * A client.
     *
     * @param heard how often it may say something
     * @param whenClosed is run once, when the connection has ended
     */
    SocketSink(Session session, RateLimits heard, Runnable whenClosed) {
        this.session = session;
        this.heard = heard;
        this.whenClosed = whenClosed;
    }

    /** It said something. Nobody listens; some do so to keep the connection. */
    void hears() {
        if (!heard.take("").allowed()) {
            // It reads, as far as one can know, and is told why.
            close(session, TRY_AGAIN_LATER, "This side tells and does not listen; you say too much");
            ended();
        }
    }

    /** Who is to be told when the connection ends. */
    void tells(LiveClient joined) {
        boolean isLate;
        synchronized (this) {
            client = joined;
            isLate = closed;
        }
        if (isLate) {
            joined.close();
        }
    }

    @Override
    public CompletionStage<Void> send(LiveMessage message) {
        CompletableFuture<Void> sent = new CompletableFuture<>();
        underWay.incrementAndGet();
        session.getRemote().sendString(text(message), new WriteCallback() {
            @Override
            public void writeFailed(Throwable failure) {
                underWay.decrementAndGet();
                sent.completeExceptionally(failure);
            }

            @Override
            public void writeSuccess() {
                underWay.decrementAndGet();
                sent.complete(null);
            }
        });
        return sent;
    }

    /** A changed window as it is, and its id; all else with what it is as well. */
    static String text(LiveMessage message) {
        String json = message.json().strip();
        boolean isEmpty = json.length() <= 2;
        String id = "\"id\":\"" + message.id() + "\"";
        boolean isWindow = message.event().equals(LiveMessage.METRIC);
        String kind = isWindow ? "" : "\"event\":\"" + message.event() + "\",";
        return "{" + kind + id + (isEmpty ? "" : ",") + json.substring(1);
    }

    @Override
    public void close(String why) {
        if (underWay.get() == 0) {
            close(session, TRY_AGAIN_LATER, why);
        } else {
            // It does not read, and would not read the end either: a frame that says it would wait behind the others.
            session.disconnect();
        }
        // Whether it says goodbye or not, its seat is free.
        ended();
    }

    /** Ends a connection, without waiting for the other side. */
    static void close(Session session, int status, String why) {
        String reason = why.replaceAll("[^\\x20-\\x7e]", "?");
        session.close(status, reason.length() <= MAX_REASON_LENGTH ? reason : reason.substring(0, MAX_REASON_LENGTH));
    }

    /** The connection has ended, whoever ended it. */
    void ended() {
        LiveClient joined;
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
            joined = client;
        }
        whenClosed.run();
        if (joined != null) {
            joined.close();
        }
    }
}
