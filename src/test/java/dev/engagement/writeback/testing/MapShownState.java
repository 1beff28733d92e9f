package dev.engagement.writeback.testing;

import dev.engagement.event.types.ContentShards;
import dev.engagement.event.types.EventShards;
import dev.engagement.writeback.DirtySet;
import dev.engagement.writeback.KeyedShownState;
import dev.engagement.writeback.ShownState;
import dev.engagement.writeback.WriteBackValue;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.flink.runtime.state.KeyGroupRange;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.jspecify.annotations.Nullable;

/**
 * State of one subtask in maps.
 *
 * @param <V> kind of value
 */
public final class MapShownState<V extends WriteBackValue<V>> implements ShownState<V> {

    private final KeyedShownState.Spread spread;
    private final int[] shards;
    private final Map<Integer, Map<String, V>> values = new HashMap<>();
    private final Map<Integer, DirtySet> dirty = new HashMap<>();
    /** How often a single value was asked for. */
    public int reads;

    /** Of a subtask of so many. */
    public MapShownState(KeyedShownState.Spread spread, int subtask, int parallelism) {
        this.spread = spread;
        KeyGroupRange range =
                KeyGroupRangeAssignment.computeKeyGroupRangeForOperatorIndex(EventShards.SHARDS, parallelism, subtask);
        this.shards = IntStream.rangeClosed(range.getStartKeyGroup(), range.getEndKeyGroup())
                .toArray();
    }

    /** Adds the shards that this subtask has from another one's state. */
    public void restoreFrom(MapShownState<V> checkpoint) {
        for (int shard : shards) {
            if (checkpoint.values.containsKey(shard)) {
                values.put(shard, new HashMap<>(checkpoint.values.get(shard)));
            }
            if (checkpoint.dirty.containsKey(shard)) {
                dirty.put(shard, checkpoint.dirty.get(shard));
            }
        }
    }

    /** A copy, of which nothing changes any more. */
    public MapShownState<V> copy() {
        MapShownState<V> copy = new MapShownState<>(spread, 0, 1);
        copy.restoreFrom(this);
        return copy;
    }

    public int size() {
        return values.values().stream().mapToInt(Map::size).sum();
    }

    @Override
    public int[] shards() {
        return shards;
    }

    @Override
    public int shardOf(String id) {
        int shard = ContentShards.shardOf(id);
        return spread == KeyedShownState.Spread.BY_CONTENT ? shard : shards[shard % shards.length];
    }

    @Override
    public @Nullable V get(int shard, String id) {
        reads++;
        return of(shard).get(id);
    }

    @Override
    public void put(int shard, V value) {
        of(shard).put(value.id(), value);
    }

    @Override
    public void remove(int shard, String id) {
        of(shard).remove(id);
    }

    @Override
    public List<V> all(int shard) {
        return new ArrayList<>(of(shard).values());
    }

    private Map<String, V> of(int shard) {
        if (IntStream.of(shards).noneMatch(here -> here == shard)) {
            throw new AssertionError("Shard " + shard + " is somebody else's");
        }
        return values.computeIfAbsent(shard, any -> new HashMap<>());
    }

    @Override
    public @Nullable DirtySet dirty(int shard) {
        return dirty.get(shard);
    }

    @Override
    public void dirty(int shard, DirtySet what) {
        dirty.put(shard, what);
    }
}
