package dev.engagement.capture;

import dev.engagement.deadletter.DeadLetter;
import dev.engagement.deadletter.DeadLetterTypes;
import dev.engagement.deadletter.Reason;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.util.Collector;

/** Rows for Kafka go on; an oversize row becomes a dead letter that refers to it. */
final class OversizeSplit extends ProcessFunction<Captured, Captured.Row> {

    private static final long serialVersionUID = 1L;

    static final String STAGE = "capture";

    private final MemorySize maxRowBytes;

    OversizeSplit(MemorySize maxRowBytes) {
        this.maxRowBytes = maxRowBytes;
    }

    @Override
    public void processElement(Captured captured, Context context, Collector<Captured.Row> out) {
        if (captured instanceof Captured.Row row) {
            out.collect(row);
        } else if (captured instanceof Captured.Oversize row) {
            context.output(
                    DeadLetterTypes.DEAD_LETTERS,
                    letter(row, maxRowBytes, context.timerService().currentProcessingTime()));
        }
    }

    static DeadLetter letter(Captured.Oversize row, MemorySize limit, long nowMillis) {
        DeadLetter.Source source = new DeadLetter.Source(row.table(), -1, row.lsn(), row.committedAtMillis());
        // Rows of a snapshot have no sequence number, and rows written at once share one: the key tells them apart.
        String id = DeadLetter.idOf(
                new DeadLetter.Source(row.table() + ' ' + row.key(), -1, row.lsn(), 0), STAGE, Reason.OVERSIZE);
        String error = "The row " + row.key() + " of " + row.table() + " (op " + row.operation() + ", LSN "
                + Lsns.format(row.lsn()) + ") makes " + row.bytes() + " bytes; capture.max-row-bytes allows "
                + limit.getBytes() + ". It is still in the table";
        DeadLetter.Header key =
                new DeadLetter.Header(DeadLetter.ROW_KEY, row.key().getBytes(StandardCharsets.UTF_8));
        return new DeadLetter(
                id, Reason.OVERSIZE, STAGE, error, 1, nowMillis, source, row.eventId(), null, List.of(key));
    }
}
