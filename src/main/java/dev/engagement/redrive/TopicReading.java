package dev.engagement.redrive;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.function.LongConsumer;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Reads a topic's committed records from the first one to the end that it has when it is asked; then on from there. */
final class TopicReading implements AutoCloseable {

    private static final Duration POLL = Duration.ofMillis(200);

    /** Takes a record. */
    @FunctionalInterface
    interface Each {
        void record(ConsumerRecord<byte[], byte[]> record) throws RedriveException;
    }

    private final Consumer<byte[], byte[]> consumer;
    private final List<TopicPartition> partitions;

    private TopicReading(Consumer<byte[], byte[]> consumer, List<TopicPartition> partitions) {
        this.consumer = consumer;
        this.partitions = partitions;
    }

    /** At the first record. */
    static TopicReading of(Properties kafka, String topic) {
        KafkaConsumer<byte[], byte[]> consumer = consumer(kafka);
        List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
                .map((PartitionInfo partition) -> new TopicPartition(topic, partition.partition()))
                .toList();
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
        return new TopicReading(consumer, partitions);
    }

    /** A consumer of committed records without a group. */
    static KafkaConsumer<byte[], byte[]> consumer(Properties kafka) {
        Properties properties = new Properties();
        properties.putAll(kafka);
        properties.setProperty("isolation.level", "read_committed");
        properties.setProperty("enable.auto.commit", "false");
        properties.setProperty("auto.offset.reset", "none");
        return new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    /** The end that each partition has now, in committed records. */
    Map<TopicPartition, Long> ends() {
        return consumer.endOffsets(partitions);
    }

    /** Reads on to {@link #ends} as they are now. */
    void toTheEnd(Each each) throws RedriveException {
        to(ends(), each, done -> {});
    }

    /**
     * Reads on, and a little further where records stand behind the end by then.
     *
     * @param ends where to stop, the offset behind the last record of each partition
     * @param progress told now and then how many records have been read
     */
    void to(Map<TopicPartition, Long> ends, Each each, LongConsumer progress) throws RedriveException {
        List<TopicPartition> open = partitions;
        long read = 0;
        while (true) {
            open = open.stream()
                    .filter(partition -> consumer.position(partition) < ends.getOrDefault(partition, 0L))
                    .toList();
            consumer.pause(partitions);
            consumer.resume(open);
            if (open.isEmpty()) {
                return;
            }
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                each.record(record);
                read++;
            }
            progress.accept(read);
        }
    }

    @Override
    public void close() {
        consumer.close();
    }
}
