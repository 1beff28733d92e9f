package dev.engagement.capture;

import dev.engagement.deadletter.DeadLetter;
import dev.engagement.deadletter.DeadLetterTypes;
import dev.engagement.deadletter.Reason;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.util.Collector;
import org.jspecify.annotations.Nullable;

/**
 * Rows for Kafka go on; one that is too large, or cannot be read, becomes a dead letter that refers to it. That of an outbox's
 * row holds what was in it, too: the row may be gone.
 */
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
        } else if (captured instanceof Captured.Unreadable row) {
            context.output(
                    DeadLetterTypes.DEAD_LETTERS,
                    letter(row, context.timerService().currentProcessingTime()));
        } else if (captured instanceof Captured.Misfit row) {
            context.output(
                    DeadLetterTypes.DEAD_LETTERS,
                    letter(row, context.timerService().currentProcessingTime()));
        }
    }

    static DeadLetter letter(Captured.Misfit row, long nowMillis) {
        return letter(row, Reason.UNDECODABLE, "cannot be used: " + row.problem(), row.payload(), nowMillis);
    }

    static DeadLetter letter(Captured.Unreadable row, long nowMillis) {
        return letter(row, Reason.UNDECODABLE, "cannot be read: " + row.problem(), null, nowMillis);
    }

    static DeadLetter letter(Captured.Oversize row, MemorySize limit, long nowMillis) {
        String what = "makes " + row.bytes() + " bytes; capture.max-row-bytes allows " + limit.getBytes()
                + ". It is still in the table";
        return letter(row, Reason.OVERSIZE, what, null, nowMillis);
    }

    private static DeadLetter letter(
            Captured.Refused row, Reason reason, String what, byte @Nullable [] payload, long nowMillis) {
        // Rows of a snapshot have no sequence number, and rows written at once share one: the key tells them apart.
        DeadLetter.Source identity = new DeadLetter.Source(row.table() + ' ' + row.key(), -1, row.lsn(), 0);
        DeadLetter.Header header =
                new DeadLetter.Header(DeadLetter.ROW_KEY, row.key().getBytes(StandardCharsets.UTF_8));
        return new DeadLetter(
                DeadLetter.idOf(identity, STAGE, reason),
                reason,
                STAGE,
                "The row " + row.key() + " of " + row.table() + " (op " + row.operation() + ", LSN "
                        + Lsns.format(row.lsn()) + ") " + what,
                1,
                nowMillis,
                new DeadLetter.Source(row.table(), -1, row.lsn(), row.committedAtMillis()),
                row.eventId(),
                payload,
                List.of(header));
    }
}
