package dev.engagement.liveview.sink;

import dev.engagement.liveview.LiveViewScript;
import dev.engagement.liveview.ScriptedWrite;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The I/O thread's way to Redis: connects when needed, loads the scripts once per connection and again when the server
 * forgot them, asks now and then whether Redis still has everything, gives a connection up after any failure that a new
 * one may heal. Used by the I/O thread; only {@link #abort} by any thread.
 */
final class RedisLink {

    /** How old the answer to {@link RedisConnection#incarnation} may be. */
    static final Duration MEMORY_IS_ASKED_EVERY = Duration.ofSeconds(1);

    private final RedisConnection.Connector connector;
    private final LongSupplier ticker;
    private volatile @Nullable RedisConnection connection;
    /** Of the open connection. */
    private String incarnation = "";

    private long memoryAskedAt;

    RedisLink(RedisConnection.Connector connector) {
        this(connector, System::nanoTime);
    }

    /** With a clock: nanoseconds, monotonic. */
    RedisLink(RedisConnection.Connector connector, LongSupplier ticker) {
        this.connector = connector;
        this.ticker = ticker;
    }

    /**
     * Sends the writes; an empty list only sees to it that there is a connection, and that {@link Attempt#incarnation} is no
     * older than {@link #MEMORY_IS_ASKED_EVERY}.
     *
     * @return one reply per write, or a failure that leaves open which writes were applied
     */
    Attempt attempt(List<ScriptedWrite> writes) {
        try {
            RedisConnection open = connection;
            if (open == null) {
                open = connector.connect();
                connection = open;
                open.load(LiveViewScript.values());
                askIncarnation(open);
            } else if (ticker.getAsLong() - memoryAskedAt >= MEMORY_IS_ASKED_EVERY.toNanos()) {
                askIncarnation(open);
            }
            List<Reply> replies = writes.isEmpty() ? List.of() : open.perform(writes);
            if (replies.stream().anyMatch(RedisLink::isScriptLost)) {
                open.load(LiveViewScript.values());
                replies = repeatLost(open, writes, replies);
            }
            if (!open.healsItself() && replies.stream().anyMatch(RedisLink::mayBeHealedByAnotherConnection)) {
                drop();
            }
            return new Attempt(replies, null, incarnation);
        } catch (RuntimeException failure) {
            drop();
            return new Attempt(List.of(), failure, null);
        }
    }

    /** Before the writes of the same attempt, which are therefore in this incarnation or in a later one. */
    private void askIncarnation(RedisConnection open) {
        incarnation = open.incarnation();
        memoryAskedAt = ticker.getAsLong();
    }

    private static boolean mayBeHealedByAnotherConnection(Reply reply) {
        return reply instanceof Reply.Failed failed && failed.verdict() != RedisVerdict.UNUSABLE;
    }

    private static List<Reply> repeatLost(RedisConnection open, List<ScriptedWrite> writes, List<Reply> replies) {
        List<Integer> lost = new ArrayList<>();
        List<ScriptedWrite> again = new ArrayList<>();
        for (int i = 0; i < replies.size(); i++) {
            if (isScriptLost(replies.get(i))) {
                lost.add(i);
                again.add(writes.get(i));
            }
        }
        List<Reply> repeated = open.perform(again);
        List<Reply> all = new ArrayList<>(replies);
        for (int i = 0; i < lost.size(); i++) {
            all.set(lost.get(i), repeated.get(i));
        }
        return all;
    }

    private static boolean isScriptLost(Reply reply) {
        return reply instanceof Reply.Failed failed && failed.verdict() == RedisVerdict.SCRIPT_LOST;
    }

    private void drop() {
        RedisConnection broken = connection;
        connection = null;
        if (broken != null) {
            broken.abort();
        }
    }

    /** Closes the connection. */
    void close() {
        drop();
    }

    /** Makes an attempt under way fail soon. */
    void abort() {
        RedisConnection open = connection;
        if (open != null) {
            open.abort();
        }
    }

    /**
     * How an attempt ended.
     *
     * @param replies one per write, or none if it failed as a whole
     * @param failure why it failed as a whole, or null
     * @param incarnation what {@link RedisConnection#incarnation} said before the writes, up to
     *     {@link #MEMORY_IS_ASKED_EVERY} ago; null if the attempt failed as a whole. Another text than before: what was
     *     written until then may be lost, whereas this attempt's writes are noticed by the next text if they are
     */
    record Attempt(
            List<Reply> replies,
            @Nullable RuntimeException failure,
            @Nullable String incarnation) {

        /** Whether anything failed; of a cluster, the other replies may still be good ones. */
        boolean hasFailures() {
            return failure != null || replies.stream().anyMatch(Reply.Failed.class::isInstance);
        }
    }
}
