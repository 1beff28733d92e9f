package dev.engagement.dedupe;

import dev.engagement.deadletter.DeadLetter;
import dev.engagement.deadletter.DeadLetterTypes;
import dev.engagement.deadletter.Reason;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.EventJson;
import java.util.List;
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
 *
 * <p>Beside them, and in the same form, the ids that only a snapshot has brought: a row that was inserted while a snapshot
 * read it arrives twice, and the insert behind the snapshot's reading is told aside, once, to who leaves snapshots out.
 *
 * <p>With a window for conflicts, an id that comes again with other facts than the first time is a dead letter, as long as
 * the subtask knows those: not after a restart. What comes again with the same facts is a duplicate, known or not.
 */
final class DedupeOperator extends AbstractStreamOperator<EnrichedEvent>
        implements OneInputStreamOperator<EnrichedEvent, EnrichedEvent> {

    private static final long serialVersionUID = 1L;

    static final MapStateDescriptor<Long, IdChunk.Frozen> SEEN =
            new MapStateDescriptor<>("seen-ids", Types.LONG, ChunkSerializer.TYPE);

    /** Ids among them that have arrived from a snapshot and from nowhere else. */
    static final MapStateDescriptor<Long, IdChunk.Frozen> SNAPSHOT_ONLY =
            new MapStateDescriptor<>("snapshot-only-ids", Types.LONG, ChunkSerializer.TYPE);

    /** Stage name in dead letters. */
    static final String STAGE = "dedupe";

    private final long horizonMillis;
    private final int conflictWindow;
    private final String eventsTopic;

    private transient ShardedIds seen;
    private transient ShardedIds snapshotOnly;
    private transient long arrivalClockMillis;

    private transient @Nullable RecentFacts facts;

    private transient Counter duplicates;
    private transient Counter conflicts;
    private transient Counter insertedAfterSnapshot;
    private transient volatile long checkpointedAtMillis;

    /** @param eventsTopic named in dead letters */
    DedupeOperator(DedupeOptions options, String eventsTopic) {
        this.conflictWindow = options.conflictWindow();
        this.eventsTopic = eventsTopic;
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
        facts = conflictWindow == 0 ? null : new RecentFacts(conflictWindow);
        duplicates = getMetricGroup().counter("duplicates");
        conflicts = getMetricGroup().counter("conflicts");
        insertedAfterSnapshot = getMetricGroup().counter("insertedAfterSnapshot");
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
            RecentFacts known = facts;
            if (known != null) {
                known.add(event);
            }
            if (event.snapshot()) {
                snapshotOnly.add(event.id(), arrivedMillis, arrivalClockMillis);
            }
            output.collect(record);
            return;
        }
        duplicates.inc();
        RecentFacts known = facts;
        if (known != null && known.contradict(event)) {
            conflicts.inc();
            output.collect(DeadLetterTypes.DEAD_LETTERS, new StreamRecord<>(letter(event)));
            return;
        }
        if (!event.snapshot() && snapshotOnly.remove(event.id(), arrivalClockMillis)) {
            insertedAfterSnapshot.inc();
            output.collect(Dedupe.INSERTED_AFTER_SNAPSHOT, record);
        }
    }

    private DeadLetter letter(EngagementEvent event) {
        return DeadLetter.of(
                Reason.CONFLICT,
                STAGE,
                "the id " + event.id() + " is known of an event with another content, user, type, time, duration or"
                        + " device; the source has given it out again",
                getProcessingTimeService().getCurrentProcessingTime(),
                new DeadLetter.Source(
                        eventsTopic,
                        event.position().partition(),
                        event.position().offset(),
                        event.position().timestampMillis()),
                event.id(),
                EventJson.envelope(event),
                List.of());
    }

    @Override
    public void snapshotState(StateSnapshotContext context) throws Exception {
        super.snapshotState(context);
        seen.save();
        snapshotOnly.save();
    }
}
