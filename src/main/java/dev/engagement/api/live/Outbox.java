package dev.engagement.api.live;

import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One client: what waits for it, and the one message that is on its way. Whoever offers something sends it too, unless
 * a message is on its way; then whoever completes that one goes on. Thread-safe.
 *
 * <p>The feed's lock is never asked for while this one's is held: the feed holds its own while it offers.
 */
final class Outbox implements LiveClient {

    private static final Logger LOG = LoggerFactory.getLogger(Outbox.class);

    private final Feed feed;
    private final LiveFilter filter;
    private final LiveSink sink;

    /** Guarded by this. */
    private final Conflation conflation;

    /** Guarded by this. */
    private boolean heartbeatDue;

    /** Calls of {@link #drain} that the one that is at it has not seen yet. */
    private final AtomicInteger calls = new AtomicInteger();

    private volatile boolean sending;
    private volatile long sendingSinceNanos;
    private volatile boolean closed;

    Outbox(Feed feed, LiveFilter filter, LiveSink sink, Conflation conflation) {
        this.feed = feed;
        this.filter = filter;
        this.sink = sink;
        this.conflation = conflation;
    }

    synchronized void offer(Update update) {
        conflation.offer(update, update.isFor(filter));
    }

    synchronized void oweSnapshot() {
        conflation.oweSnapshot();
    }

    synchronized void oweHeartbeat() {
        heartbeatDue = true;
    }

    synchronized int pending() {
        return conflation.size();
    }

    /** Sends what may be sent now. */
    void drain() {
        if (calls.getAndIncrement() != 0) {
            return;
        }
        int seen = 1;
        do {
            if (!sending && !closed) {
                LiveMessage next = next();
                if (next != null) {
                    send(next);
                }
            }
            seen = calls.addAndGet(-seen);
        } while (seen != 0);
    }

    private @Nullable LiveMessage next() {
        synchronized (this) {
            // First of all: an id before it would say that the client has what it has never had.
            if (!conflation.beginSnapshot()) {
                if (heartbeatDue) {
                    heartbeatDue = false;
                    return new LiveMessage(feed.id(conflation.resumePoint()), LiveMessage.HEARTBEAT, feed.heartbeat());
                }
                return due(conflation.take());
            }
        }
        Feed.Snapshot snapshot = feed.snapshot(filter);
        synchronized (this) {
            conflation.endSnapshot(snapshot.sequence());
        }
        return snapshot.message();
    }

    private @Nullable LiveMessage due(Conflation.@Nullable Due due) {
        if (due == null) {
            return null;
        }
        LiveMessage message = due.update().message();
        return due.resumePoint() == due.update().sequence()
                ? message
                : new LiveMessage(feed.id(due.resumePoint()), message.event(), message.json());
    }

    private void send(LiveMessage message) {
        sendingSinceNanos = feed.nowNanos();
        sending = true;
        CompletionStage<Void> sent;
        try {
            sent = sink.send(message);
        } catch (RuntimeException e) {
            fail(e);
            return;
        }
        var unused = sent.whenComplete((ignored, failure) -> {
            if (failure != null) {
                fail(failure);
            } else {
                sending = false;
                drain();
            }
        });
    }

    private void fail(Throwable failure) {
        if (!closed) {
            LOG.debug("A live client cannot be reached any more", failure);
            end("The client cannot be reached");
        }
    }

    /** Whether a message has been on its way for that long: nobody reads. */
    boolean isStuck(long nowNanos, long timeoutNanos) {
        return sending && nowNanos - sendingSinceNanos >= timeoutNanos;
    }

    /** Ends the connection. */
    void end(String why) {
        if (closed) {
            return;
        }
        close();
        try {
            sink.close(why);
        } catch (RuntimeException e) {
            // It is forgotten already, and that is all that is left to do.
            LOG.debug("The connection of a live client cannot be closed", e);
        }
    }

    @Override
    public void close() {
        closed = true;
        feed.leave(this);
    }
}
