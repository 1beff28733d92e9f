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

    /** The first may come too early: Flink CDC ignores it until the batch of its first change is through. */
    private static final int CONFIRMATIONS = 2;

    private final CaptureDialect dialect;
    private @Nullable SourceSplitState split;
    private int confirmations;
    private long startLsn;
    private @Nullable StreamPosition position;

    TransactionEmitter(
            DebeziumDeserializationSchema<Captured> deserializer,
            SourceReaderMetrics metrics,
            OffsetFactory offsetFactory,
            CaptureDialect dialect) {
        super(deserializer, metrics, false, offsetFactory);
        this.dialect = dialect;
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
            current = new StreamPosition(stream.getStartingOffset(), dialect.line());
            position = current;
            confirmations = 0;
        }
        if (confirmations < CONFIRMATIONS) {
            confirmStart(stream);
        }
        super.processElement(record, output, splitState);
        stream.setStartingOffset(current.after(record.sourceOffset()));
    }

    /** Where the stream began; the second time one byte further, as no position is confirmed twice. */
    private void confirmStart(StreamSplitState stream) throws Exception {
        if (confirmations == 0) {
            startLsn = StreamPosition.of(stream.getStartingOffset()).lsn();
        }
        confirmations++;
        long lsn = startLsn - CONFIRMATIONS + confirmations;
        if (lsn > 0) {
            dialect.confirm(lsn);
        }
    }
}
