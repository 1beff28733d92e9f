package dev.engagement.dedupe;

import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.types.EventShards;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.runtime.state.StateSnapshotContext;
import org.apache.flink.runtime.state.VoidNamespace;
import org.apache.flink.runtime.state.VoidNamespaceSerializer;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.ChainingStrategy;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.jspecify.annotations.Nullable;

/**
 * Lets the first arrival of each id pass.
 *
 * <p>State: for each shard, chunk number to {@link IdChunk.Frozen}. Dense ids cost about a bit each, and a byte once a
 * chunk is full; sparse ones two bytes each and a chunk's overhead. An event touches one bit of a chunk that the subtask
 * holds in the heap; changed chunks go into state when a checkpoint is taken or when they are put aside, so that the cost
 * of an event is the same on every state backend.
 *
 * <p>With a horizon, a chunk is forgotten as a whole, the horizon after its newest first arrival: an id is remembered at
 * least that long. Time is the Kafka time of what has arrived, never ahead of the wall clock, so that a catch-up over old
 * records forgets nothing early.
 */
final class DedupeOperator extends AbstractStreamOperator<EnrichedEvent>
        implements OneInputStreamOperator<EnrichedEvent, EnrichedEvent> {

    private static final long serialVersionUID = 1L;

    static final MapStateDescriptor<Long, IdChunk.Frozen> SEEN =
            new MapStateDescriptor<>("seen-ids", Types.LONG, ChunkSerializer.TYPE);

    /** Chunks held in the heap by a subtask, about 600 bytes each. */
    static final int CACHED_CHUNKS = 8_192;

    private static final int SWEEPS_PER_HORIZON = 16;

    private final long horizonMillis;

    private transient MapState<Long, IdChunk.Frozen> seen;

    /** The chunk that a shard used last: consecutive ids meet it again. */
    private transient @Nullable IdChunk[] lastChunk;

    private transient long[] lastNumber;

    private transient Map<ChunkKey, IdChunk> cache;
    private transient long arrivalClockMillis;

    /** When each shard is to be swept next, by {@link #arrivalClockMillis}. */
    private transient long[] nextSweepMillis;

    private transient Counter duplicates;
    private transient volatile long checkpointedAtMillis;

    private record ChunkKey(int shard, long number) {}

    DedupeOperator(DedupeOptions options) {
        this.horizonMillis =
                options.horizon() == null ? Long.MAX_VALUE : options.horizon().toMillis();
        setChainingStrategy(ChainingStrategy.ALWAYS);
    }

    @Override
    public void open() throws Exception {
        super.open();
        seen = getPartitionedState(VoidNamespace.INSTANCE, VoidNamespaceSerializer.INSTANCE, SEEN);
        lastChunk = new IdChunk[EventShards.SHARDS];
        lastNumber = new long[EventShards.SHARDS];
        cache = new LinkedHashMap<>(1_024, 0.75f, true);
        arrivalClockMillis = Long.MIN_VALUE;
        nextSweepMillis = new long[EventShards.SHARDS];
        Arrays.fill(nextSweepMillis, Long.MIN_VALUE);
        duplicates = getMetricGroup().counter("duplicates");
        checkpointedAtMillis = getProcessingTimeService().getCurrentProcessingTime();
        getMetricGroup().gauge("checkpointAgeMillis", (Gauge<Long>) this::checkpointAgeMillis);
    }

    @Override
    public void notifyCheckpointComplete(long checkpointId) throws Exception {
        super.notifyCheckpointComplete(checkpointId);
        checkpointedAtMillis = getProcessingTimeService().getCurrentProcessingTime();
    }

    /** How long ago the job completed a checkpoint; in a run without any, since when it runs. Of every stage, told here. */
    long checkpointAgeMillis() {
        return Math.max(0, getProcessingTimeService().getCurrentProcessingTime() - checkpointedAtMillis);
    }

    /** Only chunks that are not at hand need the key: it is set there, and not for each event. */
    @Override
    public boolean hasKeyContext1() {
        return false;
    }

    @Override
    public void processElement(StreamRecord<EnrichedEvent> record) throws Exception {
        EngagementEvent event = record.getValue().event();
        if (horizonMillis != Long.MAX_VALUE) {
            arrivalClockMillis = Math.max(
                    arrivalClockMillis,
                    Math.min(
                            event.position().timestampMillis(),
                            getProcessingTimeService().getCurrentProcessingTime()));
        }
        long id = event.id();
        int shard = EventShards.shardOf(id);
        long ofShard = Math.floorDiv(id, (long) EventShards.SHARDS);
        long number = Math.floorDiv(ofShard, (long) IdChunk.IDS);
        int position = (int) Math.floorMod(ofShard, (long) IdChunk.IDS);
        IdChunk chunk = lastChunk[shard];
        if (chunk == null || lastNumber[shard] != number) {
            chunk = chunk(shard, number);
            lastChunk[shard] = chunk;
            lastNumber[shard] = number;
        }
        if (chunk.add(position, event.position().timestampMillis())) {
            output.collect(record);
        } else {
            duplicates.inc();
        }
    }

    private IdChunk chunk(int shard, long number) throws Exception {
        ChunkKey key = new ChunkKey(shard, number);
        IdChunk cached = cache.get(key);
        if (cached != null) {
            return cached;
        }
        if (cache.size() >= CACHED_CHUNKS) {
            putAsideEldest();
        }
        setCurrentKey(EventShards.keyOf(shard));
        IdChunk.Frozen frozen = seen.get(number);
        if (frozen == null) {
            forgetOldChunks(shard);
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

    private void save(ChunkKey key, IdChunk chunk) throws Exception {
        if (chunk.changed()) {
            setCurrentKey(EventShards.keyOf(key.shard()));
            seen.put(key.number(), chunk.freeze());
        }
    }

    /**
     * A shard grows only by new chunks, so that is when it is swept, though not for each: sparse ids make many. Needs the
     * shard's key to be set.
     */
    private void forgetOldChunks(int shard) throws Exception {
        if (horizonMillis == Long.MAX_VALUE
                || arrivalClockMillis == Long.MIN_VALUE
                || arrivalClockMillis < nextSweepMillis[shard]) {
            return;
        }
        nextSweepMillis[shard] = arrivalClockMillis + horizonMillis / SWEEPS_PER_HORIZON;
        Iterator<Map.Entry<Long, IdChunk.Frozen>> chunks = seen.iterator();
        while (chunks.hasNext()) {
            if (chunks.next().getValue().newestArrivalMillis() < arrivalClockMillis - horizonMillis) {
                chunks.remove();
            }
        }
    }

    @Override
    public void snapshotState(StateSnapshotContext context) throws Exception {
        super.snapshotState(context);
        for (Map.Entry<ChunkKey, IdChunk> entry : cache.entrySet()) {
            save(entry.getKey(), entry.getValue());
        }
    }
}
