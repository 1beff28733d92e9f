package dev.engagement.ingest;

import dev.engagement.connection.KafkaConnection;
import java.io.Serializable;
import org.apache.flink.configuration.MemorySize;
import org.jspecify.annotations.Nullable;

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
 * @param rules what an event must have
 * @param registry where the schemas are, or null: what needs one is a dead letter then
 * @param format what values and keys are
 */
public record IngestOptions(
        KafkaConnection kafka,
        String eventsTopic,
        String contentTopic,
        String groupId,
        MemorySize maxRecordBytes,
        boolean acceptGap,
        EventTimeOptions eventTime,
        EventRules rules,
        @Nullable RegistryOptions registry,
        IngestFormat format)
        implements Serializable {

    private static final long serialVersionUID = 1L;

    public IngestOptions {
        if (maxRecordBytes.getBytes() < 1024
                || maxRecordBytes.getBytes() > MemorySize.ofMebiBytes(8).getBytes()) {
            throw new IllegalArgumentException(
                    "ingest.max-record-bytes is " + maxRecordBytes + "; it must be between 1 kb and 8 mb");
        }
        if (format == IngestFormat.REGISTRY && registry == null) {
            throw new IllegalArgumentException(
                    "ingest.format is registry and registry.url is missing; give the address of"
                            + " the schema registry, or leave ingest.format at auto");
        }
    }
}
