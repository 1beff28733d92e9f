package dev.engagement.writeback;

import dev.engagement.writeback.WriteBackCache.Held;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.metrics.Counter;
import org.jspecify.annotations.Nullable;

/**
 * What the store does not have yet: ids, not values, so that what is sent is the newest there is when it is sent. Used by the
 * task thread.
 *
 * <p>Above a limit the ids are forgotten, and everything counts as dirty: once the store takes writes again, all that state
 * holds is written in shards, one after the other, behind what has just changed. The same happens when the store turns out
 * to have another incarnation than before: restarted empty, flushed, or replaced by a copy.
 *
 * <p>Values that are kept {@link Keeping#UNTIL_WRITTEN} leave state with the acknowledgement. Then all that state holds is
 * dirty, and after a restore all of it is written.
 *
 * @param <V> kind of value
 */
final class Backlog<V extends WriteBackValue<V>> {

    /** Values looked at in one go while everything is written again: the task thread has other things to do as well. */
    private static final int MAX_LOOKED_AT = 4_096;

    /** Values a batch of what is written again last, and of any however much changes. */
    static final int GENTLE = 100;

    /**
     * Something that was taken to be sent.
     *
     * @param shard that has it in state
     * @param place where it is held, or null if it was read from state to be written again
     */
    record Taken<V extends WriteBackValue<V>>(
            Item<V> item, int shard, @Nullable Held<V> place) {}

    private final WriteBackCache<V> values;
    private final ShownState<V> state;
    private final Keeping keeping;
    private final long[] rewriteOrder;
    private final WriterLimits limits;
    private final Counter coalesced;
    private final Counter forgotten;

    private final ArrayDeque<Held<V>> queue = new ArrayDeque<>();
    private final Map<Integer, DirtySet> saved = new HashMap<>();
    private List<Taken<V>> underWay = List.of();

    /** Whether state holds values that the store may lack and nothing else tells. */
    private boolean behind;

    private @Nullable Rewrite rewrite;

    /** The incarnation that holds what was written; null before the first, and after a restore from several. */
    private @Nullable String incarnation;

    private boolean anyIncarnationWillDo = true;

    /** Whether it is still to be found out if the store has the incarnation that a checkpoint knew. */
    private boolean unverified;

    /** Read by metric reporters. */
    private volatile int entries;

    private volatile long bytes;
    private volatile boolean rewriting;
    private volatile long rewrites;

    Backlog(
            WriteBackCache<V> values,
            ShownState<V> state,
            Keeping keeping,
            long[] rewriteOrder,
            WriterLimits limits,
            Counter coalesced,
            Counter forgotten) {
        this.values = values;
        this.state = state;
        this.keeping = keeping;
        this.rewriteOrder = rewriteOrder;
        this.limits = limits;
        this.coalesced = coalesced;
        this.forgotten = forgotten;
    }

    /** Takes up what a checkpoint left dirty. */
    void restore() throws Exception {
        if (keeping == Keeping.UNTIL_WRITTEN) {
            for (int i = 0; i < state.shards().length && !behind; i++) {
                behind = !state.all(state.shards()[i]).isEmpty();
            }
            return;
        }
        boolean first = true;
        for (int shard : state.shards()) {
            DirtySet dirty = state.dirty(shard);
            if (dirty == null) {
                continue;
            }
            anyIncarnationWillDo = false;
            unverified = true;
            incarnation = first || dirty.incarnation().equals(incarnation) ? dirty.incarnation() : null;
            first = false;
            behind |= dirty.everything();
            for (String id : dirty.ids()) {
                // Not under the shard that wrote it down, if the parallelism is another: then the newest of several
                // counts.
                V value = state.get(shard, id);
                if (value != null) {
                    Held<V> place = values.held(id);
                    if (place.value == null) {
                        values.replace(place, value);
                    }
                    enqueue(place, WriteBackValue.ALL_PARTS);
                    // Two shards may hold the id; either of the two values may be the newer one.
                    behind |= place.shard != shard;
                }
            }
        }
    }

    /** Parts of a value have changed. */
    void changed(Held<V> place, V value, long parts) {
        int before = place.bytes();
        if (place.queued) {
            coalesced.inc();
        }
        values.replace(place, value);
        if (place.queued) {
            place.waiting |= parts;
            bytes = bytes + place.bytes() - before;
        } else {
            enqueue(place, parts);
        }
        if (entries > limits.maxPendingEntries() || bytes > limits.maxPending().getBytes()) {
            forget();
        }
    }

    private void enqueue(Held<V> place, long parts) {
        place.waiting |= parts;
        if (!place.queued) {
            place.queued = true;
            queue.add(place);
            entries = entries + 1;
            bytes = bytes + place.bytes();
        }
    }

    private void forget() {
        forgotten.inc(queue.size());
        for (Held<V> place : queue) {
            place.queued = false;
            place.waiting = 0;
        }
        queue.clear();
        entries = 0;
        bytes = 0;
        behind = true;
    }

    /** Whether the store has everything, as far as is known. */
    boolean isEmpty() {
        return queue.isEmpty() && rewrite == null && !behind && !unverified;
    }

    int entries() {
        return entries;
    }

    long bytes() {
        return bytes;
    }

    boolean isRewriting() {
        return rewriting;
    }

