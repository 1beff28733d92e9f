package dev.engagement.capture;

import dev.engagement.capture.SlotContinuity.Position;
import java.util.HashMap;
import java.util.Map;
import org.apache.flink.cdc.connectors.base.source.meta.offset.Offset;
import org.apache.flink.cdc.connectors.postgres.source.offset.PostgresOffset;
import org.jspecify.annotations.Nullable;

/**
 * The position in the write-ahead log that goes into state, and the line of history that it is on: always between two
 * transactions, just before the end of the last one that is complete.
 *
 * <p>Flink CDC's own position is that of the last change. Continuing there loses rows: Debezium 1.9 drops the first
 * change of a transaction whose sequence number equals the end of the commit before it, and all but the first of the
 * changes that share one sequence number (COPY). From here a restart begins with the first incomplete transaction and
 * repeats it whole, so rows come twice and never not at all. One byte before the end, because no change and no commit
 * has that number, and because confirming it does not tell the driver that all it received is safe.
 */
final class StreamPosition {

    /** Debezium's names of the parts of an offset. */
    static final String LSN = "lsn";

    private static final String COMMIT_LSN = "lsn_commit";
    /** Debezium reads no offset without it. */
    static final String COMMIT_TIME = "ts_usec";

    /** Ours, and whole numbers as Debezium's are, which reads no other. A build before wrote neither. */
    private static final String SYSTEM = "engagement_system";

    private static final String TIMELINE = "engagement_timeline";

    private final SourceLine line;
    private Offset current;
    private long commitLsn;

    /**
     * Begins where the split began.
     *
     * @param line that is read
     */
    StreamPosition(Offset start, SourceLine line) {
        this.current = start;
        this.line = line;
    }

    /**
     * The position after a record with that Debezium offset. Its commit time is that of the record's own transaction: if
     * that one is not complete yet, it is the first that a restart repeats.
     */
    Offset after(Map<String, ?> record) {
        if (record.get(COMMIT_LSN) instanceof Long commit && commit != commitLsn) {
            commitLsn = commit;
            current = offset(commit - 1, record.get(COMMIT_TIME) instanceof Long time ? time : 0L, line);
        }
        return current;
    }

    /**
     * An offset on a line.
     *
     * @param committedAtMicros what committed before it is in Kafka; 0 if that is not known
     */
    static Offset offset(long lsn, long committedAtMicros, SourceLine line) {
        Map<String, Object> parts = new HashMap<>();
        parts.put(LSN, lsn);
        parts.put(COMMIT_TIME, committedAtMicros);
        if (line.isKnown()) {
            parts.put(SYSTEM, line.systemId());
            parts.put(TIMELINE, line.timeline());
        }
        return PostgresOffset.of(parts);
    }

    /** The line that an offset is on; not known of one of a build before. */
    static SourceLine lineOf(@Nullable Offset offset) {
        return offset == null
                ? SourceLine.UNKNOWN
                : new SourceLine(number(offset.getOffset().get(SYSTEM)), (int)
                        number(offset.getOffset().get(TIMELINE)));
    }

    /** The position in an offset, of this build or of Flink CDC. */
    static Position of(@Nullable Offset offset) {
        if (offset == null) {
            return Position.UNKNOWN;
        }
        Map<String, String> parts = offset.getOffset();
        // Flink CDC writes the least Instant, overflown, where it has no time.
        return new Position(Math.max(0, number(parts.get(LSN))), Math.max(0, number(parts.get(COMMIT_TIME))));
    }

    private static long number(@Nullable String text) {
        return text == null ? 0 : Long.parseLong(text);
    }
}
