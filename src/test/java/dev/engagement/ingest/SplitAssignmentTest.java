package dev.engagement.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.connection.topics.TopicIds;
import java.time.Clock;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.apache.flink.connector.base.source.reader.splitreader.SplitsAddition;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.consumer.OffsetResetStrategy;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

/** Where reading begins when partitions are added to those that are being read. */
class SplitAssignmentTest {

    private static final TopicPartition P0 = new TopicPartition("topic", 0);
    private static final TopicPartition P1 = new TopicPartition("topic", 1);

    private final SeekingConsumer consumer = new SeekingConsumer();
    private final TopicSplitReader reader =
            new TopicSplitReader(consumer, Clock.systemUTC(), Duration.ofMillis(500), false, TopicIds.none(), null);

    @Test
    void a_partition_added_at_an_offset_does_not_send_the_others_back_to_their_beginning() {
        add(P0, 40);
        add(P1, 7);

        assertThat(consumer.position(P0)).isEqualTo(40);
        assertThat(consumer.position(P1)).isEqualTo(7);
    }

    @Test
    void a_partition_added_at_its_beginning_leaves_the_others_where_they_are() {
        add(P0, 40);
        add(P1, KafkaPartitionSplit.EARLIEST_OFFSET);

        assertThat(consumer.position(P0)).isEqualTo(40);
        assertThat(consumer.position(P1)).isEqualTo(0);
    }

    private void add(TopicPartition partition, long offset) {
        reader.handleSplitsChanges(new SplitsAddition<>(List.of(new KafkaPartitionSplit(partition, offset))));
    }

    /** Seeks as the real client does, which Kafka's mock does not: no partitions named are all partitions. */
    private static final class SeekingConsumer extends MockConsumer<byte[], byte[]> {
        SeekingConsumer() {
            super(OffsetResetStrategy.EARLIEST);
            updateBeginningOffsets(Map.of(P0, 0L, P1, 0L));
        }

        @Override
        public synchronized void seekToBeginning(Collection<TopicPartition> partitions) {
            super.seekToBeginning(partitions.isEmpty() ? assignment() : partitions);
        }
    }
}
