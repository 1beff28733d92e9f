package dev.engagement.event;

/**
 * Where a record stood in its topic. The topic itself is known from the stage that read it.
 *
 * @param partition Kafka partition
 * @param offset Kafka offset
 * @param timestampMillis the Kafka record's timestamp, milliseconds since the epoch: it replays identically
 */
public record Position(int partition, long offset, long timestampMillis) {}
