package dev.engagement.dedupe;

import dev.engagement.deadletter.DeadLetter;
import dev.engagement.deadletter.DeadLetterTypes;
import dev.engagement.deadletter.Reason;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.EventIdKind;
import dev.engagement.event.EventJson;
import dev.engagement.event.types.EventShards;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.OperatorStateStore;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.common.typeutils.base.IntSerializer;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.runtime.execution.SuppressRestartsException;
import org.apache.flink.runtime.state.AbstractKeyedStateBackend;
import org.apache.flink.runtime.state.KeyGroupRange;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.apache.flink.runtime.state.KeyedStateBackend;
import org.apache.flink.runtime.state.StateInitializationContext;
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
 *
 * <p>Ids that are texts have a state of their own, an entry each ({@link TextIds}), and a mark of it: a job of one kind
 * refuses the state of the other, in which it would find none of its ids.
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

    /** Ids that are texts, by their buckets. */
    static final MapStateDescriptor<String, Integer> TEXTS =
            new MapStateDescriptor<>("seen-text-ids", TextIdSerializer.TYPE, Types.INT);

    /** There in the state of a job whose ids are texts, and in no other. */
    static final ListStateDescriptor<String> KIND = new ListStateDescriptor<>("event-id-kind", Types.STRING);

    private final long horizonMillis;
    private final int conflictWindow;
    private final String eventsTopic;
    private final EventIdKind kind;

    private transient @Nullable TextIds texts;
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
        this.kind = options.ids();
        setChainingStrategy(ChainingStrategy.ALWAYS);
    }

    @Override
    public void initializeState(StateInitializationContext context) throws Exception {
        super.initializeState(context);
        OperatorStateStore store = context.getOperatorStateStore();
        boolean ofTexts = store.getRegisteredStateNames().contains(KIND.getName());
        if (context.isRestored() && ofTexts != (kind == EventIdKind.TEXT)) {
            String own = kind == EventIdKind.TEXT ? "text" : "long";
            String other = kind == EventIdKind.TEXT ? "long" : "text";
            throw new SuppressRestartsException(new IllegalStateException(
                    "The state that this job is to continue from is of a job with ingest.event-id=" + other
                            + ", and this one has ingest.event-id=" + own
                            + ": it would know none of the ids that were published. Start it with the other value, or"
                            + " without that state and with destinations of its own"));
        }
        if (kind == EventIdKind.TEXT) {
            // One subtask writes it, all read it.
            store.getUnionListState(KIND)
                    .update(
                            getRuntimeContext().getTaskInfo().getIndexOfThisSubtask() == 0
                                    ? List.of("text")
                                    : List.of());
        }
    }

    @Override
    public void open() throws Exception {
        super.open();
        if (kind == EventIdKind.TEXT) {
            texts = new TextIds(this::bucket, this::setCurrentKey, shards(), horizonMillis);
        }
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

    private MapState<String, Integer> bucket(Integer bucket) throws Exception {
        return getPartitionedState(bucket, IntSerializer.INSTANCE, TEXTS);
    }

    /** Those whose keys are this subtask's. */
    private int[] shards() {
        KeyedStateBackend<Object> backend = getKeyedStateBackend();
        int groups = getRuntimeContext().getTaskInfo().getMaxNumberOfParallelSubtasks();
        KeyGroupRange own = ((AbstractKeyedStateBackend<Object>) backend).getKeyGroupRange();
        return IntStream.range(0, EventShards.SHARDS)
                .filter(shard ->
                        own.contains(KeyGroupRangeAssignment.assignToKeyGroup(EventShards.keyOf(shard), groups)))
                .toArray();
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
        if (texts != null) {
            pass(record, texts);
            return;
        }
        long arrivedMillis = event.position().timestampMillis();
        if (seen.add(event.id(), arrivedMillis, arrivalClockMillis)) {
            remember(event);
            if (event.snapshot()) {
                snapshotOnly.add(event.id(), arrivedMillis, arrivalClockMillis);
            }
            output.collect(record);
            return;
        }
        duplicates.inc();
        if (isConflict(event)) {
            return;
        }
        if (!event.snapshot() && snapshotOnly.remove(event.id(), arrivalClockMillis)) {
            insertedAfterSnapshot.inc();
            output.collect(Dedupe.INSERTED_AFTER_SNAPSHOT, record);
        }
    }

    private void remember(EngagementEvent event) {
        RecentFacts known = facts;
        if (known != null) {
            known.add(event);
        }
    }

    /** Whether a repeated id says something else than before, as far as that is known; then it is a dead letter. */
    private boolean isConflict(EngagementEvent event) {
        RecentFacts known = facts;
        if (known == null || !known.contradict(event)) {
            return false;
        }
        conflicts.inc();
        output.collect(DeadLetterTypes.DEAD_LETTERS, new StreamRecord<>(letter(event)));
        return true;
    }

    private DeadLetter letter(EngagementEvent event) {
        return DeadLetter.of(
                Reason.CONFLICT,
                STAGE,
                "the id " + event.eventId()
                        + " is known of an event with another content, user, type, time, duration or"
                        + " device; the source has given it out again",
                getProcessingTimeService().getCurrentProcessingTime(),
                new DeadLetter.Source(
                        eventsTopic,
                        event.position().partition(),
                        event.position().offset(),
                        event.position().timestampMillis()),
                event.eventId(),
                EventJson.envelope(event),
                List.of());
    }

    private void pass(StreamRecord<EnrichedEvent> record, TextIds ids) throws Exception {
        EngagementEvent event = record.getValue().event();
        String id = event.textId();
        if (id == null) {
            throw new IllegalStateException("Event " + event.id()
                    + " has a number for an id, and ingest.event-id is text: decode lets none pass");
        }
        switch (ids.add(id, event.id(), event.snapshot(), arrivalClockMillis)) {
            case FIRST -> {
                remember(event);
                output.collect(record);
            }
            case REPEATED -> {
                duplicates.inc();
                boolean unused = isConflict(event);
            }
            case INSERTED_AFTER_SNAPSHOT -> {
                duplicates.inc();
                if (!isConflict(event)) {
                    insertedAfterSnapshot.inc();
                    output.collect(Dedupe.INSERTED_AFTER_SNAPSHOT, record);
                }
            }
        }
    }

    @Override
    public void snapshotState(StateSnapshotContext context) throws Exception {
        super.snapshotState(context);
        seen.save();
        snapshotOnly.save();
    }
}
