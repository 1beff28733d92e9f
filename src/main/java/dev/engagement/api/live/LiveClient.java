package dev.engagement.api.live;

/** A client that is told changes. */
public interface LiveClient extends AutoCloseable {

    /** Forgets it, once its connection has ended; its sink is not called any more, except by a call that has begun. */
    @Override
    void close();
}
