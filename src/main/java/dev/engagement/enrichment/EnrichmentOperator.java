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
import java.util.BitSet;
import java.util.List;
import java.util.stream.Stream;
import org.apache.flink.api.common.state.BroadcastState;
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
import org.apache.flink.streaming.api.watermark.Watermark;
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
 * <p>Where contents are not required, it passes with {@link Content#NONE} instead; and an event that names no content passes
 * at once. Without a wait an unknown content holds an event up only until the content topic has been caught up with.
 *
 * <p>Event time waits with the events, as long as this run has not caught up with the content topic, and for as long as an
 * event would at most: a cold start has read its events before its contents, and leaderboards without them would take the
 * place of another job's.
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

    static final String TIMERS = "content-wait";

    /** Timers fire on full seconds, so that a burst for one content costs one timer and not one each. */
    private static final long TIMER_GRAIN_MILLIS = 1_000;

    /** How long event time waits at least for the content topic where events may pass without waiting for a content. */
    private static final long MIN_HOLD_MILLIS = 30_000;

    private final EngagementRule rule;
    private final long contentWaitMillis;
    private final boolean contentRequired;
    private final long maxHoldMillis;
    private final String eventsTopic;

    private transient BroadcastState<String, Content> contents;
    private transient WaitingEvents waiting;
    private transient InternalTimerService<String> timers;

    private transient BitSet partitionsReadToEnd;

    /** How many partitions the content topic has: a topic grows, and readers hear of it one after the other. */
    private transient int contentPartitions;

    private transient boolean caughtUp;
    private transient long caughtUpAtMillis;
    private transient long openedAtMillis;

    /** The newest one, if it was not passed on. */
    private transient @Nullable Watermark heldBack;

    /** Bit 0: no more events; bit 1: no more content changes. */
    private transient int endedInputs;

    private transient Counter unresolved;
    private transient Counter withoutContent;
    private transient StreamRecord<EnrichedEvent> reused;

    EnrichmentOperator(EnrichmentOptions options, String eventsTopic) {
        this.rule = options.rule();
        this.contentWaitMillis = options.contentWait().toMillis();
        this.contentRequired = options.contentRequired();
        this.maxHoldMillis = contentRequired ? contentWaitMillis : Math.max(contentWaitMillis, MIN_HOLD_MILLIS);
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
        waiting = new WaitingEvents(this, (InternalListState<Integer, String, WaitingEvent>)
                (Object) getOrCreateKeyedState(StringSerializer.INSTANCE, WaitingEvents.STATE));
        timers = getInternalTimerService(TIMERS, StringSerializer.INSTANCE, this);
        openedAtMillis = timers.currentProcessingTime();
        heldBack = null;
        partitionsReadToEnd = new BitSet();
        contentPartitions = 0;
        reused = new StreamRecord<>(null);
        unresolved = getMetricGroup().counter("unresolved");
        withoutContent = getMetricGroup().counter("withoutContent");
        getMetricGroup().gauge("waitingForContent", waiting::size);
        getMetricGroup().gauge("contentTopicCaughtUp", () -> caughtUp ? 1 : 0);
        try (Stream<Tuple2<Integer, String>> known =
                this.<Integer>getKeyedStateBackend().getKeysAndNamespaces(WaitingEvents.STATE.getName())) {
            waiting.restore(known);
        }
    }

    @Override
    public void processElement1(StreamRecord<EngagementEvent> record) throws Exception {
        EngagementEvent event = record.getValue();
        String contentId = event.contentId();
        if (contentId == null) {
            emitWithoutContent(event);
            return;
        }
        Content content = contents.get(contentId);
        if (content != null) {
            emit(event, content);
        } else if (caughtUp && passesAtOnce()) {
            emitWithoutContent(event);
        } else {
            park(event, contentId);
        }
    }

    /** Whether an unknown content is waited for only as long as the content topic is being caught up with. */
    private boolean passesAtOnce() {
        return !contentRequired && contentWaitMillis == 0;
    }

    private void emitWithoutContent(EngagementEvent event) {
        withoutContent.inc();
        emit(event, Content.NONE);
    }

    private void emit(EngagementEvent event, Content content) {
        // The event's own time: what an event that waited inherits from the content that freed it means nothing.
        output.collect(reused.replace(rule.enrich(event, content), Math.floorDiv(event.eventTsMicros(), 1_000)));
    }

    private void park(EngagementEvent event, String contentId) throws Exception {
        Integer shard = (Integer) getCurrentKey();
        long now = timers.currentProcessingTime();
        waiting.add(shard, contentId, new WaitingEvent(event, now));
        if (caughtUp) {
            wakeAt(contentId, now + contentWaitMillis);
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
        for (Integer shard : waiting.shards(contentId)) {
            waiting.removeIf(shard, contentId, one -> {
                emit(one.event(), content);
                return true;
            });
        }
    }

    @Override
    public void processWatermark(Watermark mark) throws Exception {
        if (!caughtUp && waiting.size() > 0 && timers.currentProcessingTime() - openedAtMillis < maxHoldMillis) {
            heldBack = mark;
        } else {
            heldBack = null;
            super.processWatermark(mark);
        }
    }

    private void catchUp() throws Exception {
        caughtUp = true;
        caughtUpAtMillis = timers.currentProcessingTime();
        for (String contentId : waiting.contents()) {
            for (Integer shard : waiting.shards(contentId)) {
                if (passesAtOnce()) {
                    giveUp(shard, contentId, caughtUpAtMillis, true);
                } else {
                    setCurrentKey(shard);
                    wakeAt(contentId, caughtUpAtMillis + contentWaitMillis);
                }
            }
        }
        Watermark mark = heldBack;
        if (mark != null) {
            processWatermark(mark);
        }
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

    /**
     * Lets go of the events whose wait is over, as dead letters or without a content, and sees to it that the others' end is
     * not missed.
     */
    private void giveUp(Integer shard, String contentId, long now, boolean all) throws Exception {
        EarliestEnd next = new EarliestEnd();
        waiting.removeIf(shard, contentId, one -> {
            long until = Math.max(one.sinceMillis(), caughtUpAtMillis) + contentWaitMillis;
            if (until > now && !all) {
                next.millis = Math.min(next.millis, until);
                return false;
            }
            if (contentRequired) {
                unresolved.inc();
                output.collect(DeadLetterTypes.DEAD_LETTERS, new StreamRecord<>(letter(one.event(), now)));
            } else {
                emitWithoutContent(one.event());
            }
            return true;
        });
        if (next.millis < Long.MAX_VALUE) {
            setCurrentKey(shard);
            wakeAt(contentId, next.millis);
        }
    }

    private static final class EarliestEnd {
        private long millis = Long.MAX_VALUE;
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
                event.eventId(),
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
            for (String contentId : waiting.contents()) {
                for (Integer shard : waiting.shards(contentId)) {
                    giveUp(shard, contentId, timers.currentProcessingTime(), true);
                }
            }
        }
    }
}
