package dev.engagement.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.connection.topics.TopicIds;
import dev.engagement.event.EngagementEvent;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.connector.source.ReaderOutput;
import org.apache.flink.api.connector.source.SourceEvent;
import org.apache.flink.api.connector.source.SourceOutput;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.flink.metrics.groups.SourceReaderMetricGroup;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.apache.flink.util.SimpleUserCodeClassLoader;
import org.apache.flink.util.UserCodeClassLoader;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.consumer.OffsetResetStrategy;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class TopicSourceReaderTest {

    private static final TopicPartition P0 = new TopicPartition("topic", 0);

    /** Else readers that got their partitions earlier would run ahead, and its first events be late. */
    @Test
    void a_reader_holds_event_time_back_as_soon_as_it_has_a_partition_and_not_before() throws Exception {
        try (TopicSourceReader<EngagementEvent> reader = TopicSourceReader.of(
                TopicSourceReaderTest::unreadable,
                new EventDecoder("topic", 1_024, Clock.systemUTC()),
                new SchemasInUse(new KnownSchemas(), WireFormat.CONFLUENT, false),
                context())) {
            Output output = new Output();
            reader.pollNext(output);
            reader.pollNext(output);
            assertThat(output.statuses).containsOnly("idle");

            output.statuses.clear();
            reader.addSplits(List.of(new KafkaPartitionSplit(P0, 0)));
            reader.pollNext(output);
            reader.pollNext(output);
            assertThat(output.statuses).containsExactly("active");
        }
    }

    /** A partition that has records of which none comes. */
    private static TopicSplitReader unreadable() {
        MockConsumer<byte[], byte[]> consumer = new MockConsumer<>(OffsetResetStrategy.NONE);
        consumer.updateEndOffsets(Map.of(P0, 5L));
        return new TopicSplitReader(consumer, Clock.systemUTC(), Duration.ofMillis(500), false, TopicIds.none(), null);
    }

    private static SourceReaderContext context() {
        return new SourceReaderContext() {
            @Override
            public SourceReaderMetricGroup metricGroup() {
                return UnregisteredMetricsGroup.createSourceReaderMetricGroup();
            }

            @Override
            public Configuration getConfiguration() {
                return new Configuration();
            }

            @Override
            public String getLocalHostName() {
                return "localhost";
            }

            @Override
            public int getIndexOfSubtask() {
                return 0;
            }

            @Override
            public void sendSplitRequest() {}

            @Override
            public void sendSourceEventToCoordinator(SourceEvent event) {}

            @Override
            public UserCodeClassLoader getUserCodeClassLoader() {
                return SimpleUserCodeClassLoader.create(getClass().getClassLoader());
            }
        };
    }

    private static final class Output implements ReaderOutput<DecodedRecord<EngagementEvent>> {
        private final List<String> statuses = new ArrayList<>();

        @Override
        public void markIdle() {
            statuses.add("idle");
        }

        @Override
        public void markActive() {
            statuses.add("active");
        }

        @Override
        public void collect(DecodedRecord<EngagementEvent> decoded) {}

        @Override
        public void collect(DecodedRecord<EngagementEvent> decoded, long timestamp) {}

        @Override
        public void emitWatermark(Watermark watermark) {}

        @Override
        public SourceOutput<DecodedRecord<EngagementEvent>> createOutputForSplit(String splitId) {
            return this;
        }

        @Override
        public void releaseOutputForSplit(String splitId) {}
    }
}
