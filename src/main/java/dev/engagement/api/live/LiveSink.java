package dev.engagement.api.live;

import java.util.concurrent.CompletionStage;

/**
 * The way to one client, of a WebSocket or of server-sent events. Called by any thread; the end may come while it
 * sends.
 */
public interface LiveSink {

    /**
     * Begins to send, and must not block: all clients wait meanwhile. The next message comes once this one is out, and
     * until then newer ones take the place of older ones.
     *
     * @return completed when the message has left; exceptionally if the client cannot be reached, which is the end of
     *     it
     */
    CompletionStage<Void> send(LiveMessage message);

    /** Ends the connection; does not block, and nothing comes after it. */
    void close(String why);
}
