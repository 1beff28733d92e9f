package dev.engagement.liveview.sink;

import dev.engagement.event.types.ContentShards;
import dev.engagement.event.types.EventShards;
import dev.engagement.liveview.LiveValue;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.runtime.state.KeyGroupRange;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.apache.flink.runtime.state.KeyedStateBackend;
import org.jspecify.annotations.Nullable;

/** {@link ShownState} in Flink's keyed state; the key is a shard's. */
final class KeyedShownState implements ShownState {

    static final MapStateDescriptor<String, LiveValue> SHOWN =
            new MapStateDescriptor<>("shown", Types.STRING, LiveValueType.LIVE_VALUE);

    static final ValueStateDescriptor<DirtySet> DIRTY = new ValueStateDescriptor<>("dirty", DirtySet.TYPE);

    /** Whose id decides under which shard a value is kept. */
    enum Spread {
        /** The content's own shard: elements come keyed by it. */
        BY_CONTENT,
        /** Any shard that is here: elements come keyed by something else, and each subtask has values of its own. */
        WITHIN_SUBTASK
    }

    private final KeyedStateBackend<Integer> backend;
    private final MapState<String, LiveValue> shown;
    private final ValueState<DirtySet> dirty;
    private final Spread spread;
    private final int[] shards;

    KeyedShownState(
            KeyedStateBackend<Integer> backend,
            KeyGroupRange keyGroups,
            int maxParallelism,
            MapState<String, LiveValue> shown,
            ValueState<DirtySet> dirty,
            Spread spread) {
        this.backend = backend;
        this.shown = shown;
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
    public @Nullable LiveValue get(int shard, String id) throws Exception {
        at(shard);
        return shown.get(id);
    }

    @Override
    public void put(int shard, LiveValue value) throws Exception {
        at(shard);
        shown.put(value.id(), value);
    }

    @Override
    public void remove(int shard, String id) throws Exception {
        at(shard);
        shown.remove(id);
    }

    @Override
    public List<LiveValue> all(int shard) throws Exception {
        at(shard);
        List<LiveValue> values = new ArrayList<>();
        for (LiveValue value : shown.values()) {
            values.add(value);
        }
        return values;
    }

    @Override
    public @Nullable DirtySet dirty(int shard) throws Exception {
        at(shard);
        return dirty.value();
    }

    @Override
    public void dirty(int shard, DirtySet what) throws Exception {
        at(shard);
        dirty.update(what);
    }
}
