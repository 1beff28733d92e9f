package dev.engagement.redrive;

import dev.engagement.connection.KafkaConnection;
import dev.engagement.connection.TopicReader;
import dev.engagement.ingest.RecordKey;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * The newest record of each content. Of contents the latest record is what counts, so an older one that is put back would
 * undo what came after it.
 */
final class ContentRecords implements AutoCloseable {

    /** Where the newest record of a content is. */
    record Newest(int partition, long offset, long timestampMillis) {}

    private final TopicReader reader;
    private final String topic;
    private Map<TopicPartition, Long> readTo = Map.of();
    private final Map<String, Newest> newest = new HashMap<>();

    ContentRecords(KafkaConnection kafka, String topic) {
        this.reader = TopicReader.open(kafka);
        this.topic = topic;
    }

    /**
     * The newest record of a content now, deletions included.
     *
     * @return null if the topic has none
     */
    @Nullable
    Newest of(String id) throws IOException {
        readTo = reader.read(topic, readTo, Map.of(), this::add);
        return newest.get(id);
    }

    private void add(ConsumerRecord<byte[], byte[]> record) {
        String id = RecordKey.identityOf(record.key());
        if (id != null) {
            newest.merge(
                    id,
                    new Newest(record.partition(), record.offset(), record.timestamp()),
                    // Partition by partition there is an order; over several, their time has to do.
                    (before, after) -> before.partition() != after.partition()
                                    && before.timestampMillis() > after.timestampMillis()
                            ? before
                            : after);
        }
    }

    @Override
    public void close() {
        reader.close();
    }
}
