package dev.engagement.ingest;

import dev.engagement.connection.KafkaConnection;
import java.io.Serializable;
import org.apache.flink.configuration.MemorySize;

/**
 * What the stream reads.
 *
 * @param kafka how to reach Kafka
 * @param eventsTopic topic of engagement events
 * @param contentTopic topic of contents, compacted
 * @param groupId consumer group that offsets are reported under, for monitoring only
 * @param maxRecordBytes largest accepted value; a larger one becomes OVERSIZE
 * @param acceptGap whether to continue where Kafka no longer has the offset that the job was to continue at
 * @param eventTime how event time moves
 * @param contentRequired whether an event without a {@code content_id} is INVALID
 * @param format what the values of the events topic are
 */
public record IngestOptions(
        KafkaConnection kafka,
        String eventsTopic,
        String contentTopic,
        String groupId,
        MemorySize maxRecordBytes,
        boolean acceptGap,
        EventTimeOptions eventTime,
        boolean contentRequired,
        IngestFormat format)
        implements Serializable {

    private static final long serialVersionUID = 1L;

    public IngestOptions {
        if (maxRecordBytes.getBytes() < 1024
                || maxRecordBytes.getBytes() > MemorySize.ofMebiBytes(8).getBytes()) {
            throw new IllegalArgumentException(
                    "ingest.max-record-bytes is " + maxRecordBytes + "; it must be between 1 kb and 8 mb");
        }
    }
}
