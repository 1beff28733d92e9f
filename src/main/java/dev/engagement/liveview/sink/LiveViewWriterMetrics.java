package dev.engagement.liveview.sink;

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
    /** Writes that can never be applied. */
    final Counter givenUp;
    /** Ids that were forgotten because too much waited: everything is written again for them. */
    final Counter backlogForgotten;
    /** Events that the event cache left out. */
    final Counter eventCacheLeftOut;
    /** From the commit in the source to the acknowledged write, of values that say when they were committed. */
    final Histogram commitToVisibleMillis;
    /** Writes per pipeline. */
    final Histogram batchSize;

    /** False from a failure to the next success. */
    private volatile boolean up = true;
    /** True while somebody has to put right a password, a right or a certificate. */
    private volatile boolean refused;

    LiveViewWriterMetrics(MetricGroup group) {
        writes = group.counter("writes");
        writtenBytes = group.counter("writtenBytes");
        coalesced = group.counter("coalesced");
        expired = group.counter("expired");
        superseded = group.counter("superseded");
        unreadableReplaced = group.counter("unreadableReplaced");
        futureDated = group.counter("futureDated");
        redisRetries = group.counter("redisRetries");
        redisOutOfMemory = group.counter("redisOutOfMemory");
        givenUp = group.counter("givenUp");
        backlogForgotten = group.counter("backlogForgotten");
        eventCacheLeftOut = group.counter("eventCacheLeftOut");
        commitToVisibleMillis = group.histogram("commitToVisibleMillis", new SlidingHistogram(HISTOGRAM_VALUES));
        batchSize = group.histogram("batchSize", new SlidingHistogram(HISTOGRAM_VALUES));
        Gauge<Integer> redisUp = () -> up ? 1 : 0;
        Gauge<Integer> redisRefused = () -> refused ? 1 : 0;
        group.gauge("redisUp", redisUp);
        group.gauge("redisRefused", redisRefused);
    }

    /** Shows what waits. */
    void show(MetricGroup group, Backlog backlog) {
        Gauge<Integer> entries = backlog::entries;
        Gauge<Long> bytes = backlog::bytes;
        Gauge<Integer> rewriting = () -> backlog.isRewriting() ? 1 : 0;
        Gauge<Long> rewrites = backlog::rewrites;
        group.gauge("pendingEntries", entries);
        group.gauge("pendingBytes", bytes);
        group.gauge("rewriting", rewriting);
        group.gauge("rewrites", rewrites);
    }

    /** Sets {@code redisRefused}: whether a person has to do something. */
    void refused(boolean now) {
        refused = now;
    }

    /** Sets {@code redisUp}, and tells whether that changes it. */
    boolean setUp(boolean now) {
        boolean changes = up != now;
        up = now;
        return changes;
    }
}
