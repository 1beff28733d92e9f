package dev.engagement.rollup.sink;

import dev.engagement.writeback.SlidingHistogram;
import dev.engagement.writeback.WriteBack;
import dev.engagement.writeback.WriteBackMetrics;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.Histogram;
import org.apache.flink.metrics.MetricGroup;

/** What a writer of the rollups' tables tells of itself. Updated on the task thread. */
final class RollupWriterMetrics {

    private static final int HISTOGRAM_VALUES = 4_096;

    /** Rows that their tables took. */
    final Counter rowsWritten;
    /** Rows of which the table had as new a version, or a newer one. */
    final Counter superseded;
    /** Rows that PostgreSQL can never take. */
    final Counter rowsGivenUp;
    /** Rows that were removed because they were older than their retention. */
    final Counter rowsRemoved;
    /** Rows per transaction. */
    final Histogram batchSize;
    /** {@code coalesced}, {@code backlogForgotten}, {@code retries}; {@code postgresUp}. */
    final WriteBackMetrics writeBack;

    /** Whether a table is refused while others are written. */
    private volatile boolean tableRefused;

    RollupWriterMetrics(MetricGroup group) {
        rowsWritten = group.counter("rowsWritten");
        superseded = group.counter("superseded");
        rowsGivenUp = group.counter("rowsGivenUp");
        rowsRemoved = group.counter("rowsRemoved");
        batchSize = group.histogram("batchSize", new SlidingHistogram(HISTOGRAM_VALUES));
        writeBack = new WriteBackMetrics(
                group.counter("coalesced"), group.counter("backlogForgotten"), group.counter("retries"));
        Gauge<Integer> postgresUp = writeBack::up;
        Gauge<Integer> refused = () -> tableRefused ? 1 : writeBack.refused();
        group.gauge("postgresUp", postgresUp);
        group.gauge("refused", refused);
    }

    /** Shows what waits. */
    void show(MetricGroup group, WriteBack<PendingRow> rows) {
        Gauge<Integer> entries = rows::entries;
        Gauge<Long> bytes = rows::bytes;
        group.gauge("pendingRows", entries);
        group.gauge("pendingBytes", bytes);
    }

    /** Sets {@code refused}: whether a person has to do something for one of the tables. */
    void tableRefused(boolean now) {
        tableRefused = now;
    }
}
