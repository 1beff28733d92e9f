package dev.engagement.rowstore;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A store as far as rows go into it: into a stream, where nobody sees them, and from there, all at once, to where everybody
 * does. Thread-safe; nothing blocks. A future fails with a {@link RowFailure} and completes on any thread.
 */
public interface RowApi extends AutoCloseable {

    /** Opens a connection to a stream: a new one if {@code stream} is null. */
    CompletableFuture<Appender> open(@Nullable String stream);

    /**
     * What is to be known of a stream's rows to show them, when all so many are taken and none will be appended any more.
     * Asked only of a store whose streams end with a checkpoint.
     */
    default CompletableFuture<byte[]> complete(String stream, long rows) {
        return CompletableFuture.completedFuture(Appended.NO_DETAIL);
    }

    /** Shows the rows of a stream, up to and including the one that {@code rows} names. Again, it changes nothing. */
    CompletableFuture<Void> show(Appended rows);

    /** Ends all connections; waits a few seconds at most. */
    @Override
    void close();

    /** A connection to a stream. */
    interface Appender {

        /** The stream's name. */
        String stream();

        /** Appends rows, the first of them at {@code offset}; in the order of the calls. */
        CompletableFuture<Void> append(List<byte[]> rows, long offset);

        /** Ends the connection, whatever is under way. The stream stays as it is. */
        void abandon();
    }
}
