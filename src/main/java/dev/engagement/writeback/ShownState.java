package dev.engagement.writeback;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The values that are kept, by shard and id, as of the last checkpoint at least; and, per shard, what the store did not have
 * then. Used by the task thread.
 *
 * @param <V> kind of value
 */
public interface ShownState<V extends WriteBackValue<V>> {

    /** The shards that are here. */
    int[] shards();

    /** The shard under which an id is kept here. */
    int shardOf(String id);

    /** What is kept of an id, or null. */
    @Nullable
    V get(int shard, String id) throws Exception;

    /** Keeps a value. */
    void put(int shard, V value) throws Exception;

    /** Forgets an id. */
    void remove(int shard, String id) throws Exception;

    /** All values of a shard; a copy. */
    List<V> all(int shard) throws Exception;

    /** What a shard kept of what was dirty; null if it never did. */
    @Nullable
    DirtySet dirty(int shard) throws Exception;

    /** Keeps what is dirty of a shard. */
    void dirty(int shard, DirtySet dirty) throws Exception;
}
