package dev.engagement.ingest;

import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Turns one Kafka record into what it means. Never throws for anything that a record may hold: what cannot be read
 * becomes a dead letter. For one thread.
 *
 * @param <T> what a good record holds
 */
public interface Decoder<T> {

    /** Whether a record's key matters, too. */
    default boolean readsKeys() {
        return false;
    }

    /** Says in {@code out} what {@code record} is. */
    void decode(ConsumerRecord<byte[], byte[]> record, DecodedRecord<T> out);
}
