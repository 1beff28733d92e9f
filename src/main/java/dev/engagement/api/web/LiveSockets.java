package dev.engagement.api.web;

import dev.engagement.api.definition.Operation;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.eclipse.jetty.websocket.api.Session;
import org.jspecify.annotations.Nullable;

/** Changes by WebSocket: the same messages as server-sent events, each a text. Thread-safe. */
public final class LiveSockets {

    private static final int POLICY_VIOLATION = 1008;
    private static final int TRY_AGAIN_LATER = 1013;
    private static final int HEARD_A_MINUTE = 60;

    private final Operation operation;
    private final LiveSource source;
    private final LiveSeats seats;
    private final LongSupplier nanos;
    private final Map<Session, SocketSink> sinks = new ConcurrentHashMap<>();

    /**
     * No client yet.
     *
     * @param operation whose parameters it takes
     * @param nanos {@link System#nanoTime}, or a test's own
     */
    public LiveSockets(Operation operation, LiveSource source, LiveSeats seats, LongSupplier nanos) {
        this.operation = operation;
        this.source = source;
        this.seats = seats;
        this.nanos = nanos;
    }

    /** A client has come. */
    public void connected(Session session, @Nullable String query) {
        LiveServlet.Asked asked;
        try {
            asked = LiveServlet.asked(operation, Query.parse(query), null);
        } catch (ProblemException e) {
            // The handshake is over: all that is left to say it with is the frame that ends it.
            SocketSink.close(session, POLICY_VIOLATION, e.problem().detail());
            return;
        }
        try {
            seats.take();
        } catch (ProblemException e) {
            SocketSink.close(session, TRY_AGAIN_LATER, e.problem().detail());
            return;
        }
        RateLimits heard = new RateLimits("socket", HEARD_A_MINUTE, Duration.ofMinutes(1), 2, nanos);
        SocketSink sink = new SocketSink(session, heard, () -> {
            sinks.remove(session);
            seats.free();
        });
        sinks.put(session, sink);
        sink.tells(source.join(asked.filter(), asked.lastEventId(), sink));
        if (!session.isOpen()) {
            // It may have gone before anybody here knew it.
            sink.ended();
        }
    }

    /** A client said something. */
    public void heard(Session session) {
        SocketSink sink = sinks.get(session);
        if (sink != null) {
            sink.hears();
        }
    }

    /** A connection has ended, or failed, which is the end of it. */
    public void ended(Session session) {
        SocketSink sink = sinks.get(session);
        if (sink != null) {
            sink.ended();
        }
    }
}
