package dev.engagement.rowstore;

import java.util.function.LongSupplier;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.Histogram;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.runtime.metrics.DescriptiveStatisticsHistogram;

/** What a writer tells of itself. Updated on the task thread. */
final class RowWriterMetrics {

    private static final int HISTOGRAM_VALUES = 1_024;

    /** Rows that the store acknowledged. */
    final Counter rows;
    /** Bytes of acknowledged rows. */
    final Counter bytes;
    /** From the commit in the source to the acknowledged row, of events that say when they were committed. */
    final Histogram commitToWrittenMillis;
    /** From an append to its acknowledgement. */
    final Histogram appendLatencyMillis;
    /** Connections that were given up and made anew. */
    final Counter retries;
    /** Rows that became dead letters. */
    final Counter rejected;
    /** Rows in whose raw_payload numbers were rounded. */
    final Counter rounded;
    /** Streams that were opened. */
    final Counter streams;
    /** Milliseconds during which the task stood still because too much was in flight. */
    final Counter blockedMillis;

    RowWriterMetrics(MetricGroup group, LongSupplier inFlightBytes) {
        rows = group.counter("rows");
        bytes = group.counter("bytes");
        commitToWrittenMillis =
                group.histogram("commitToWrittenMillis", new DescriptiveStatisticsHistogram(HISTOGRAM_VALUES));
        appendLatencyMillis =
                group.histogram("appendLatencyMillis", new DescriptiveStatisticsHistogram(HISTOGRAM_VALUES));
        retries = group.counter("retries");
        rejected = group.counter("rejected");
        rounded = group.counter("rounded");
        streams = group.counter("streams");
        blockedMillis = group.counter("blockedMillis");
        Gauge<Long> inFlight = inFlightBytes::getAsLong;
        group.gauge("inFlightBytes", inFlight);
    }
}
