package dev.engagement.backfill;

import java.util.Map;

/** The way to the stream: the events topic. Thread-safe. */
interface Stream extends AutoCloseable {

    /** Publishes a row's envelope, with capture's key; may wait until there is room. */
    void publish(long id, byte[] envelope);

    /**
     * Waits until all that was published is safe.
     *
     * @return the offset behind the last published record, by partition
     * @throws BackfillException if a record was not taken
     */
    Map<Integer, Long> flush();

    /** The offset up to which the stream has taken in each partition, as far as it said so. */
    Map<Integer, Long> takenIn();

    @Override
    void close();
}
