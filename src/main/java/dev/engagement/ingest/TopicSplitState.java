package dev.engagement.ingest;

import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplitState;
import org.apache.kafka.common.Uuid;

/** How far a partition has been read, and of which topic. For the task thread. */
final class TopicSplitState extends KafkaPartitionSplitState {

    private Uuid topicId;

    TopicSplitState(KafkaPartitionSplit split) {
        super(split);
        topicId = TopicSplit.topicIdOf(split);
    }

    void setTopicId(Uuid id) {
        topicId = id;
    }

    TopicSplit toTopicSplit() {
        return new TopicSplit(toKafkaPartitionSplit(), topicId);
    }
}
