package dev.engagement.writeback;

import org.apache.flink.metrics.Counter;

/**
 * What write-back tells of itself, by whatever names its owner registers. Updated on the task thread; {@link #up} and
 * {@link #refused} are read by any.
 */
public final class WriteBackMetrics {

    /** Values that a newer one of the same id made needless before they were sent. */
    final Counter coalesced;
    /** Ids that were forgotten because too much waited: everything is written again for them. */
    final Counter forgotten;
    /** Attempts that have to be repeated. */
    final Counter retries;

    private volatile boolean up = true;
    private volatile boolean refused;

    /**
     * Counts into these.
     *
     * @param coalesced values that a newer one of the same id made needless before they were sent
     * @param forgotten ids that were forgotten because too much waited
     * @param retries attempts that have to be repeated
     */
    public WriteBackMetrics(Counter coalesced, Counter forgotten, Counter retries) {
        this.coalesced = coalesced;
        this.forgotten = forgotten;
        this.retries = retries;
    }

    /** 0 from a failure to the next success, otherwise 1. */
    public int up() {
        return up ? 1 : 0;
    }

    /** 1 while a person has to put something right, otherwise 0. */
    public int refused() {
        return refused ? 1 : 0;
    }

    /** Sets {@link #refused}. */
    void refused(boolean now) {
        refused = now;
    }

    /** Sets {@link #up}, and tells whether that changes it. */
    boolean setUp(boolean now) {
        boolean changes = up != now;
        up = now;
        return changes;
    }
}
