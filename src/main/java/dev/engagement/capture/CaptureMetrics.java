package dev.engagement.capture;

import dev.engagement.capture.SourceDatabase.Slot;
import dev.engagement.capture.SourceDatabase.SlotView;
import java.time.Clock;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.MetricGroup;

/**
 * What capture tells of itself: how far the replication slot is behind, as the last heartbeat saw it, since a slot that
 * does not move on fills the source's disk; how old the last checkpoint is, since the slot moves on with checkpoints; and how
 * many rows of an outbox this run has removed.
 *
 * <p>Written by one thread, read by any.
 */
final class CaptureMetrics {

    /** No heartbeat yet, or a slot that is missing or lost. */
    static final long UNKNOWN = -1;

    private final Clock clock;
    private volatile long retainedBytes = UNKNOWN;
    private volatile long lagBytes = UNKNOWN;
    private volatile long checkpointedAtMillis;
    private final AtomicLong removedRows = new AtomicLong();

    CaptureMetrics(Clock clock) {
        this.clock = clock;
        this.checkpointedAtMillis = clock.millis();
    }

    /** Shows them, from now on. */
    void show(MetricGroup group) {
        Gauge<Long> retained = () -> retainedBytes;
        Gauge<Long> lag = () -> lagBytes;
        Gauge<Long> age = () -> Math.max(0, clock.millis() - checkpointedAtMillis);
        group.gauge("slotRetainedBytes", retained);
        group.gauge("slotLagBytes", lag);
        group.gauge("checkpointAgeMillis", age);
    }

    /** Shows how many rows of an outbox were removed, from now on. */
    void showRemoved(MetricGroup group) {
        Gauge<Long> removed = removedRows::get;
        group.gauge("outboxRowsRemoved", removed);
    }

    /** So many rows more of an outbox were removed. */
    void removed(long rows) {
        removedRows.addAndGet(rows);
    }

    /** Takes a look at the slot: bytes of log that PostgreSQL keeps for it, and that capture has not confirmed. */
    void seen(SlotView view) {
        Slot slot = view.slot();
        retainedBytes = slot == null ? UNKNOWN : behind(view.currentLsn(), slot.restartLsn());
        lagBytes = slot == null ? UNKNOWN : behind(view.currentLsn(), slot.confirmedLsn());
    }

    private static long behind(long currentLsn, long lsn) {
        return lsn == 0 ? UNKNOWN : Math.max(0, currentLsn - lsn);
    }

    /** A checkpoint is complete. */
    void checkpointed() {
        checkpointedAtMillis = clock.millis();
    }
}
