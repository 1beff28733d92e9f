package dev.engagement.ingest;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.apache.flink.api.connector.source.ReaderOutput;
import org.apache.flink.api.connector.source.SourceOutput;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.base.source.reader.RecordEmitter;
import org.apache.flink.connector.base.source.reader.SingleThreadMultiplexSourceReaderBase;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplitState;
import org.apache.flink.core.io.InputStatus;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * The reader of a {@link TopicSource}: decodes on the task thread, keeps the offsets, reports them to Kafka when a
 * checkpoint has completed.
 *
 * @param <T> what a good record holds
 */
final class TopicSourceReader<T>
        extends SingleThreadMultiplexSourceReaderBase<
                ConsumerRecord<byte[], byte[]>, DecodedRecord<T>, KafkaPartitionSplit, KafkaPartitionSplitState> {

    private final SplitReaders splitReaders;
    private final SchemasInUse schemas;
    private boolean idle;
    private final TreeMap<Long, Map<TopicPartition, OffsetAndMetadata>> offsetsByCheckpoint = new TreeMap<>();

    /** The one split reader, made by the fetcher when the first split comes, and made again if the fetcher was closed. */
    private static final class SplitReaders implements Supplier<TopicSplitReader> {
        private final Supplier<TopicSplitReader> factory;
        private volatile @Nullable TopicSplitReader newest;

        SplitReaders(Supplier<TopicSplitReader> factory) {
            this.factory = factory;
        }

        @Override
        public TopicSplitReader get() {
            TopicSplitReader made = factory.get();
            newest = made;
            return made;
        }
    }

    static <T> TopicSourceReader<T> of(
            Supplier<TopicSplitReader> factory, Decoder<T> decoder, SchemasInUse schemas, SourceReaderContext context) {
        return new TopicSourceReader<>(new SplitReaders(factory), decoder, schemas, context);
    }

    private TopicSourceReader(
            SplitReaders splitReaders, Decoder<T> decoder, SchemasInUse schemas, SourceReaderContext context) {
        super(splitReaders::get, new Emitter<>(decoder, schemas, context), new Configuration(), context);
        this.splitReaders = splitReaders;
        this.schemas = schemas;
        context.metricGroup().gauge("partitionsAwaitingSchema", () -> {
            TopicSplitReader reader = splitReaders.newest;
            return reader == null ? 0 : reader.awaitingSchema();
        });
        context.metricGroup().gauge("failedSchemaRequests", () -> {
            TopicSplitReader reader = splitReaders.newest;
            return reader == null ? 0L : reader.failedSchemaRequests();
        });
        context.metricGroup().setPendingRecordsGauge(() -> {
            TopicSplitReader reader = splitReaders.newest;
            return reader == null ? 0L : reader.lag();
        });
        context.metricGroup().gauge("failedOffsetReports", () -> {
            TopicSplitReader reader = splitReaders.newest;
            return reader == null ? 0L : reader.failedCommits();
        });
    }

    @Override
    public InputStatus pollNext(ReaderOutput<DecodedRecord<T>> output) throws Exception {
        if (getNumberOfCurrentlyAssignedSplits() == 0) {
            // More readers than partitions: who reads nothing must not hold event time back.
            output.markIdle();
            idle = true;
        } else if (idle) {
            // Who has something to read does, before its first record as well: others may be ahead of it by then.
            output.markActive();
            idle = false;
        }
        return super.pollNext(output);
    }

    @Override
    public List<KafkaPartitionSplit> snapshotState(long checkpointId) {
        List<KafkaPartitionSplit> splits = super.snapshotState(checkpointId);
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        for (KafkaPartitionSplit split : splits) {
            if (split.getStartingOffset() >= 0) {
                offsets.put(split.getTopicPartition(), new OffsetAndMetadata(split.getStartingOffset()));
            }
        }
        offsetsByCheckpoint.put(checkpointId, offsets);
        return splits;
    }

    @Override
    public void notifyCheckpointComplete(long checkpointId) {
        Map<TopicPartition, OffsetAndMetadata> offsets = offsetsByCheckpoint.get(checkpointId);
        offsetsByCheckpoint.headMap(checkpointId, true).clear();
        TopicSplitReader reader = splitReaders.newest;
        if (offsets != null && reader != null) {
            reader.commitLater(offsets);
        }
    }

    @Override
    protected void onSplitFinished(Map<String, KafkaPartitionSplitState> finished) {
        // A bounded source keeps nothing of what it has read.
    }

    @Override
    protected KafkaPartitionSplitState initializedState(KafkaPartitionSplit split) {
        // Before the fetcher gets the split: what is known needs no registry.
        schemas.restore(split);
        return new TopicSplitState(split);
    }

    @Override
    protected KafkaPartitionSplit toSplitType(String splitId, KafkaPartitionSplitState state) {
        return ((TopicSplitState) state).toTopicSplit();
    }

    private static final class Emitter<T>
            implements RecordEmitter<ConsumerRecord<byte[], byte[]>, DecodedRecord<T>, KafkaPartitionSplitState> {

        private final Decoder<T> decoder;
        private final SchemasInUse schemas;
        private final org.apache.flink.metrics.Counter bytesIn;
        private final DecodedRecord<T> decoded = new DecodedRecord<>();

        Emitter(Decoder<T> decoder, SchemasInUse schemas, SourceReaderContext context) {
            this.decoder = decoder;
            this.schemas = schemas;
            this.bytesIn = context.metricGroup().getIOMetricGroup().getNumBytesInCounter();
        }

        @Override
        public void emitRecord(
                ConsumerRecord<byte[], byte[]> record,
                SourceOutput<DecodedRecord<T>> output,
                KafkaPartitionSplitState state) {
            if (record instanceof TopicIdMark mark) {
                // Both at once: an offset is of that topic, in every checkpoint.
                ((TopicSplitState) state).setTopicId(mark.topicId());
                state.setCurrentOffset(mark.continueAt());
                return;
            }
            if (record instanceof EndMark mark) {
                decoded.readToEnd(mark.partition(), mark.partitions(), mark.timestamp());
                output.collect(decoded, mark.timestamp());
                state.setCurrentOffset(mark.offset());
                return;
            }
            byte[] value = record.value();
            if (value != null) {
                bytesIn.inc(value.length);
            }
            decoder.decode(record, decoded);
            schemas.note(record, (TopicSplitState) state);
            output.collect(decoded, record.timestamp());
            state.setCurrentOffset(record.offset() + 1);
        }
    }
}
