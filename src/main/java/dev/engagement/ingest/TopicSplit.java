package dev.engagement.ingest;

import dev.engagement.connection.registry.RegisteredSchema;
import dev.engagement.connection.topics.TopicIds;
import java.util.Map;
import java.util.Objects;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.kafka.common.Uuid;

/**
 * A partition, the offset to continue at, the id of the topic that the offset belongs to, and the schemas that its latest
 * records were written by: whoever goes on needs no registry for more of them.
 *
 * <p>A subclass, so that Flink's own enumerator of Kafka's partitions hands it around.
 */
final class TopicSplit extends KafkaPartitionSplit {

    private final Uuid topicId;
    private final Map<Long, RegisteredSchema> schemas;

    TopicSplit(KafkaPartitionSplit split, Uuid topicId) {
        this(split, topicId, Map.of());
    }

    /** @param schemas by their ids */
    TopicSplit(KafkaPartitionSplit split, Uuid topicId, Map<Long, RegisteredSchema> schemas) {
        super(
                split.getTopicPartition(),
                split.getStartingOffset(),
                split.getStoppingOffset().orElse(NO_STOPPING_OFFSET));
        this.topicId = topicId;
        this.schemas = Map.copyOf(schemas);
    }

    /** The id of a split's topic; unknown if it was never asked for. */
    static Uuid topicIdOf(KafkaPartitionSplit split) {
        return split instanceof TopicSplit known ? known.topicId : TopicIds.UNKNOWN;
    }

    /** The schemas of a split, by their ids. */
    static Map<Long, RegisteredSchema> schemasOf(KafkaPartitionSplit split) {
        return split instanceof TopicSplit known ? known.schemas : Map.of();
    }

    @Override
    public boolean equals(Object other) {
        return super.equals(other)
                && other instanceof TopicSplit that
                && topicId.equals(that.topicId)
                && schemas.equals(that.schemas);
    }

    @Override
    public int hashCode() {
        return Objects.hash(super.hashCode(), topicId, schemas);
    }

    @Override
    public String toString() {
        return super.toString() + ", topic " + topicId + ", schemas " + schemas.keySet();
    }
}
