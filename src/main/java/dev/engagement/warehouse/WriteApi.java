package dev.engagement.warehouse;

import com.google.protobuf.ByteString;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The Storage Write API as far as it is used here. Thread-safe; nothing blocks. A future fails with a
 * {@link WarehouseFailure} and completes on any thread.
 */
interface WriteApi extends AutoCloseable {

    /** Opens a connection to a stream of type BUFFERED: a new one of the table if {@code stream} is null. */
    CompletableFuture<Appender> open(@Nullable String stream);

    /** Makes the rows of a stream visible, up to and including the one at {@code offset}. */
    CompletableFuture<Void> flush(String stream, long offset);

    /** Ends all connections; waits a few seconds at most. */
    @Override
    void close();

    /** A connection to a stream. */
    interface Appender {

        /** The stream's name. */
        String stream();

        /** Appends rows, the first of them at {@code offset}; in the order of the calls. */
        CompletableFuture<Void> append(List<ByteString> rows, long offset);

        /** Ends the connection, whatever is under way. The stream stays as it is. */
        void abandon();
    }
}
