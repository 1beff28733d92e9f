package dev.engagement.dedupe;

import dev.engagement.event.types.EventShards;
import java.util.Iterator;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.flink.api.common.state.MapState;

/**
 * A set of ids that are texts, in keyed state: each whole, with when it arrived first and whether only a snapshot has
 * brought it. Nothing is held in the heap: an id is one entry, found by one look.
 *
 * <p>A shard's ids lie in {@link #BUCKETS} namespaces, by their hashes, so that each is as large as any other whatever the
 * ids look like, and forgetting what is old never has to go through more than one at a time.
 */
final class TextIds {

    /** Parts of a shard. */
    static final int BUCKETS = 512;

    private static final long MINUTE_MILLIS = 60_000;
    private static final int SWEEPS_PER_HORIZON = 16;

    /** Until when minutes fit, with a bit to spare: the year 4011. */
    private static final long MAX_MINUTES = (1L << 30) - 1;

    private static final int SNAPSHOT_ONLY = 1;

    /** State in which one bucket stands. */
    @FunctionalInterface
    interface Buckets {
        MapState<String, Integer> of(Integer bucket) throws Exception;
    }

    /** What an arrival is. */
    enum Arrival {
        FIRST,
        REPEATED,
        /** An insert, and the first one, of a row that a snapshot had read. */
        INSERTED_AFTER_SNAPSHOT
    }

    private final Buckets state;
    private final Consumer<Object> currentKey;
    private final int[] shards;
    private final long horizonMillis;

    /** Which bucket of which shard is swept next, and when by the clock of arrivals. */
    private int nextBucket;

    private long nextSweepMillis = Long.MIN_VALUE;

    /**
     * The ids in {@code state}.
     *
     * @param currentKey sets the key of the state
     * @param shards those of this subtask
     * @param horizonMillis how long after its first arrival an id is kept at least
     */
    TextIds(Buckets state, Consumer<Object> currentKey, int[] shards, long horizonMillis) {
        this.state = state;
        this.currentKey = currentKey;
        this.shards = shards.clone();
        this.horizonMillis = horizonMillis;
    }

    /**
     * Puts an id in.
     *
     * @param hash the id's
     * @param snapshot whether a snapshot brought it
     * @param clockMillis the clock of arrivals: an id is kept for the horizon from here on, as a record that is older than
     *     others read before it may come again as late as they
     */
    Arrival add(String id, long hash, boolean snapshot, long clockMillis) throws Exception {
        sweep(clockMillis);
        currentKey.accept(EventShards.keyOf(EventShards.shardOf(hash)));
        MapState<String, Integer> bucket = state.of(bucketOf(hash));
        Integer known = bucket.get(id);
        if (known == null) {
            bucket.put(id, minutes(clockMillis) << 1 | (snapshot ? SNAPSHOT_ONLY : 0));
            return Arrival.FIRST;
        }
        if (snapshot || (known & SNAPSHOT_ONLY) == 0) {
            return Arrival.REPEATED;
        }
        bucket.put(id, known & ~SNAPSHOT_ONLY);
        return Arrival.INSERTED_AFTER_SNAPSHOT;
    }

    /** By other bits than the shard. */
    private static Integer bucketOf(long hash) {
        return (int) (hash >>> 32) & BUCKETS - 1;
    }

    /** Rounded up, as an id is kept at least so long. */
    private static int minutes(long millis) {
        long minutes = (Math.max(0, millis) + MINUTE_MILLIS - 1) / MINUTE_MILLIS;
        return (int) Math.min(minutes, MAX_MINUTES);
    }

    /** One bucket at most for an event, and each once while the clock moves by a part of the horizon. */
    private void sweep(long clockMillis) throws Exception {
        long round = horizonMillis / SWEEPS_PER_HORIZON;
        long total = (long) shards.length * BUCKETS;
        if (nextSweepMillis == Long.MIN_VALUE) {
            nextSweepMillis = clockMillis;
        }
        if (clockMillis < nextSweepMillis) {
            return;
        }
        // A clock that has leapt owes one round, as one round finds all that is old.
        nextSweepMillis = Math.max(nextSweepMillis, clockMillis - round) + Math.max(1, round / total);
        currentKey.accept(EventShards.keyOf(shards[nextBucket / BUCKETS]));
        int oldest = (int) Math.max(0, (clockMillis - horizonMillis) / MINUTE_MILLIS);
        MapState<String, Integer> bucket = state.of(nextBucket % BUCKETS);
        boolean anyGone = false;
        boolean anyLeft = false;
        for (Iterator<Map.Entry<String, Integer>> ids = bucket.iterator(); ids.hasNext(); ) {
            if (ids.next().getValue() >> 1 < oldest) {
                ids.remove();
                anyGone = true;
            } else {
                anyLeft = true;
            }
        }
        if (anyGone && !anyLeft) {
            // On the heap an empty one would stay.
            bucket.clear();
        }
        nextBucket = (int) ((nextBucket + 1) % total);
    }
}
