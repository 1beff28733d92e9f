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

/** Rows for Kafka go on; one that is too large, or cannot be read, becomes a dead letter that refers to it. */
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
        }
    }

    static DeadLetter letter(Captured.Unreadable row, long nowMillis) {
        return letter(
                Reason.UNDECODABLE,
                row.table(),
                row.key(),
                row.lsn(),
                row.committedAtMillis(),
                row.eventId(),
                "The row " + row.key() + " of " + row.table() + " (op " + row.operation() + ", LSN "
                        + Lsns.format(row.lsn()) + ") cannot be read: " + row.problem(),
                nowMillis);
    }

    static DeadLetter letter(Captured.Oversize row, MemorySize limit, long nowMillis) {
        return letter(
                Reason.OVERSIZE,
                row.table(),
                row.key(),
                row.lsn(),
                row.committedAtMillis(),
                row.eventId(),
                "The row " + row.key() + " of " + row.table() + " (op " + row.operation() + ", LSN "
                        + Lsns.format(row.lsn()) + ") makes " + row.bytes() + " bytes; capture.max-row-bytes allows "
                        + limit.getBytes() + ". It is still in the table",
                nowMillis);
    }

    private static DeadLetter letter(
            Reason reason,
            String table,
            String key,
            long lsn,
            long committedAtMillis,
            @Nullable Long eventId,
            String error,
            long nowMillis) {
        // Rows of a snapshot have no sequence number, and rows written at once share one: the key tells them apart.
        String id = DeadLetter.idOf(new DeadLetter.Source(table + ' ' + key, -1, lsn, 0), STAGE, reason);
        DeadLetter.Header header = new DeadLetter.Header(DeadLetter.ROW_KEY, key.getBytes(StandardCharsets.UTF_8));
        return new DeadLetter(
                id,
                reason,
                STAGE,
                error,
                1,
                nowMillis,
                new DeadLetter.Source(table, -1, lsn, committedAtMillis),
                eventId,
                null,
                List.of(header));
    }
}
