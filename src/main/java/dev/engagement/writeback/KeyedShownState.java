package dev.engagement.writeback;

import dev.engagement.event.types.ContentShards;
import dev.engagement.event.types.EventShards;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.runtime.state.KeyGroupRange;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.apache.flink.runtime.state.KeyedStateBackend;
import org.jspecify.annotations.Nullable;

/**
 * {@link ShownState} in Flink's keyed state; the key is a shard's.
 *
 * @param <V> kind of value
 */
public final class KeyedShownState<V extends WriteBackValue<V>> implements ShownState<V> {

    static final ValueStateDescriptor<DirtySet> DIRTY = new ValueStateDescriptor<>("dirty", DirtySet.TYPE);

    /** Whose id decides under which shard a value is kept. */
    public enum Spread {
        /** The content's own shard: elements come keyed by it. */
        BY_CONTENT,
        /** Any shard that is here: elements come keyed by something else, and each subtask has values of its own. */
        WITHIN_SUBTASK
    }

    private final KeyedStateBackend<Integer> backend;
    private final MapState<String, V> values;
    private final @Nullable ValueState<DirtySet> dirty;
    private final Spread spread;
    private final int[] shards;

    /** @param dirty null if nothing is ever kept of what is dirty */
    KeyedShownState(
            KeyedStateBackend<Integer> backend,
            KeyGroupRange keyGroups,
            int maxParallelism,
            MapState<String, V> values,
            @Nullable ValueState<DirtySet> dirty,
            Spread spread) {
        this.backend = backend;
        this.values = values;
        this.dirty = dirty;
        this.spread = spread;
        this.shards = IntStream.range(0, EventShards.SHARDS)
                .filter(shard -> keyGroups.contains(
                        KeyGroupRangeAssignment.assignToKeyGroup(EventShards.keyOf(shard), maxParallelism)))
                .toArray();
    }

    @Override
    public int[] shards() {
        return shards;
    }

    @Override
    public int shardOf(String id) {
        int shard = ContentShards.shardOf(id);
        return spread == Spread.BY_CONTENT ? shard : shards[shard % shards.length];
    }

    private void at(int shard) {
        backend.setCurrentKey(EventShards.keyOf(shard));
    }

    @Override
    public @Nullable V get(int shard, String id) throws Exception {
        at(shard);
        return values.get(id);
    }

    @Override
    public void put(int shard, V value) throws Exception {
        at(shard);
        values.put(value.id(), value);
    }

    @Override
    public void remove(int shard, String id) throws Exception {
        at(shard);
        values.remove(id);
    }

    @Override
    public List<V> all(int shard) throws Exception {
        at(shard);
        List<V> all = new ArrayList<>();
        for (V value : values.values()) {
            all.add(value);
        }
        return all;
    }

    @Override
    public @Nullable DirtySet dirty(int shard) throws Exception {
        at(shard);
        return dirty == null ? null : dirty.value();
    }

    @Override
    public void dirty(int shard, DirtySet what) throws Exception {
        if (dirty == null) {
            throw new IllegalStateException("There is no state for what is dirty");
        }
        at(shard);
        dirty.update(what);
    }
}
