package dev.engagement.writeback;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The values in use, held in the heap in front of {@link ShownState}: an element costs a look into a map on every state
 * backend, and state is written when a checkpoint is taken or a value is put aside. Used by the task thread.
 *
 * @param <V> kind of value
 */
final class WriteBackCache<V extends WriteBackValue<V>> {

    /** Values held beside those that are still to be written. */
    static final int MAX_HELD = 32_768;

    /** Their estimated memory: values may be large. */
    static final long MAX_HELD_BYTES = 64L << 20;

    private static final int LOOKED_AT_FOR_ROOM = 64;

    /** A value, and what of it the store does not have yet. */
    static final class Held<V extends WriteBackValue<V>> implements Place<V> {
        final String id;
        final int shard;

        @Nullable
        V value;

        /** Parts that wait to be taken. */
        long waiting;

        /** Parts that somebody sends at this moment. */
        long underWay;

        /** Whether it stands in the backlog's queue. */
        boolean queued;

        /** Whether state has a value of the id, be it this one or one before it. */
        private boolean stored;

        private boolean unsaved;
        private int bytes;

        private Held(String id, int shard) {
            this.id = id;
            this.shard = shard;
        }

        /** About how much memory the value holds. */
        int bytes() {
            return bytes;
        }

        @Override
        public @Nullable V value() {
            return value;
        }

        boolean isInUse() {
            return queued || underWay != 0;
        }
    }

    private final ShownState<V> state;
    private final int maxHeld;
    private final long maxBytes;
    private final Map<String, Held<V>> held = new LinkedHashMap<>(1_024, 0.75f, true);
    private final Set<Held<V>> unsaved = new LinkedHashSet<>();
    private long bytes;

    /** How many more times room is not looked for, as there was none. */
    private int pause;

    WriteBackCache(ShownState<V> state, int maxHeld, long maxBytes) {
        this.state = state;
        this.maxHeld = maxHeld;
        this.maxBytes = maxBytes;
    }

    /** The place of an id. */
    Held<V> held(String id) throws Exception {
        // Before the place is found, which then stays.
        if (bytes > maxBytes) {
            makeRoom();
        }
        Held<V> found = held.get(id);
        if (found != null) {
            return found;
        }
        if (held.size() >= maxHeld) {
            makeRoom();
        }
        Held<V> loaded = new Held<>(id, state.shardOf(id));
        V value = state.get(loaded.shard, id);
        loaded.stored = value != null;
        set(loaded, value);
        held.put(id, loaded);
        return loaded;
    }

    private void set(Held<V> place, @Nullable V value) {
        int before = place.bytes;
        place.value = value;
        place.bytes = value == null ? 0 : value.estimatedBytes();
        bytes += place.bytes - before;
    }

    /** Puts a value in its place. */
    void replace(Held<V> place, V value) {
        set(place, value);
        if (!place.unsaved) {
            place.unsaved = true;
            unsaved.add(place);
        }
    }

    /** Those longest unused leave. What is still to be written stays: the backlog bounds it. */
    private void makeRoom() throws Exception {
        if (pause > 0) {
            pause--;
            return;
        }
        int before = held.size();
        Iterator<Held<V>> eldest = held.values().iterator();
        for (int i = 0; i < LOOKED_AT_FOR_ROOM && eldest.hasNext(); i++) {
            Held<V> candidate = eldest.next();
            if (!candidate.isInUse()) {
                if (candidate.unsaved) {
                    // All at once, which state backends like better than one here and one there.
                    save(Long.MIN_VALUE);
                }
                eldest.remove();
                bytes -= candidate.bytes;
            }
        }
        if (held.size() == before) {
            pause = LOOKED_AT_FOR_ROOM;
        }
    }

    private void drop(Held<V> place) {
        held.remove(place.id);
        bytes -= place.bytes;
    }

    /** Writes into state what has changed since it was last written. */
    void save(long nowMillis) throws Exception {
        for (Held<V> changed : unsaved) {
            changed.unsaved = false;
            V value = changed.value;
            V alive = value == null ? null : value.aliveAt(nowMillis);
            changed.stored = alive != null;
            if (alive == null) {
                state.remove(changed.shard, changed.id);
                if (!changed.isInUse()) {
                    drop(changed);
                }
            } else {
                state.put(changed.shard, alive);
            }
        }
        unsaved.clear();
    }

    /** Forgets what of a shard is no longer of use. */
    void sweep(int shard, long nowMillis) throws Exception {
        for (V value : state.all(shard)) {
            V alive = value.aliveAt(nowMillis);
            Held<V> place = alive == value ? null : heldAt(shard, value.id());
            if (alive == value || (place != null && (place.isInUse() || place.unsaved))) {
                continue;
            }
            if (place != null) {
                drop(place);
            }
            if (alive == null) {
                state.remove(shard, value.id());
            } else {
                state.put(shard, alive);
            }
        }
    }

    /** All values of a shard, the newest that is known of each; what is held and not saved is not among them. */
    List<V> all(int shard) throws Exception {
        List<V> values = state.all(shard);
        for (int i = 0; i < values.size(); i++) {
            Held<V> newer = heldAt(shard, values.get(i).id());
            if (newer != null && newer.value != null) {
                values.set(i, newer.value);
            }
        }
        return values;
    }

    /** Where an id of that shard is held, if it is: in this shard and in no other, which may have a value of it as well. */
    private @Nullable Held<V> heldAt(int shard, String id) {
        // After a restore at another parallelism there may be several.
        Held<V> place = held.get(id);
        return place != null && place.shard == shard ? place : null;
    }

    /**
     * This value of a shard is of no use any more: it leaves heap and state. One that has taken its place stays, and one that
     * waits or is under way.
     */
    void discard(int shard, V value) throws Exception {
        Held<V> place = heldAt(shard, value.id());
        if (place == null) {
            // It may have been replaced, and the newer one put aside.
            if (value.equals(state.get(shard, value.id()))) {
                state.remove(shard, value.id());
            }
        } else if (!place.isInUse() && value.equals(place.value)) {
            if (place.unsaved) {
                place.unsaved = false;
                unsaved.remove(place);
            }
            if (place.stored) {
                state.remove(shard, place.id);
            }
            drop(place);
        }
    }

    int size() {
        return held.size();
    }

    /** About how much memory the values hold. */
    long bytes() {
        return bytes;
    }
}
