package dev.engagement.liveview.sink;

import dev.engagement.liveview.LiveValue;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Every value that the live view shows, by shard and id, as of the last checkpoint at least; and, per shard, what was not
 * in Redis then. Used by the task thread.
 */
interface ShownState {

    /** The shards that are here. */
    int[] shards();

    /** The shard under which an id is kept here. */
    int shardOf(String id);

    /** What is kept of an id, or null. */
    @Nullable
    LiveValue get(int shard, String id) throws Exception;

    /** Keeps a value. */
    void put(int shard, LiveValue value) throws Exception;

    /** Forgets an id. */
    void remove(int shard, String id) throws Exception;

    /** All values of a shard; a copy. */
    List<LiveValue> all(int shard) throws Exception;

    /** What a shard kept of what was dirty; null if it never did. */
    @Nullable
    DirtySet dirty(int shard) throws Exception;

    /** Keeps what is dirty of a shard. */
    void dirty(int shard, DirtySet dirty) throws Exception;
}
