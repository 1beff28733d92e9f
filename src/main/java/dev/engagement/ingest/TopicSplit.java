package dev.engagement.ingest;

import dev.engagement.connection.topics.TopicIds;
import java.util.Objects;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.kafka.common.Uuid;

/**
 * A partition, the offset to continue at, and the id of the topic that the offset belongs to.
 *
 * <p>A subclass, so that Flink's own enumerator of Kafka's partitions hands it around.
 */
final class TopicSplit extends KafkaPartitionSplit {

    private final Uuid topicId;

    TopicSplit(KafkaPartitionSplit split, Uuid topicId) {
        super(
                split.getTopicPartition(),
                split.getStartingOffset(),
                split.getStoppingOffset().orElse(NO_STOPPING_OFFSET));
        this.topicId = topicId;
    }

    /** The id of a split's topic; unknown if it was never asked for. */
    static Uuid topicIdOf(KafkaPartitionSplit split) {
        return split instanceof TopicSplit known ? known.topicId : TopicIds.UNKNOWN;
    }

    @Override
    public boolean equals(Object other) {
        return super.equals(other) && other instanceof TopicSplit that && topicId.equals(that.topicId);
    }

    @Override
    public int hashCode() {
        return Objects.hash(super.hashCode(), topicId);
    }

    @Override
    public String toString() {
        return super.toString() + ", topic " + topicId;
    }
}
