package dev.engagement.writeback;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The way to a store. {@link BacklogWriter} says when something is sent and what becomes of what the store does not take; a
 * link says how it is sent and what the answer means.
 *
 * <p>One attempt is under way at a time: made on the task thread, sent on the I/O thread, read on the task thread again.
 *
 * @param <V> kind of value
 */
public interface Link<V extends WriteBackValue<V>> {

    /** Whether something waits for the store beside the values. On the task thread. */
    default boolean hasMore() {
        return false;
    }

    /**
     * Makes an attempt to write a batch of these items, and of what else waits. On the task thread.
     *
     * @param items may be none: then it is only to be seen to that there is a connection, and found out whether the store
     *     still is the one it was
     * @param nowMillis the wall clock, milliseconds since the epoch
     */
    Attempt attempt(List<Item<V>> items, long nowMillis);

    /** Makes an attempt that is being sent fail soon. By any thread; may take a while. */
    void abort();

    /** Closes the connection. On the I/O thread, or when that has ended. */
    void close();

    /** A batch on its way. */
    interface Attempt {

        /**
         * Sends it and takes in the answer, on the I/O thread. What the store does or does not do is part of the answer; what
         * is thrown is a fault of ours and fails the job.
         */
        void send();

        /** What the answer means, and counts it. On the task thread, once, after {@link #send}. */
        Outcome outcome(long nowMillis);
    }

    /**
     * What became of a batch.
     *
     * @param missing for each item, in their order, the parts that the store still lacks; 0 if it has all, or never will have
     * @param error why something is missing, for a log; null if nothing is
     * @param refused whether it needs a person to put that right
     * @param someDone whether the store took anything nevertheless
     * @param incarnation what tells the store from one that has forgotten something, as of before the batch: as long as the
     *     text is the same, everything that was written since it was first asked for is still there. Of a store that is
     *     trusted to keep what it has, always the same text. Null if the store was not reached
     */
    record Outcome(
            long[] missing,
            @Nullable String error,
            boolean refused,
            boolean someDone,
            @Nullable String incarnation) {}
}
