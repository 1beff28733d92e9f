package dev.engagement.enrichment;

import dev.engagement.deadletter.DeadLetter;
import dev.engagement.deadletter.DeadLetterTypes;
import dev.engagement.deadletter.Reason;
import dev.engagement.event.Content;
import dev.engagement.event.ContentChange;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EngagementRule;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.EventJson;
import dev.engagement.event.types.EventTypes;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.flink.api.common.state.BroadcastState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.common.typeutils.base.StringSerializer;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.metrics.Counter;
import org.apache.flink.runtime.state.StateInitializationContext;
import org.apache.flink.runtime.state.internal.InternalListState;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.BoundedMultiInput;
import org.apache.flink.streaming.api.operators.InternalTimer;
import org.apache.flink.streaming.api.operators.InternalTimerService;
import org.apache.flink.streaming.api.operators.Triggerable;
import org.apache.flink.streaming.api.operators.TwoInputStreamOperator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.jspecify.annotations.Nullable;

/**
 * Joins events, keyed by shard, with contents, broadcast.
 *
 * <p>An event whose content is unknown waits in keyed state under (shard, content), appended in constant time, and leaves
 * when the content comes, in order of arrival. It waits {@link EnrichmentOptions#contentWait} of processing time, counted
 * from its arrival or from the moment this run caught up with the content topic, whichever is later; then it becomes
 * UNRESOLVED. So a cold start, a catch-up and a restore make no dead letters, however long they take.
 *
 * <p>An operator of its own instead of a {@code KeyedBroadcastProcessFunction}, because a content that comes must find its
 * waiting events without walking over all of them: that takes state by namespace and switching keys.
 */
