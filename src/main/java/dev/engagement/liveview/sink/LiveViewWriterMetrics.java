package dev.engagement.liveview.sink;

import dev.engagement.liveview.LiveValue;
import dev.engagement.writeback.SlidingHistogram;
import dev.engagement.writeback.WriteBack;
import dev.engagement.writeback.WriteBackMetrics;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.Histogram;
import org.apache.flink.metrics.MetricGroup;

/** What a writer tells of itself. Updated on the task thread. */
final class LiveViewWriterMetrics {

    private static final int HISTOGRAM_VALUES = 4_096;

    /** Writes that Redis acknowledged, whatever their outcome. */
    final Counter writes;
    /** Bytes of keys and arguments of acknowledged writes. */
    final Counter writtenBytes;
    /** Values whose time was over. */
    final Counter expired;
    /** Writes that found something as new or newer. */
    final Counter superseded;
    /** Writes that replaced what the live view cannot have written. */
    final Counter unreadableReplaced;
    /** Writes of which nobody could be told, as the user of Redis may not publish. */
    final Counter unannounced;
    /** Elements left out because a clock gone wrong stamped them. */
    final Counter futureDated;
    /** Writes that Redis refused for want of memory. */
    final Counter redisOutOfMemory;
    /** Writes that can never be applied. */
    final Counter givenUp;
    /** Events that the event cache left out. */
    final Counter eventCacheLeftOut;
    /** From the commit in the source to the acknowledged write, of values that say when they were committed. */
    final Histogram commitToVisibleMillis;
    /** Writes per pipeline. */
    final Histogram batchSize;

    /**
     * {@code coalesced}, {@code backlogForgotten}, {@code redisRetries}; {@code redisUp}; {@code redisRefused}: somebody has to
     * put right a password, a right or a certificate.
     */
    final WriteBackMetrics writeBack;

    LiveViewWriterMetrics(MetricGroup group) {
        writes = group.counter("writes");
        writtenBytes = group.counter("writtenBytes");
        expired = group.counter("expired");
        superseded = group.counter("superseded");
        unreadableReplaced = group.counter("unreadableReplaced");
        unannounced = group.counter("unannounced");
        futureDated = group.counter("futureDated");
        redisOutOfMemory = group.counter("redisOutOfMemory");
        givenUp = group.counter("givenUp");
        eventCacheLeftOut = group.counter("eventCacheLeftOut");
        commitToVisibleMillis = group.histogram("commitToVisibleMillis", new SlidingHistogram(HISTOGRAM_VALUES));
        batchSize = group.histogram("batchSize", new SlidingHistogram(HISTOGRAM_VALUES));
        writeBack = new WriteBackMetrics(
                group.counter("coalesced"), group.counter("backlogForgotten"), group.counter("redisRetries"));
        Gauge<Integer> redisUp = writeBack::up;
        Gauge<Integer> redisRefused = writeBack::refused;
        group.gauge("redisUp", redisUp);
        group.gauge("redisRefused", redisRefused);
    }

    /** Shows what waits. */
    void show(MetricGroup group, WriteBack<LiveValue> values) {
        Gauge<Integer> entries = values::entries;
        Gauge<Long> bytes = values::bytes;
        Gauge<Integer> rewriting = () -> values.isRewriting() ? 1 : 0;
        Gauge<Long> rewrites = values::rewrites;
        group.gauge("pendingEntries", entries);
        group.gauge("pendingBytes", bytes);
        group.gauge("rewriting", rewriting);
        group.gauge("rewrites", rewrites);
    }
}
