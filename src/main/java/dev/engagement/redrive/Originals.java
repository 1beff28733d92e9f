package dev.engagement.redrive;

import java.time.Duration;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** Single records by their place: what a letter was made of, if Kafka still has it. */
final class Originals implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final Duration POLL = Duration.ofMillis(200);

    private final Consumer<byte[], byte[]> consumer;

    private Originals(Consumer<byte[], byte[]> consumer) {
        this.consumer = consumer;
    }

    static Originals of(Properties kafka) {
        Properties properties = new Properties();
        properties.putAll(kafka);
        // One record is wanted of each fetch; a larger one comes nevertheless.
        properties.setProperty("max.partition.fetch.bytes", "16384");
        properties.setProperty("max.poll.records", "1");
        return new Originals(TopicReading.consumer(properties));
    }

    /** Whether the topic has that partition. */
    boolean hasPartition(String topic, int partition) {
        List<PartitionInfo> partitions = consumer.partitionsFor(topic);
        return partitions != null && partitions.stream().anyMatch(info -> info.partition() == partition);
    }

    /**
     * A record.
     *
     * @return null if it is not there any more, or never was
     * @throws RedriveException if Kafka does not answer
     */
    @Nullable
    ConsumerRecord<byte[], byte[]> at(String topic, int partition, long offset) throws RedriveException {
        TopicPartition where = new TopicPartition(topic, partition);
        if (offset < 0 || !hasPartition(topic, partition)) {
            return null;
        }
        consumer.assign(List.of(where));
        long end = consumer.endOffsets(List.of(where)).getOrDefault(where, 0L);
        if (offset >= end) {
            return null;
        }
        consumer.seek(where, offset);
        long until = System.nanoTime() + PATIENCE.toNanos();
        try {
            while (consumer.position(where) <= offset) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                    if (record.offset() == offset) {
                        return record;
                    }
                }
                if (System.nanoTime() > until) {
                    throw new RedriveException(
                            "Kafka has " + where + " and does not answer with its offset " + offset + " within "
                                    + PATIENCE.toSeconds() + " s",
                            new IllegalStateException("position " + consumer.position(where)));
                }
            }
        } catch (OffsetOutOfRangeException e) {
            // Retention has taken it.
            return null;
        }
        return null;
    }

    @Override
    public void close() {
        consumer.close();
    }
}