final class EnrichmentOperator extends AbstractStreamOperator<EnrichedEvent>
        implements TwoInputStreamOperator<EngagementEvent, ContentChange, EnrichedEvent>,
                Triggerable<Integer, String>,
                BoundedMultiInput {

    private static final long serialVersionUID = 1L;

    /** Stage name in dead letters. */
    static final String STAGE = "enrich";

    static final MapStateDescriptor<String, Content> CONTENTS =
            new MapStateDescriptor<>("contents", Types.STRING, EventTypes.CONTENT);

    static final ListStateDescriptor<WaitingEvent> WAITING =
            new ListStateDescriptor<>("waiting-for-content", WaitingEvent.TYPE);

    static final String TIMERS = "content-wait";

    /** Timers fire on full seconds, so that a burst for one content costs one timer and not one each. */
    private static final long TIMER_GRAIN_MILLIS = 1_000;

    private final EngagementRule rule;
    private final long contentWaitMillis;
    private final String eventsTopic;

    private transient BroadcastState<String, Content> contents;
    private transient InternalListState<Integer, String, WaitingEvent> waiting;
    private transient InternalTimerService<String> timers;

    /** Which shards have events waiting for a content: rebuilt from state when this run starts. */
    private transient Map<String, Set<Integer>> shardsByContent;

    private transient long waitingEvents;

    private transient BitSet partitionsReadToEnd;

    /** How many partitions the content topic has: a topic grows, and readers hear of it one after the other. */
    private transient int contentPartitions;

    private transient boolean caughtUp;
    private transient long caughtUpAtMillis;

    /** Bit 0: no more events; bit 1: no more content changes. */
    private transient int endedInputs;

    private transient Counter unresolved;
    private transient StreamRecord<EnrichedEvent> reused;

    EnrichmentOperator(EnrichmentOptions options, String eventsTopic) {
        this.rule = options.rule();
        this.contentWaitMillis = options.contentWait().toMillis();
        this.eventsTopic = eventsTopic;
    }

    @Override
    public void initializeState(StateInitializationContext context) throws Exception {
        super.initializeState(context);
        contents = getOperatorStateBackend().getBroadcastState(CONTENTS);
    }

    @Override
    @SuppressWarnings("unchecked") // a list state of any backend is internal
    public void open() throws Exception {
        super.open();
        waiting = (InternalListState<Integer, String, WaitingEvent>)
                (Object) getOrCreateKeyedState(StringSerializer.INSTANCE, WAITING);
        timers = getInternalTimerService(TIMERS, StringSerializer.INSTANCE, this);
        shardsByContent = new HashMap<>();
        partitionsReadToEnd = new BitSet();
        contentPartitions = 0;
        reused = new StreamRecord<>(null);
        unresolved = getMetricGroup().counter("unresolved");
        getMetricGroup().gauge("waitingForContent", () -> waitingEvents);
        getMetricGroup().gauge("contentTopicCaughtUp", () -> caughtUp ? 1 : 0);
        indexWaiting();
    }

    private void indexWaiting() throws Exception {
        List<Tuple2<Integer, String>> restored = new ArrayList<>();
        try (Stream<Tuple2<Integer, String>> all =
                this.<Integer>getKeyedStateBackend().getKeysAndNamespaces(WAITING.getName())) {
            all.forEach(restored::add);
        }
        for (Tuple2<Integer, String> where : restored) {
            for (WaitingEvent ignored : waitingOf(where.f0, where.f1)) {
                waitingEvents++;
            }
            shardsByContent.computeIfAbsent(where.f1, id -> new HashSet<>()).add(where.f0);
        }
    }

    @Override
    public void processElement1(StreamRecord<EngagementEvent> record) throws Exception {
        EngagementEvent event = record.getValue();
        Content content = contents.get(event.contentId());
        if (content != null) {
            emit(event, content);
        } else {
            park(event);
        }
    }

    private void emit(EngagementEvent event, Content content) {
        // The event's own time: what an event that waited inherits from the content that freed it means nothing.
        output.collect(reused.replace(rule.enrich(event, content), Math.floorDiv(event.eventTsMicros(), 1_000)));
    }

    private void park(EngagementEvent event) throws Exception {
        Integer shard = (Integer) getCurrentKey();
        long now = timers.currentProcessingTime();
        waiting.setCurrentNamespace(event.contentId());
        waiting.add(new WaitingEvent(event, now));
        waitingEvents++;
        shardsByContent
                .computeIfAbsent(event.contentId(), id -> new HashSet<>())
                .add(shard);
        if (caughtUp) {
            wakeAt(event.contentId(), now + contentWaitMillis);
        }
    }

    private void wakeAt(String contentId, long millis) {
        long onTheGrain = Math.floorDiv(millis + TIMER_GRAIN_MILLIS - 1, TIMER_GRAIN_MILLIS) * TIMER_GRAIN_MILLIS;
        timers.registerProcessingTimeTimer(contentId, onTheGrain);
    }

    @Override
    public void processElement2(StreamRecord<ContentChange> record) throws Exception {
        ContentChange change = record.getValue();
        if (change instanceof ContentChange.Put put) {
            String id = put.content().id();
            Content content = put.unchanged().fill(put.content(), contents.get(id));
            contents.put(id, content);
            free(id, content);
        } else if (change instanceof ContentChange.Delete delete) {
            contents.remove(delete.contentId());
        } else if (change instanceof ContentChange.ReadToEnd end) {
            partitionsReadToEnd.set(end.partition());
            contentPartitions = Math.max(contentPartitions, end.partitions());
            boolean all = partitionsReadToEnd.cardinality() >= contentPartitions;
            if (all && !caughtUp) {
                catchUp();
            } else if (!all) {
                // The topic has grown: what waits may stand in a partition that nobody has read yet.
                caughtUp = false;
            }
        }
    }

    private void free(String contentId, Content content) throws Exception {
        Set<Integer> shards = shardsByContent.remove(contentId);
        if (shards == null) {
            return;
        }
        for (Integer shard : shards) {
            for (WaitingEvent one : waitingOf(shard, contentId)) {
                waitingEvents--;
                emit(one.event(), content);
            }
            setCurrentKey(shard);
            waiting.setCurrentNamespace(contentId);
            waiting.clear();
        }
    }

    private void catchUp() {
        caughtUp = true;
        caughtUpAtMillis = timers.currentProcessingTime();
        shardsByContent.forEach((contentId, shards) -> {
            for (Integer shard : shards) {
                setCurrentKey(shard);
                wakeAt(contentId, caughtUpAtMillis + contentWaitMillis);
            }
        });
    }

    @Override
    public void onProcessingTime(InternalTimer<Integer, String> timer) throws Exception {
        if (!caughtUp) {
            // Set by the run before this one; catching up sets it again.
            return;
        }
        // A timer may fire before the wall clock shows its time, as they are two clocks; asking for it again until they
        // agree would keep the task from everything else.
        long now = Math.max(timer.getTimestamp(), timers.currentProcessingTime());
        giveUp(timer.getKey(), timer.getNamespace(), now, false);
    }

    /** Makes dead letters of the events whose wait is over, and sees to it that the others' end is not missed. */
    private void giveUp(Integer shard, String contentId, long now, boolean all) throws Exception {
        List<WaitingEvent> stillWaiting = new ArrayList<>();
        long nextMillis = Long.MAX_VALUE;
        for (WaitingEvent one : waitingOf(shard, contentId)) {
            long until = Math.max(one.sinceMillis(), caughtUpAtMillis) + contentWaitMillis;
            if (until > now && !all) {
                stillWaiting.add(one);
                nextMillis = Math.min(nextMillis, until);
            } else {
                waitingEvents--;
                unresolved.inc();
                output.collect(DeadLetterTypes.DEAD_LETTERS, new StreamRecord<>(letter(one.event(), now)));
            }
        }
        setCurrentKey(shard);
        waiting.setCurrentNamespace(contentId);
        if (stillWaiting.isEmpty()) {
            waiting.clear();
            forget(contentId, shard);
        } else {
            waiting.update(stillWaiting);
            wakeAt(contentId, nextMillis);
        }
    }

    private void forget(String contentId, Integer shard) {
        Set<Integer> shards = shardsByContent.get(contentId);
        if (shards != null && shards.remove(shard) && shards.isEmpty()) {
            shardsByContent.remove(contentId);
        }
    }

    /** The events of a shard that wait for a content; a copy, since emitting may switch keys. */
    private List<WaitingEvent> waitingOf(Integer shard, String contentId) throws Exception {
        setCurrentKey(shard);
        waiting.setCurrentNamespace(contentId);
        @Nullable Iterable<WaitingEvent> found = waiting.get();
        List<WaitingEvent> copy = new ArrayList<>();
        if (found != null) {
            found.forEach(copy::add);
        }
        return copy;
    }

    private DeadLetter letter(EngagementEvent event, long now) {
        return DeadLetter.of(
                Reason.UNRESOLVED,
                STAGE,
                "content " + event.contentId() + " did not come within enrichment.content-wait (" + contentWaitMillis
                        + " ms)",
                now,
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
    public void onEventTime(InternalTimer<Integer, String> timer) {
        throw new IllegalStateException("Nothing here waits for event time");
    }

    /** Bounded runs: contents are complete when their input ends, and what waits at the end of events waits in vain. */
    @Override
    public void endInput(int input) throws Exception {
        if (input == 2 && !caughtUp) {
            catchUp();
        }
        endedInputs |= input;
        if (endedInputs == 3) {
            for (String contentId : List.copyOf(shardsByContent.keySet())) {
                for (Integer shard : List.copyOf(shardsByContent.getOrDefault(contentId, Set.of()))) {
                    giveUp(shard, contentId, timers.currentProcessingTime(), true);
                }
            }
        }
    }
}
