package dev.engagement.liveview.sink;

import dev.engagement.liveview.LiveViewScript;
import dev.engagement.liveview.ScriptedWrite;
import java.util.List;

/**
 * A connection to the live view's Redis. Used by one thread at a time; only {@link #abort} may be called by another one.
 * What goes wrong on the way leaves as a Jedis exception; the connection is useless afterwards.
 */
interface RedisConnection {

    /** Makes the scripts known to the server. */
    void load(LiveViewScript... scripts);

    /** Sends all writes, then reads all answers: one for each write, in their order. */
    List<Reply> perform(List<ScriptedWrite> writes);

    /** Closes the socket, so that whatever waits for it fails. Thread-safe; may take a while over TLS. */
    void abort();

    /** Makes connections. */
    @FunctionalInterface
    interface Connector extends java.io.Serializable {

        /** A new connection, authenticated. */
        RedisConnection connect();
    }
}
