package dev.engagement.redrive;

import dev.engagement.event.EventId;
import org.apache.kafka.clients.producer.ProducerRecord;

/** Where a letter belongs. */
sealed interface Placement {

    /**
     * Into a topic.
     *
     * @param atOnce whether it must not wait for others: what it was compared with may change
     */
    record InTopic(ProducerRecord<byte[], byte[]> record, boolean atOnce) implements Placement {}

    /** Into the warehouse, if its row is not there. */
    record InTable(EventId eventId, byte[] enrichedJson) implements Placement {}

    /** Nowhere. */
    record Nowhere(String why) implements Placement {}
}
