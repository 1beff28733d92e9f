package dev.engagement.liveview.sink;

import dev.engagement.liveview.LiveViewScript;
import dev.engagement.liveview.ScriptedWrite;
import java.util.List;

/**
 * A connection to the live view's Redis, one server or a cluster. Used by one thread at a time; only {@link #abort} may be
 * called by another one. What goes wrong on the way leaves as a Jedis exception; the connection is useless afterwards.
 */
interface RedisConnection {

    /** Makes the scripts known to the server, or to all of them. */
    void load(LiveViewScript... scripts);

    /** Sends all writes, then reads all answers: one for each write, in their order. */
    List<Reply> perform(List<ScriptedWrite> writes);

    /**
     * What tells a Redis that still has everything from one that lost something: a short text that is the same as long as
     * everything written since it was first asked is still there. It changes with a restart, a failover and FLUSHALL;
     * sometimes too when nothing was lost. It does not notice a single key that somebody deleted or that was evicted.
     *
     * <p>Asked before a write, so that the write is in the incarnation that is named, or in a later one.
     */
    String incarnation();

    /**
     * Whether the connection heals itself after replies that are failures; if not, a new one has to be made. A thrown
     * exception is the end of every connection.
     */
    default boolean healsItself() {
        return false;
    }

    /** Closes the socket, so that whatever waits for it fails. Thread-safe; may take a while over TLS. */
    void abort();

    /** Makes connections. */
    @FunctionalInterface
    interface Connector extends java.io.Serializable {

        /** A new connection, authenticated. */
        RedisConnection connect();
    }
}
