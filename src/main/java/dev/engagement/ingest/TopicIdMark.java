package dev.engagement.ingest;

import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;

/**
 * Stands before the first record of a partition that is read of another topic than the split knew of, or of the first that
 * it learns of: from here on the offsets are that topic's. Its offset is where reading goes on.
 */
final class TopicIdMark extends ConsumerRecord<byte[], byte[]> {

    private final long continueAt;
    private final Uuid topicId;

    /**
     * Makes a mark.
     *
     * @param continueAt next offset to be read, or a named one of Flink's, such as the earliest
     */
    TopicIdMark(TopicPartition partition, long continueAt, Uuid topicId) {
        super(
                partition.topic(),
                partition.partition(),
                Math.max(0, continueAt),
                NO_TIMESTAMP,
                TimestampType.NO_TIMESTAMP_TYPE,
                NULL_SIZE,
                NULL_SIZE,
                null,
                null,
                new RecordHeaders(),
                Optional.empty());
        this.continueAt = continueAt;
        this.topicId = topicId;
    }

    long continueAt() {
        return continueAt;
    }

    Uuid topicId() {
        return topicId;
    }
}
