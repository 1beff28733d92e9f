package dev.engagement.liveview.sink;

import dev.engagement.liveview.LiveValue;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The values in use, held in the heap in front of {@link ShownState}: an event costs a look into a map on every state
 * backend, and state is written when a checkpoint is taken or a value is put aside. Used by the task thread.
 */
final class WriteBackCache {

    /** Values held beside those that are still to be shown. */
    static final int MAX_HELD = 32_768;

    /** Their estimated memory: payloads may be large. */
    static final long MAX_HELD_BYTES = 64L << 20;

    private static final int LOOKED_AT_FOR_ROOM = 64;

    /** A value, and what of it Redis does not have yet. */
    static final class Held implements LiveViewMapping.Place {
        final String id;
        final int shard;

        @Nullable
        LiveValue value;

        /** Parts that wait to be taken. */
        long waiting;

        /** Parts that somebody sends at this moment. */
        long underWay;

        /** Whether it stands in the backlog's queue. */
        boolean queued;

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
        public @Nullable LiveValue value() {
            return value;
        }

        private boolean isInUse() {
            return queued || underWay != 0;
        }
    }

    private final ShownState state;
    private final int maxHeld;
    private final long maxBytes;
    private final Map<String, Held> held = new LinkedHashMap<>(1_024, 0.75f, true);
    private final List<Held> unsaved = new ArrayList<>();
    private long bytes;

    /** How many more times room is not looked for, as there was none. */
    private int pause;

    WriteBackCache(ShownState state, int maxHeld, long maxBytes) {
        this.state = state;
        this.maxHeld = maxHeld;
        this.maxBytes = maxBytes;
    }

    /** The place of an id. */
    Held held(String id) throws Exception {
        // Before the place is found, which then stays.
        if (bytes > maxBytes) {
            makeRoom();
        }
        Held found = held.get(id);
        if (found != null) {
            return found;
        }
        if (held.size() >= maxHeld) {
            makeRoom();
        }
        Held loaded = new Held(id, state.shardOf(id));
        set(loaded, state.get(loaded.shard, id));
        held.put(id, loaded);
        return loaded;
    }

    private void set(Held place, @Nullable LiveValue value) {
        int before = place.bytes;
        place.value = value;
        place.bytes = value == null ? 0 : value.estimatedBytes();
        bytes += place.bytes - before;
    }

    /** Puts a value in its place. */
    void replace(Held place, LiveValue value) {
        set(place, value);
        if (!place.unsaved) {
            place.unsaved = true;
            unsaved.add(place);
        }
    }

    /** Those longest unused leave. What is still to be shown stays: the backlog bounds it. */
    private void makeRoom() throws Exception {
        if (pause > 0) {
            pause--;
            return;
        }
        int before = held.size();
        Iterator<Held> eldest = held.values().iterator();
        for (int i = 0; i < LOOKED_AT_FOR_ROOM && eldest.hasNext(); i++) {
            Held candidate = eldest.next();
            if (!candidate.isInUse()) {
                if (candidate.unsaved) {
                    // All at once, as finding one in the list would cost as much.
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

    private void drop(Held place) {
        held.remove(place.id);
        bytes -= place.bytes;
    }

    /** Writes into state what has changed since it was last written. */
    void save(long nowMillis) throws Exception {
        for (Held changed : unsaved) {
            changed.unsaved = false;
            LiveValue value = changed.value;
            LiveValue alive = value == null ? null : value.aliveAt(nowMillis);
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

    /** Forgets what of a shard is no longer shown. */
    void sweep(int shard, long nowMillis) throws Exception {
        for (LiveValue value : state.all(shard)) {
            LiveValue alive = value.aliveAt(nowMillis);
            Held place = alive == value ? null : heldAt(shard, value.id());
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
    List<LiveValue> all(int shard) throws Exception {
        List<LiveValue> values = state.all(shard);
        for (int i = 0; i < values.size(); i++) {
            Held newer = heldAt(shard, values.get(i).id());
            if (newer != null && newer.value != null) {
                values.set(i, newer.value);
            }
        }
        return values;
    }

    /** After a restore at another parallelism, other shards may hold a value of the id as well. */
    private @Nullable Held heldAt(int shard, String id) {
        Held place = held.get(id);
        return place != null && place.shard == shard ? place : null;
    }

    int size() {
        return held.size();
    }

    /** About how much memory the values hold. */
    long bytes() {
        return bytes;
    }
}
