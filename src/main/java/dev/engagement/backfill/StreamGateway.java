package dev.engagement.backfill;

import dev.engagement.deadletter.Reason;
import dev.engagement.event.ContentChange;
import dev.engagement.event.EventId;
import java.io.IOException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The way to the stream, its topics, and what it says of what it took in. Thread-safe, but for what reads it. */
interface StreamGateway extends AutoCloseable {

    /** Takes what is said of an event that became a dead letter. */
    @FunctionalInterface
    interface EachLetter {
        void take(EventId eventId, Reason reason);
    }

    /** Takes what is said of a content, and under which key. */
    @FunctionalInterface
    interface EachContent {
        void take(ContentChange change, byte @Nullable [] key);
    }

    /** Publishes a row's envelope, with capture's key; may wait until there is room. */
    void publish(EventId id, byte[] envelope);

    /**
     * Publishes a content's envelope; may wait until there is room. Of one content in the order of the calls.
     *
     * @param key as capture writes it: it says in which partition the other records of this content are
     * @param envelope null if there is no such content any more
     */
    void publishContent(byte[] key, byte @Nullable [] envelope);

    /**
     * What the content topic says from its beginning to where it ends now, of each content in the order of writing; without
     * what the stream would make a dead letter.
     *
     * @throws IOException if Kafka does not answer
     */
    void contents(EachContent each) throws IOException;

    /**
     * Waits until all that was published is safe.
     *
     * @return the offset behind the last published event, by partition
     * @throws BackfillException if a record was not taken
     */
    Map<Integer, Long> flush();

    /** The offset up to which the stream has taken in each partition, as far as it said so. */
    Map<Integer, Long> takenIn() throws IOException;

    /**
     * The letters that keep events out of the warehouse: those that were written since this was opened, and of those that
     * the warehouse refused the older ones as well, as a row that is known is not refused twice. A call begins where the
     * last one ended; a letter may come again.
     *
     * @throws IOException if Kafka does not answer
     */
    void letters(EachLetter each) throws IOException;

    @Override
    void close();
}
