package dev.engagement.ingest;

import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;

/**
 * Stands among the records of a partition behind the last one that the partition held at a moment: everything that was
 * there then has been read. Its timestamp is that moment, its offset the position that reading goes on at, which counts
 * the transaction markers and compacted records that are never seen.
 */
final class EndMark extends ConsumerRecord<byte[], byte[]> {

    private final int partitions;

    /**
     * Makes a mark.
     *
     * @param partition which was read to its end
     * @param position next offset to be read
     * @param atMillis the moment, milliseconds since the epoch
     * @param partitions how many partitions the topic has
     */
    EndMark(TopicPartition partition, long position, long atMillis, int partitions) {
        super(
                partition.topic(),
                partition.partition(),
                position,
                atMillis,
                TimestampType.NO_TIMESTAMP_TYPE,
                NULL_SIZE,
                NULL_SIZE,
                null,
                null,
                new RecordHeaders(),
                Optional.empty());
        this.partitions = partitions;
    }

    int partitions() {
        return partitions;
    }
}
