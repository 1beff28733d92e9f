package dev.engagement.delivery;

import java.util.List;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;

/**
 * A partition of the retry topic, the offset to continue at, and the deliveries before it that are unfinished.
 *
 * <p>A subclass, so that Flink's own enumerator of Kafka's partitions hands it around.
 */
final class DrainSplit extends KafkaPartitionSplit {

    private final List<Delivery> unfinished;

    DrainSplit(KafkaPartitionSplit split, List<Delivery> unfinished) {
        super(
                split.getTopicPartition(),
                split.getStartingOffset(),
                split.getStoppingOffset().orElse(NO_STOPPING_OFFSET));
        this.unfinished = List.copyOf(unfinished);
    }

    List<Delivery> unfinished() {
        return unfinished;
    }

    @Override
    public boolean equals(Object other) {
        return super.equals(other) && other instanceof DrainSplit that && unfinished.equals(that.unfinished);
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
