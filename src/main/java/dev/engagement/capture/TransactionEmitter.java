package dev.engagement.capture;

import org.apache.flink.api.connector.source.SourceOutput;
import org.apache.flink.cdc.connectors.base.source.meta.offset.OffsetFactory;
import org.apache.flink.cdc.connectors.base.source.meta.split.SourceSplitState;
import org.apache.flink.cdc.connectors.base.source.meta.split.StreamSplitState;
import org.apache.flink.cdc.connectors.base.source.metrics.SourceReaderMetrics;
import org.apache.flink.cdc.connectors.base.source.reader.IncrementalSourceRecordEmitter;
import org.apache.flink.cdc.connectors.shaded.org.apache.kafka.connect.source.SourceRecord;
import org.apache.flink.cdc.debezium.DebeziumDeserializationSchema;
import org.jspecify.annotations.Nullable;

/** Emits records and keeps {@link StreamPosition} in the split's state. On the task thread. */
final class TransactionEmitter extends IncrementalSourceRecordEmitter<Captured> {

    private @Nullable SourceSplitState split;
    private @Nullable StreamPosition position;

    TransactionEmitter(
            DebeziumDeserializationSchema<Captured> deserializer,
            SourceReaderMetrics metrics,
            OffsetFactory offsetFactory) {
        super(deserializer, metrics, false, offsetFactory);
    }

    @Override
    protected void processElement(SourceRecord record, SourceOutput<Captured> output, SourceSplitState splitState)
            throws Exception {
        if (!splitState.isStreamSplitState()) {
            super.processElement(record, output, splitState);
            return;
        }
        StreamSplitState stream = splitState.asStreamSplitState();
        StreamPosition current = position;
        if (current == null || split != splitState) {
            split = splitState;
            current = new StreamPosition(stream.getStartingOffset());
            position = current;
        }
        super.processElement(record, output, splitState);
        stream.setStartingOffset(current.after(record.sourceOffset()));
    }
}
