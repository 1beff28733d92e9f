package dev.engagement.delivery;

import dev.engagement.connection.KafkaConnection;
import dev.engagement.connection.topics.TopicDiscovery;
import dev.engagement.connection.topics.TopicIds;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.connector.source.Boundedness;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.api.java.typeutils.ResultTypeQueryable;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.KafkaSourceEnumState;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.util.concurrent.FutureUtils;
import org.apache.kafka.clients.consumer.OffsetResetStrategy;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The drain: reads the retry topic and posts what stands in it itself, paced, so that nothing has to wait in an operator
 * behind it. Flink's {@link KafkaSource} finds, assigns and reads the partitions; the reader around it decides when the
 * next record is read, and keeps what is unfinished with its partition.
 *
 * <p>Guarantee: each record is delivered at least once, handed back to the tail, or becomes a dead letter. Oldest first in
 * each partition as far as the first attempt goes; what has to be tried again does not hold up what stands behind it.
 */
final class DrainSource
        implements Source<Drained, KafkaPartitionSplit, KafkaSourceEnumState>, ResultTypeQueryable<Drained> {

    private static final Logger LOG = LoggerFactory.getLogger(DrainSource.class);

    private static final long serialVersionUID = 1L;

    private final KafkaSource<RetryTopicEntry> partitions;
    private final DeliveryPlan plan;
    private final String topic;
    private final TopicIds topicIds;
    private final RetryLog.Factory log;
    private final boolean acceptGap;

    private DrainSource(
            KafkaSource<RetryTopicEntry> partitions,
            DeliveryPlan plan,
            String topic,
            TopicIds topicIds,
            RetryLog.Factory log,
            boolean acceptGap) {
        this.partitions = partitions;
        this.plan = plan;
        this.topic = topic;
        this.topicIds = topicIds;
        this.log = log;
        this.acceptGap = acceptGap;
    }

    /**
     * The drain of a topic.
     *
     * @param groupId under which offsets are shown in Kafka
     * @param acceptGap whether to go on where the topic begins when the offset to continue at is gone
     */
    static DrainSource of(String topic, KafkaConnection kafka, String groupId, boolean acceptGap, DeliveryPlan plan) {
        Properties properties = kafka.clientProperties();
        // What is fetched ahead and not posted yet waits in memory.
        properties.putIfAbsent("max.poll.records", "100");
        properties.putIfAbsent("max.partition.fetch.bytes", Integer.toString(1024 * 1024));
        properties.putIfAbsent("fetch.max.bytes", Integer.toString(4 * 1024 * 1024));
        properties.putIfAbsent("isolation.level", "read_committed");
        TopicDiscovery.configure(properties);
        KafkaSource<RetryTopicEntry> partitions = KafkaSource.<RetryTopicEntry>builder()
                .setTopics(topic)
                .setGroupId(groupId)
                .setClientIdPrefix(groupId + "-" + topic)
                .setStartingOffsets(new Earliest(acceptGap ? OffsetResetStrategy.EARLIEST : OffsetResetStrategy.NONE))
                .setDeserializer(new RetryTopicEntry.Reading())
                .setProperties(properties)
                .build();
        return new DrainSource(
                partitions, plan, topic, TopicIds.of(kafka), RetryLog.of(kafka, topic, groupId), acceptGap);
    }

    /** A first start begins at the earliest record; a record that is gone later is another matter. */
    private record Earliest(OffsetResetStrategy whenGone) implements OffsetsInitializer {

        private static final long serialVersionUID = 1L;

        @Override
        public Map<TopicPartition, Long> getPartitionOffsets(
                Collection<TopicPartition> partitions, PartitionOffsetsRetriever retriever) {
            return OffsetsInitializer.earliest().getPartitionOffsets(partitions, retriever);
        }

        @Override
        public OffsetResetStrategy getAutoOffsetResetStrategy() {
            return whenGone;
        }
    }

    @Override
    public Boundedness getBoundedness() {
        return partitions.getBoundedness();
    }

    @Override
    public SourceReader<Drained, KafkaPartitionSplit> createReader(SourceReaderContext context) throws Exception {
        return new DrainReader(
                partitions.createReader(context),
                new DrainReader.Topic(
                        topic, positions -> CompletableFuture.supplyAsync(() -> known(positions)), acceptGap),
                (deleted, failed) -> new RetryRetention(
                        log,
                        plan.retryRetention(),
                        Clock.systemUTC(),
                        DrainSource::runElsewhere,
                        deleted,
                        failed,
                        LOG::warn),
                plan,
                plan.drainRate() / context.currentParallelism(),
                plan.sender().open(),
                Clock.systemUTC(),
                DrainSource::ringLater,
                context.metricGroup());
    }

    /** What Kafka knows of the topic; of partitions that it has not it would say nothing, until somebody gives up. */
    private DrainReader.Known known(Map<Integer, Long> positions) {
        TopicIds.Found found = topicIds.find(topic);
        Map<Integer, Long> there = new TreeMap<>(positions);
        there.keySet().removeIf(partition -> partition >= found.partitions());
        return new DrainReader.Known(found, RetryRetention.beginnings(log, there));
    }

    private static void runElsewhere(Runnable work) {
        CompletableFuture<Void> unused = CompletableFuture.runAsync(work);
    }

    private static void ringLater(long delayMillis, Runnable ring) {
        CompletableFuture<Void> alarm = new CompletableFuture<>();
        CompletableFuture<Void> unused = alarm.thenRun(ring);
        FutureUtils.completeDelayed(alarm, null, Duration.ofMillis(delayMillis));
    }

    @Override
    public SplitEnumerator<KafkaPartitionSplit, KafkaSourceEnumState> createEnumerator(
            SplitEnumeratorContext<KafkaPartitionSplit> context) {
        return partitions.createEnumerator(TopicDiscovery.in(context, topic, topicIds));
    }

    @Override
    public SplitEnumerator<KafkaPartitionSplit, KafkaSourceEnumState> restoreEnumerator(
            SplitEnumeratorContext<KafkaPartitionSplit> context, KafkaSourceEnumState checkpoint) throws IOException {
        return partitions.restoreEnumerator(TopicDiscovery.in(context, topic, topicIds), checkpoint);
    }

    @Override
    public SimpleVersionedSerializer<KafkaPartitionSplit> getSplitSerializer() {
        return new DrainSplitSerializer();
    }

    @Override
    public SimpleVersionedSerializer<KafkaSourceEnumState> getEnumeratorCheckpointSerializer() {
        return partitions.getEnumeratorCheckpointSerializer();
    }

    @Override
    public TypeInformation<Drained> getProducedType() {
        return DrainedTypes.DRAINED;
    }
}
