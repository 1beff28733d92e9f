package dev.engagement.liveview.sink;

import dev.engagement.liveview.LiveViewScript;
import dev.engagement.liveview.ScriptedWrite;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The I/O thread's way to Redis: connects when needed, loads the scripts once per connection and again when the server
 * forgot them, gives a connection up after any failure. Used by the I/O thread; only {@link #abort} by any thread.
 */
final class RedisLink {

    private final RedisConnection.Connector connector;
    private volatile @Nullable RedisConnection connection;

    RedisLink(RedisConnection.Connector connector) {
        this.connector = connector;
    }

    /**
     * Sends the writes; an empty list only sees to it that there is a connection.
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
            }
            List<Reply> replies = writes.isEmpty() ? List.of() : open.perform(writes);
            if (replies.stream().anyMatch(RedisLink::isScriptLost)) {
                open.load(LiveViewScript.values());
                replies = repeatLost(open, writes, replies);
            }
            Attempt attempt = new Attempt(replies, null);
            if (attempt.hasFailures()) {
                drop();
            }
            return attempt;
        } catch (RuntimeException failure) {
            drop();
            return new Attempt(List.of(), failure);
        }
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
        return reply instanceof Reply.Failed failed && RedisVerdict.ofError(failed.error()) == RedisVerdict.SCRIPT_LOST;
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
     */
    record Attempt(List<Reply> replies, @Nullable RuntimeException failure) {

        boolean hasFailures() {
            return failure != null || replies.stream().anyMatch(Reply.Failed.class::isInstance);
        }
    }
}
