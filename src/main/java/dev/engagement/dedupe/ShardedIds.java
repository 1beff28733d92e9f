package dev.engagement.dedupe;

import dev.engagement.event.types.EventShards;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.flink.api.common.state.MapState;
import org.jspecify.annotations.Nullable;

/**
 * A set of ids in keyed state, of which a subtask holds in the heap what it has used last. Only chunks that are not at hand
 * need the key of their shard, which is set then.
 */
final class ShardedIds {

    /** Chunks held in the heap by a subtask, about 600 bytes each. */
    static final int CACHED_CHUNKS = 8_192;

    private static final int SWEEPS_PER_HORIZON = 16;

    private final MapState<Long, IdChunk.Frozen> state;
    private final Consumer<Object> currentKey;
    private final long horizonMillis;

    /** The chunk that a shard used last: consecutive ids meet it again. */
    private final @Nullable IdChunk[] lastChunk = new IdChunk[EventShards.SHARDS];

    private final long[] lastNumber = new long[EventShards.SHARDS];
    private final Map<ChunkKey, IdChunk> cache = new LinkedHashMap<>(1_024, 0.75f, true);

    /** When each shard is to be swept next, by the clock of arrivals. */
    private final long[] nextSweepMillis = new long[EventShards.SHARDS];

    private record ChunkKey(int shard, long number) {}

    /**
     * The ids in {@code state}.
     *
     * @param currentKey sets the key of the state
     * @param horizonMillis how long after its newest first arrival a chunk is kept at least; {@link Long#MAX_VALUE} for ever
     */
    ShardedIds(MapState<Long, IdChunk.Frozen> state, Consumer<Object> currentKey, long horizonMillis) {
        this.state = state;
        this.currentKey = currentKey;
        this.horizonMillis = horizonMillis;
        Arrays.fill(nextSweepMillis, Long.MIN_VALUE);
    }

    /**
     * Puts an id in.
     *
     * @param arrivedMillis Kafka time of its arrival
     * @param clockMillis the clock of arrivals
     * @return whether it was not in before
     */
    boolean add(long id, long arrivedMillis, long clockMillis) throws Exception {
        return chunkOf(id, clockMillis).add(positionOf(id), arrivedMillis);
    }

    /**
     * Takes an id out.
     *
     * @return whether it was in
     */
    boolean remove(long id, long clockMillis) throws Exception {
        return chunkOf(id, clockMillis).remove(positionOf(id));
    }

    private static int positionOf(long id) {
        return (int) Math.floorMod(Math.floorDiv(id, (long) EventShards.SHARDS), (long) IdChunk.IDS);
    }

    private IdChunk chunkOf(long id, long clockMillis) throws Exception {
        int shard = EventShards.shardOf(id);
        long number = Math.floorDiv(Math.floorDiv(id, (long) EventShards.SHARDS), (long) IdChunk.IDS);
        IdChunk chunk = lastChunk[shard];
        if (chunk == null || lastNumber[shard] != number) {
            chunk = chunk(shard, number, clockMillis);
            lastChunk[shard] = chunk;
            lastNumber[shard] = number;
        }
        return chunk;
    }

    private IdChunk chunk(int shard, long number, long clockMillis) throws Exception {
        ChunkKey key = new ChunkKey(shard, number);
        IdChunk cached = cache.get(key);
        if (cached != null) {
            return cached;
        }
        if (cache.size() >= CACHED_CHUNKS) {
            putAsideEldest();
        }
        currentKey.accept(EventShards.keyOf(shard));
        IdChunk.Frozen frozen = state.get(number);
        if (frozen == null) {
            forgetOldChunks(shard, clockMillis);
        }
        IdChunk chunk = frozen == null ? new IdChunk() : IdChunk.thaw(frozen);
        cache.put(key, chunk);
        return chunk;
    }

    private void putAsideEldest() throws Exception {
        Iterator<Map.Entry<ChunkKey, IdChunk>> eldest = cache.entrySet().iterator();
        Map.Entry<ChunkKey, IdChunk> entry = eldest.next();
        save(entry.getKey(), entry.getValue());
        if (lastChunk[entry.getKey().shard()] == entry.getValue()) {
            lastChunk[entry.getKey().shard()] = null;
        }
        eldest.remove();
    }

    /** Puts into state what it does not know yet. */
    void save() throws Exception {
        for (Map.Entry<ChunkKey, IdChunk> entry : cache.entrySet()) {
            save(entry.getKey(), entry.getValue());
        }
    }

    private void save(ChunkKey key, IdChunk chunk) throws Exception {
        if (!chunk.changed()) {
            return;
        }
        currentKey.accept(EventShards.keyOf(key.shard()));
        IdChunk.Frozen frozen = chunk.freeze();
        if (chunk.isEmpty()) {
            state.remove(key.number());
        } else {
            state.put(key.number(), frozen);
        }
    }

    /**
     * A shard grows only by new chunks, so that is when it is swept, though not for each: sparse ids make many. Needs the
     * shard's key to be set.
     */
    private void forgetOldChunks(int shard, long clockMillis) throws Exception {
        if (horizonMillis == Long.MAX_VALUE || clockMillis == Long.MIN_VALUE || clockMillis < nextSweepMillis[shard]) {
            return;
        }
        nextSweepMillis[shard] = clockMillis + horizonMillis / SWEEPS_PER_HORIZON;
        Iterator<Map.Entry<Long, IdChunk.Frozen>> chunks = state.iterator();
        while (chunks.hasNext()) {
            if (chunks.next().getValue().newestArrivalMillis() < clockMillis - horizonMillis) {
                chunks.remove();
            }
        }
    }
}
