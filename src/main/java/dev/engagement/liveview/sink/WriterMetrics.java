package dev.engagement.liveview.sink;

import java.util.function.IntSupplier;
import java.util.function.LongSupplier;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.Histogram;
import org.apache.flink.metrics.MetricGroup;

/** What a writer tells of itself. Updated on the task thread. */
final class WriterMetrics {

    private static final int HISTOGRAM_VALUES = 4_096;

    /** Writes that Redis acknowledged, whatever their outcome. */
    final Counter writes;
    /** Bytes of keys and arguments of acknowledged writes. */
    final Counter writtenBytes;
    /** Values that a newer or equal one of the same slot made needless before they were sent. */
    final Counter coalesced;
    /** Values whose time was over. */
    final Counter expired;
    /** Writes that found something as new or newer. */
    final Counter superseded;
    /** Writes that replaced what the live view cannot have written. */
    final Counter unreadableReplaced;
    /** Elements left out because a clock gone wrong stamped them. */
    final Counter futureDated;
    /** Attempts that have to be repeated. */
    final Counter redisRetries;
    /** Writes that Redis refused for want of memory. */
    final Counter redisOutOfMemory;
    /** Milliseconds during which the task stood still because too much was pending. */
    final Counter blockedMillis;
    /** From the commit in the source to the acknowledged write, of values that say when they were committed. */
    final Histogram commitToVisibleMillis;
    /** Writes per pipeline. */
    final Histogram batchSize;

    /** False from a failure to the next success. */
    private volatile boolean up = true;

    WriterMetrics(MetricGroup group, IntSupplier pendingEntries, LongSupplier pendingBytes) {
        writes = group.counter("writes");
        writtenBytes = group.counter("writtenBytes");
        coalesced = group.counter("coalesced");
        expired = group.counter("expired");
        superseded = group.counter("superseded");
        unreadableReplaced = group.counter("unreadableReplaced");
        futureDated = group.counter("futureDated");
        redisRetries = group.counter("redisRetries");
        redisOutOfMemory = group.counter("redisOutOfMemory");
        blockedMillis = group.counter("blockedMillis");
        commitToVisibleMillis = group.histogram("commitToVisibleMillis", new SlidingHistogram(HISTOGRAM_VALUES));
        batchSize = group.histogram("batchSize", new SlidingHistogram(HISTOGRAM_VALUES));
        Gauge<Integer> entries = pendingEntries::getAsInt;
        Gauge<Long> bytes = pendingBytes::getAsLong;
        Gauge<Integer> redisUp = () -> up ? 1 : 0;
        group.gauge("pendingEntries", entries);
        group.gauge("pendingBytes", bytes);
        group.gauge("redisUp", redisUp);
    }

    /** Sets {@code redisUp}, and tells whether that changes it. */
    boolean setUp(boolean now) {
        boolean changes = up != now;
        up = now;
        return changes;
    }
}
