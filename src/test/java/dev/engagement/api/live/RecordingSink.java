package dev.engagement.api.live;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** A client that keeps what it is sent, and reads at once or only when it is told to. Thread-safe. */
final class RecordingSink implements LiveSink {

    private final boolean readsAtOnce;
    private final List<LiveMessage> sent = new ArrayList<>();
    private final Deque<CompletableFuture<Void>> underWay = new ArrayDeque<>();
    private @Nullable String closed;

    private RecordingSink(boolean readsAtOnce) {
        this.readsAtOnce = readsAtOnce;
    }

    static RecordingSink reading() {
        return new RecordingSink(true);
    }

    static RecordingSink slow() {
        return new RecordingSink(false);
    }

    @Override
    public synchronized CompletionStage<Void> send(LiveMessage message) {
        if (!underWay.isEmpty()) {
            throw new AssertionError("A message was sent while another one was on its way");
        }
        sent.add(message);
        CompletableFuture<Void> done = new CompletableFuture<>();
        if (readsAtOnce) {
            done.complete(null);
        } else {
            underWay.add(done);
        }
        return done;
    }

    @Override
    public synchronized void close(String why) {
        closed = why;
    }

    /** The message that is on its way has left. */
    void read() {
        next().complete(null);
    }

    /** The message that is on its way cannot leave. */
    void breakOff() {
        next().completeExceptionally(new IllegalStateException("The connection is gone"));
    }

    private synchronized CompletableFuture<Void> next() {
        return underWay.remove();
    }

    synchronized boolean hasUnread() {
        return !underWay.isEmpty();
    }

    synchronized List<LiveMessage> sent() {
        return List.copyOf(sent);
    }

    /** The JSON of all messages of a kind. */
    List<String> sent(String event) {
        return sent().stream()
                .filter(message -> message.event().equals(event))
                .map(LiveMessage::json)
                .toList();
    }

    LiveMessage last() {
        List<LiveMessage> all = sent();
        return all.get(all.size() - 1);
    }

    synchronized @Nullable String closed() {
        return closed;
    }
}
