package dev.engagement.api.web;

import dev.engagement.api.live.LiveClient;
import dev.engagement.api.live.LiveMessage;
import dev.engagement.api.live.LiveSink;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.AsyncEvent;
import jakarta.servlet.AsyncListener;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.WriteListener;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * One client of server-sent events. Nobody waits for it: what is to be sent is written as far as its connection takes
 * it, and the server says when it takes more. Thread-safe.
 */
final class EventStream implements LiveSink, WriteListener, AsyncListener {

    /** What the hub gives is one message at a time; whoever gives more without waiting has not understood that. */
    private static final int MAX_WAITING = 16;

    private record Waiting(byte[] bytes, CompletableFuture<Void> sent) {}

    private final AsyncContext async;
    private final ServletOutputStream out;
    private final Runnable abort;
    private final Runnable whenClosed;

    /** The following are guarded by this. */
    private final Queue<Waiting> waiting = new ArrayDeque<>();

    private @Nullable Waiting written;
    private boolean flushDue;
    private boolean writable;
    private boolean ending;
    private boolean closed;
    private @Nullable LiveClient client;

    /**
     * A stream that nothing was written to.
     *
     * @param abort ends the connection without another word
     * @param whenClosed is run once, when the connection has ended
     */
    EventStream(AsyncContext async, ServletOutputStream out, Runnable abort, Runnable whenClosed) {
        this.async = async;
        this.out = out;
        this.abort = abort;
        this.whenClosed = whenClosed;
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
        return send(text(message));
    }

    private CompletionStage<Void> send(String text) {
        Waiting next = new Waiting(text.getBytes(StandardCharsets.UTF_8), new CompletableFuture<>());
        synchronized (this) {
            if (closed || ending || waiting.size() >= MAX_WAITING) {
                next.sent().completeExceptionally(new IOException("The client is not sent anything any more"));
                return next.sent();
            }
            waiting.add(next);
        }
        write();
        return next.sent();
    }

    /** As a browser reads it: data of several lines would be several lines of data. */
    private static String text(LiveMessage message) {
        return "id: " + oneLine(message.id()) + "\nevent: " + oneLine(message.event()) + "\ndata: "
                + oneLine(message.json()) + "\n\n";
    }

    private static String oneLine(String text) {
        return text.indexOf('\n') < 0 && text.indexOf('\r') < 0 ? text : text.replaceAll("[\r\n]+", " ");
    }

    @Override
    public void close(String why) {
        boolean isStuck;
        synchronized (this) {
            ending = true;
            isStuck = !closed && !writable && written != null;
        }
        if (isStuck) {
            // It does not read, and would not read the end either.
            abort.run();
            end(new IOException(why));
        } else {
            write();
        }
    }

    @Override
    public void onWritePossible() {
        synchronized (this) {
            writable = true;
        }
        write();
    }

    @Override
    public void onError(Throwable failure) {
        end(failure);
    }

    /**
     * Writes what can be written now. Futures are completed outside of the lock: whoever waits for one sends the next.
     */
    private void write() {
        List<Waiting> sent = new ArrayList<>();
        Throwable failure = null;
        boolean isOver = false;
        synchronized (this) {
            if (closed) {
                return;
            }
            try {
                isOver = writeWhileReady(sent);
            } catch (IOException | RuntimeException e) {
                failure = e;
            }
        }
        if (failure != null || isOver) {
            end(failure);
        }
        sent.forEach(each -> each.sent().complete(null));
    }

    /** @return whether it has ended, and all is out */
    private boolean writeWhileReady(List<Waiting> sent) throws IOException {
        while (writable) {
            if (!out.isReady()) {
                // The server calls onWritePossible.
                writable = false;
            } else if (flushDue) {
                flushDue = false;
                out.flush();
            } else {
                if (written != null) {
                    sent.add(written);
                }
                written = ending ? null : waiting.poll();
                if (written == null) {
                    return ending;
                }
                out.write(written.bytes());
                flushDue = true;
            }
        }
        return false;
    }

    private void end(@Nullable Throwable failure) {
        List<Waiting> left;
        LiveClient joined;
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
            left = new ArrayList<>(waiting);
            if (written != null) {
                left.add(written);
            }
            waiting.clear();
            joined = client;
        }
        try {
            async.complete();
        } catch (IllegalStateException e) {
            // The server has ended it already.
            failure = failure == null ? e : failure;
        } finally {
            whenClosed.run();
        }
        Throwable why = failure == null ? new IOException("The connection has ended") : failure;
        left.forEach(each -> each.sent().completeExceptionally(why));
        if (joined != null) {
            joined.close();
        }
    }

    @Override
    public void onComplete(AsyncEvent event) {
        end(null);
    }

    @Override
    public void onTimeout(AsyncEvent event) {
        end(event.getThrowable());
    }

    @Override
    public void onError(AsyncEvent event) {
        end(event.getThrowable());
    }

    @Override
    public void onStartAsync(AsyncEvent event) {
        // It is started once.
    }
}
