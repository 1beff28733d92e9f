package dev.engagement.dedupe;

import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EnrichedEvent;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.metrics.Counter;
import org.apache.flink.runtime.state.StateSnapshotContext;
import org.apache.flink.runtime.state.VoidNamespace;
import org.apache.flink.runtime.state.VoidNamespaceSerializer;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.ChainingStrategy;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;

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
 *
 * <p>Beside them, and in the same form, the ids that only a snapshot has brought: a row that was inserted while a snapshot
 * read it arrives twice, and the insert behind the snapshot's reading is told aside, once, to who leaves snapshots out.
 */
final class DedupeOperator extends AbstractStreamOperator<EnrichedEvent>
        implements OneInputStreamOperator<EnrichedEvent, EnrichedEvent> {

    private static final long serialVersionUID = 1L;

    static final MapStateDescriptor<Long, IdChunk.Frozen> SEEN =
            new MapStateDescriptor<>("seen-ids", Types.LONG, ChunkSerializer.TYPE);

    /** Ids among them that have arrived from a snapshot and from nowhere else. */
    static final MapStateDescriptor<Long, IdChunk.Frozen> SNAPSHOT_ONLY =
            new MapStateDescriptor<>("snapshot-only-ids", Types.LONG, ChunkSerializer.TYPE);

    private final long horizonMillis;

    private transient ShardedIds seen;
    private transient ShardedIds snapshotOnly;
    private transient long arrivalClockMillis;

    private transient Counter duplicates;
    private transient Counter insertedAfterSnapshot;

    DedupeOperator(DedupeOptions options) {
        this.horizonMillis =
                options.horizon() == null ? Long.MAX_VALUE : options.horizon().toMillis();
        setChainingStrategy(ChainingStrategy.ALWAYS);
    }

    @Override
    public void open() throws Exception {
        super.open();
        seen = ids(SEEN);
        snapshotOnly = ids(SNAPSHOT_ONLY);
        arrivalClockMillis = Long.MIN_VALUE;
        duplicates = getMetricGroup().counter("duplicates");
        insertedAfterSnapshot = getMetricGroup().counter("insertedAfterSnapshot");
    }

    private ShardedIds ids(MapStateDescriptor<Long, IdChunk.Frozen> state) throws Exception {
        return new ShardedIds(
                getPartitionedState(VoidNamespace.INSTANCE, VoidNamespaceSerializer.INSTANCE, state),
                this::setCurrentKey,
                horizonMillis);
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
        long arrivedMillis = event.position().timestampMillis();
        if (seen.add(event.id(), arrivedMillis, arrivalClockMillis)) {
            if (event.snapshot()) {
                snapshotOnly.add(event.id(), arrivedMillis, arrivalClockMillis);
            }
            output.collect(record);
            return;
        }
        duplicates.inc();
        if (!event.snapshot() && snapshotOnly.remove(event.id(), arrivalClockMillis)) {
            insertedAfterSnapshot.inc();
            output.collect(Dedupe.INSERTED_AFTER_SNAPSHOT, record);
        }
    }

    @Override
    public void snapshotState(StateSnapshotContext context) throws Exception {
        super.snapshotState(context);
        seen.save();
        snapshotOnly.save();
    }
}
