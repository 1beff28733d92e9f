package dev.engagement.ingest;

import dev.engagement.connection.registry.SchemaRegistry;
import dev.engagement.connection.topics.TopicDiscovery;
import dev.engagement.connection.topics.TopicIds;
import java.io.IOException;
import java.io.Serializable;
import java.time.Clock;
import java.time.Duration;
import java.util.Properties;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.connector.source.Boundedness;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.api.java.typeutils.ResultTypeQueryable;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.KafkaSourceBuilder;
import org.apache.flink.connector.kafka.source.enumerator.KafkaSourceEnumState;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;

/**
 * One Kafka topic, decoded: Flink's {@link KafkaSource} finds and assigns the partitions, also those that are added while
 * the job runs; the reading is our own, for three things that it does not do: it says when a partition has been read to its
 * end, it stops where the offset to continue at is gone or belongs to a topic that was made anew since, and it decodes into
 * one reused {@link DecodedRecord}. A split's state is Flink's with the topic's id beside it, and the schemas that its
 * records were written by.
 *
 * <p>Guarantee: each record is emitted once along one line of checkpoints. A first start begins at the earliest record.
 * Only committed records are read.
 *
 * @param <T> what a good record holds
 */
public final class TopicSource<T>
        implements Source<DecodedRecord<T>, KafkaPartitionSplit, KafkaSourceEnumState>,
                ResultTypeQueryable<DecodedRecord<T>> {

    private static final long serialVersionUID = 1L;

    private final KafkaSource<byte[]> partitions;
    private final Properties properties;

    /** Names the topic too: clients of one JVM that share an id share their metrics. */
    private final String clientIdPrefix;

    private final DecoderFactory<T> decoders;
    private final TypeInformation<DecodedRecord<T>> type;
    private final Duration markInterval;
    private final boolean acceptGap;
    private final String topic;
    private final TopicIds topicIds;
    private final IngestFormat format;
    private final @Nullable RegistryOptions registry;

    /** Makes the decoder of each reader. */
    @FunctionalInterface
    interface DecoderFactory<T> extends Serializable {
        Decoder<T> create(RecordFormat format);
    }

    private TopicSource(
            KafkaSource<byte[]> partitions,
            Properties properties,
            String clientIdPrefix,
            DecoderFactory<T> decoders,
            TypeInformation<DecodedRecord<T>> type,
            Duration markInterval,
            boolean acceptGap,
            String topic,
            TopicIds topicIds,
            IngestFormat format,
            @Nullable RegistryOptions registry) {
        this.partitions = partitions;
        this.properties = properties;
        this.clientIdPrefix = clientIdPrefix;
        this.decoders = decoders;
        this.type = type;
        this.markInterval = markInterval;
        this.acceptGap = acceptGap;
        this.topic = topic;
        this.topicIds = topicIds;
        this.format = format;
        this.registry = registry;
    }

    /**
     * The source of one topic.
     *
     * @param bounded whether to stop at the end that the topic has at the start
     */
    static <T> TopicSource<T> of(
            String topic,
            IngestOptions options,
            DecoderFactory<T> decoders,
            TypeInformation<DecodedRecord<T>> type,
            boolean bounded) {
        Properties properties = options.kafka().clientProperties();
        properties.putIfAbsent("max.poll.records", "2000");
        properties.putIfAbsent("isolation.level", "read_committed");
        if (!bounded) {
            TopicDiscovery.configure(properties);
        }
        properties.setProperty("group.id", options.groupId());
        properties.setProperty("enable.auto.commit", "false");
        properties.setProperty("key.deserializer", ByteArrayDeserializer.class.getName());
        properties.setProperty("value.deserializer", ByteArrayDeserializer.class.getName());
        String clientIdPrefix = options.groupId() + "-" + topic;
        KafkaSourceBuilder<byte[]> builder = KafkaSource.<byte[]>builder()
                .setTopics(topic)
                .setGroupId(options.groupId())
                .setClientIdPrefix(clientIdPrefix)
                .setStartingOffsets(OffsetsInitializer.earliest())
                .setDeserializer(KafkaRecordDeserializationSchema.valueOnly(ByteArrayDeserializer.class))
                .setProperties(properties);
        if (bounded) {
            builder.setBounded(OffsetsInitializer.latest());
        }
        return new TopicSource<>(
                builder.build(),
                properties,
                clientIdPrefix,
                decoders,
                type,
                markInterval(options.eventTime().idleTimeout()),
                options.acceptGap(),
                topic,
                TopicIds.of(options.kafka()),
                options.format(),
                options.registry());
    }

    /** Twice within the idle timeout, and neither a burden on the broker nor slower than a reader would notice. */
    private static Duration markInterval(Duration idleTimeout) {
        return Duration.ofMillis(Math.min(500, Math.max(50, idleTimeout.toMillis() / 2)));
    }

    @Override
    public Boundedness getBoundedness() {
        return partitions.getBoundedness();
    }

    @Override
    public SourceReader<DecodedRecord<T>, KafkaPartitionSplit> createReader(SourceReaderContext context) {
        KnownSchemas schemas = new KnownSchemas();
        WireFormat wire = registry == null ? WireFormat.CONFLUENT : registry.wire();
        Decoder<T> decoder = decoders.create(new RecordFormat(format, wire, registry == null ? null : schemas));
        return TopicSourceReader.of(
                () -> {
                    Properties consumer = consumerProperties(context.getIndexOfSubtask());
                    return new TopicSplitReader(
                            new KafkaConsumer<>(consumer),
                            Clock.systemUTC(),
                            markInterval,
                            acceptGap,
                            topicIds,
                            gate(wire, schemas, decoder.readsKeys()));
                },
                decoder,
                new SchemasInUse(schemas, wire, decoder.readsKeys()),
                context);
    }

    /** Nothing waits for a registry that nobody has named, or that nothing is read by. */
    private @Nullable SchemaGate gate(WireFormat wire, KnownSchemas schemas, boolean withKeys) {
        return registry == null || format == IngestFormat.JSON
                ? null
                : new SchemaGate(
                        new SchemaRegistry(registry.connection())::schema, wire, schemas, withKeys, Clock.systemUTC());
    }

    Properties consumerProperties(int subtask) {
        Properties consumer = new Properties();
        consumer.putAll(properties);
        // A missing offset is an error to be explained, not a reason to go on elsewhere.
        consumer.setProperty("auto.offset.reset", "none");
        consumer.setProperty("client.id", clientIdPrefix + "-" + subtask);
        return consumer;
    }

    @Override
    public SplitEnumerator<KafkaPartitionSplit, KafkaSourceEnumState> createEnumerator(
            SplitEnumeratorContext<KafkaPartitionSplit> context) {
        return partitions.createEnumerator(watched(context));
    }

    @Override
    public SplitEnumerator<KafkaPartitionSplit, KafkaSourceEnumState> restoreEnumerator(
            SplitEnumeratorContext<KafkaPartitionSplit> context, KafkaSourceEnumState checkpoint) throws IOException {
        return partitions.restoreEnumerator(watched(context), checkpoint);
    }

    /** A bounded run takes the topic as it is at its start. */
    private SplitEnumeratorContext<KafkaPartitionSplit> watched(SplitEnumeratorContext<KafkaPartitionSplit> context) {
        return getBoundedness() == Boundedness.BOUNDED ? context : TopicDiscovery.in(context, topic, topicIds);
    }

    @Override
    public SimpleVersionedSerializer<KafkaPartitionSplit> getSplitSerializer() {
        return new TopicSplitSerializer();
    }

    @Override
    public SimpleVersionedSerializer<KafkaSourceEnumState> getEnumeratorCheckpointSerializer() {
        return partitions.getEnumeratorCheckpointSerializer();
    }

    @Override
    public TypeInformation<DecodedRecord<T>> getProducedType() {
        return type;
    }
}