    /**
     * Takes what is to be sent next: what has changed, then what is written again. All of it comes back through
     * {@link #written} or {@link #failed}, and {@link #cameBack} before more is taken.
     */
    List<Taken<V>> take(long nowMillis) throws Exception {
        List<Taken<V>> batch = new ArrayList<>();
        long taken = 0;
        long maxBytes = limits.maxBatch().getBytes();
        while (batch.size() < limits.maxBatchEntries() && taken < maxBytes && !queue.isEmpty()) {
            Held<V> place = queue.remove();
            place.queued = false;
            entries = entries - 1;
            bytes = bytes - place.bytes();
            V value = place.value;
            if (value != null) {
                place.underWay = place.waiting;
                taken += place.bytes();
                batch.add(new Taken<>(new Item<>(value, place.waiting), place.shard, place));
            }
            place.waiting = 0;
        }
        if (rewrite != null) {
            // However much changes, what is written again gets on.
            int room = Math.max(GENTLE, limits.maxBatchEntries() - batch.size());
            rewrite.take(batch, room, Math.max(maxBytes - taken, maxBytes / 4), nowMillis);
        }
        underWay = batch;
        return batch;
    }

    /** These parts of the item are in the store, or never will be. */
    void written(Taken<V> taken) throws Exception {
        if (taken.place() != null) {
            taken.place().underWay = 0;
        }
        if (keeping == Keeping.UNTIL_WRITTEN) {
            values.discard(taken.shard(), taken.item().value());
        }
    }

    /**
     * These parts of the item are still to be written.
     *
     * @param reached whether the store took others: then it is this one that it does not take now
     */
    void failed(Taken<V> taken, long parts, boolean reached) {
        Held<V> place = taken.place();
        if (place != null) {
            place.underWay = 0;
            if (reached && keeping == Keeping.UNTIL_WRITTEN) {
                // In the queue it would come up again and again before what the store does take.
                behind = true;
            } else {
                enqueue(place, parts);
            }
        } else if (rewrite != null && keeping == Keeping.WHILE_ALIVE) {
            rewrite.again.add(new Taken<>(new Item<>(taken.item().value(), parts), taken.shard(), null));
        } else {
            // Whatever the store does not take now keeps nothing else waiting: it is met again in the next round.
            behind = true;
        }
    }

    /** All that was taken last came back. */
    void cameBack() {
        underWay = List.of();
    }

    /** The store takes writes, and this is what tells its incarnation from any other. */
    void reached(String presentIncarnation, long nowMillis) throws Exception {
        boolean lost = !anyIncarnationWillDo && !presentIncarnation.equals(incarnation);
        incarnation = presentIncarnation;
        anyIncarnationWillDo = false;
        unverified = false;
        boolean inTurn = rewrite == null || keeping == Keeping.WHILE_ALIVE;
        if (lost || (behind && inTurn)) {
            behind = false;
            rewrites = rewrites + 1;
            // State then holds every value.
            values.save(nowMillis);
            rewrite = new Rewrite();
            rewriting = true;
        }
    }

    /** How often everything was written again. */
    long rewrites() {
        return rewrites;
    }

    /** Writes down what is dirty, shard by shard, unless that is all there is. */
    void save() throws Exception {
        if (keeping == Keeping.UNTIL_WRITTEN) {
            return;
        }
        Map<Integer, List<String>> idsByShard = new HashMap<>();
        for (Held<V> place : queue) {
            idsByShard.computeIfAbsent(place.shard, shard -> new ArrayList<>()).add(place.id);
        }
        boolean everything = behind || rewrite != null;
        for (Taken<V> taken : underWay) {
            Held<V> place = taken.place();
            everything |= place == null;
            if (place != null && !place.queued) {
                idsByShard
                        .computeIfAbsent(place.shard, shard -> new ArrayList<>())
                        .add(place.id);
            }
        }
        String known = incarnation == null ? "" : incarnation;
        if (anyIncarnationWillDo && idsByShard.isEmpty() && !everything) {
            return;
        }
        for (int shard : state.shards()) {
            DirtySet dirty = new DirtySet(everything, idsByShard.getOrDefault(shard, List.of()), known);
            if (!dirty.equals(saved.get(shard))) {
                state.dirty(shard, dirty);
                saved.put(shard, dirty);
            }
        }
    }

    /** Everything that state holds, once. */
    private final class Rewrite {

        private final int[] shards = state.shards();
        private final ArrayDeque<Taken<V>> again = new ArrayDeque<>();
        private int pass;
        private int nextShard;
        private int shard;
        private List<V> ofShard = List.of();
        private int next;

        void take(List<Taken<V>> batch, int maxItems, long maxBytes, long nowMillis) throws Exception {
            long taken = 0;
            int room = maxItems;
            if (rewriteOrder.length > 1 && pass == rewriteOrder.length - 1) {
                room = Math.min(room, GENTLE);
            }
            while (room > 0 && taken < maxBytes && !again.isEmpty()) {
                Taken<V> repeated = again.remove();
                taken += repeated.item().value().estimatedBytes();
                batch.add(repeated);
                room--;
            }
            for (int looked = 0; room > 0 && taken < maxBytes && looked < MAX_LOOKED_AT; looked++) {
                V value = next();
                if (value == null) {
                    if (again.isEmpty()) {
                        rewrite = null;
                        rewriting = false;
                    }
                    return;
                }
                V alive = value.aliveAt(nowMillis);
                if (alive != null && alive.has(rewriteOrder[pass])) {
                    taken += alive.estimatedBytes();
                    batch.add(new Taken<>(new Item<>(alive, rewriteOrder[pass]), shard, null));
                    room--;
                }
            }
        }

        private @Nullable V next() throws Exception {
            while (next == ofShard.size()) {
                if (nextShard == shards.length) {
                    if (pass == rewriteOrder.length - 1) {
                        return null;
                    }
                    pass++;
                    nextShard = 0;
                }
                shard = shards[nextShard++];
                ofShard = values.all(shard);
                next = 0;
            }
            return ofShard.get(next++);
        }
    }
}
