package dev.engagement.delivery;

import dev.engagement.connection.topics.TopicIds;
import java.util.List;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.kafka.common.Uuid;

/**
 * A partition of the retry topic, the offset to continue at, the id of the topic that the offset belongs to, and the
 * deliveries before it that are unfinished.
 *
 * <p>A subclass, so that Flink's own enumerator of Kafka's partitions hands it around.
 */
final class DrainSplit extends KafkaPartitionSplit {

    private final List<Delivery> unfinished;
    private final Uuid topicId;

    DrainSplit(KafkaPartitionSplit split, List<Delivery> unfinished, Uuid topicId) {
        super(
                split.getTopicPartition(),
                split.getStartingOffset(),
                split.getStoppingOffset().orElse(NO_STOPPING_OFFSET));
        this.unfinished = List.copyOf(unfinished);
        this.topicId = topicId;
    }

    /** The id of a split's topic; unknown if it was never asked for. */
    static Uuid topicIdOf(KafkaPartitionSplit split) {
        return split instanceof DrainSplit drain ? drain.topicId : TopicIds.UNKNOWN;
    }

    List<Delivery> unfinished() {
        return unfinished;
    }

    @Override
    public boolean equals(Object other) {
        return super.equals(other)
                && other instanceof DrainSplit that
                && unfinished.equals(that.unfinished)
                && topicId.equals(that.topicId);
    }

    @Override
    public int hashCode() {
        return super.hashCode();
    }

    @Override
    public String toString() {
        return super.toString() + ", " + unfinished.size() + " unfinished";
    }
}
