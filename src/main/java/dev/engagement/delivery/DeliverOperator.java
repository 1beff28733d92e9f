package dev.engagement.delivery;

import dev.engagement.deadletter.DeadLetterTypes;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.EventJson;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ThreadLocalRandom;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.metrics.Counter;
import org.apache.flink.runtime.state.StateInitializationContext;
import org.apache.flink.runtime.state.StateSnapshotContext;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.BoundedOneInput;
import org.apache.flink.streaming.api.operators.ChainingStrategy;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The live path: events in, requests to the receiver; out comes what is handed back, for the retry topic, and aside dead
 * letters and receipts.
 *
 * <p><b>Guarantee.</b> Each event is delivered at least once, becomes a dead letter, or is handed back. A checkpoint holds
 * whatever is unfinished and never waits for the receiver; neither does anything upstream: an element is posted, waits in
 * the courier within its bytes, or is handed back, before {@link #processElement} returns. After a restore what was
 * unfinished is tried again, under the same id. At the end of the input all that is unfinished is handed back.
 */
final class DeliverOperator extends AbstractStreamOperator<Delivery>
        implements OneInputStreamOperator<EnrichedEvent, Delivery>, BoundedOneInput {

    private static final Logger LOG = LoggerFactory.getLogger(DeliverOperator.class);

    private static final long serialVersionUID = 1L;

    static final ListStateDescriptor<Delivery> UNFINISHED =
            new ListStateDescriptor<>("unfinished-deliveries", DeliveryTypes.DELIVERY);

    private static final long NEVER = Long.MAX_VALUE;

    private final DeliveryPlan plan;
    private final transient MailboxExecutor mailbox;

    private transient ListState<Delivery> unfinished;

    /** What the restored state holds, until it is tried again. */
    private transient List<Delivery> restored;

    private transient @Nullable Courier courier;
    private transient Counter snapshotLeftOut;

    /** When the timer rings, by the processing time; {@link #NEVER} if none is set. */
    private transient long ringsMillis;

    DeliverOperator(DeliveryPlan plan, MailboxExecutor mailbox) {
        this.plan = plan;
        this.mailbox = mailbox;
        setChainingStrategy(ChainingStrategy.ALWAYS);
    }

    @Override
    public void initializeState(StateInitializationContext context) throws Exception {
        super.initializeState(context);
        unfinished = context.getOperatorStateStore().getListState(UNFINISHED);
        restored = new ArrayList<>();
        if (context.isRestored()) {
            unfinished.get().forEach(restored::add);
        }
    }

    @Override
    public void open() throws Exception {
        super.open();
        snapshotLeftOut = getMetricGroup().counter("snapshotLeftOut");
        ringsMillis = NEVER;
        courier = new Courier(
                Courier.Path.LIVE,
                plan.rules(),
                0,
                plan.sender().open(),
                new TaskClock(),
                () -> ThreadLocalRandom.current().nextDouble(),
                new Sides(),
                this::settleSoon,
                new DeliveryMetrics(getMetricGroup()),
                new UnansweredLog(plan.receiver(), LOG::warn));
        if (!restored.isEmpty()) {
            // Not before everything downstream is open: what does not fit in is handed back.
            mailbox.execute(this::tryRestored, "deliveries of the restored state");
        }
    }

    private void tryRestored() {
        List<Delivery> again = restored;
        restored = new ArrayList<>();
        for (Delivery delivery : again) {
            courier().offer(delivery, 0);
        }
        arm();
    }

    @Override
    public void processElement(StreamRecord<EnrichedEvent> element) throws Exception {
        EnrichedEvent enriched = element.getValue();
        if (enriched.event().snapshot() && !plan.includeSnapshot()) {
            snapshotLeftOut.inc();
            return;
        }
        courier().offer(first(enriched, getProcessingTimeService().getCurrentProcessingTime()), 0);
        arm();
    }

    /** The delivery of an event that was not tried yet. */
    static Delivery first(EnrichedEvent enriched, long nowMillis) {
        EngagementEvent event = enriched.event();
        return new Delivery(
                event.eventId(),
                EventJson.enriched(enriched),
                0,
                event.position(),
                nowMillis,
                0,
                event.committedAtMillis());
    }

    /** On any thread. */
    private void settleSoon() {
        try {
            mailbox.execute(this::settle, "answers of the receiver");
        } catch (RejectedExecutionException e) {
            LOG.debug("An answer came after the task had ended; what it answers is unfinished in the checkpoint", e);
        }
    }

    private void settle() {
        courier().settle();
        arm();
    }

    /** One timer at a time: most are made needless by an answer before they ring. */
    private void arm() {
        long delay = courier().millisToNext(false);
        if (delay == Long.MAX_VALUE) {
            return;
        }
        long at = getProcessingTimeService().getCurrentProcessingTime() + delay;
        if (at < ringsMillis) {
            ringsMillis = at;
            ScheduledFuture<?> unused = getProcessingTimeService().registerTimer(at, this::ring);
        }
    }

    private void ring(long setForMillis) {
        // An earlier one was set in the meantime: that one is the timer.
        if (setForMillis == ringsMillis) {
            ringsMillis = NEVER;
            settle();
        }
    }

    /** Before the barrier, so that what has been answered is no longer in the state. */
    @Override
    public void prepareSnapshotPreBarrier(long checkpointId) throws Exception {
        super.prepareSnapshotPreBarrier(checkpointId);
        settle();
    }

    @Override
    public void snapshotState(StateSnapshotContext context) throws Exception {
        super.snapshotState(context);
        List<Delivery> all = new ArrayList<>(restored);
        courier().unfinished((delivery, partition) -> all.add(delivery));
        unfinished.update(all);
    }

    /** The checkpoint has a copy: until the next one nothing is held twice. */
    @Override
    public void notifyCheckpointComplete(long checkpointId) throws Exception {
        super.notifyCheckpointComplete(checkpointId);
        unfinished.clear();
    }

    @Override
    public void endInput() throws Exception {
        tryRestored();
        courier().handBackEverything();
    }

    @Override
    public void close() throws Exception {
        if (courier != null) {
            courier.close();
        }
        super.close();
    }

    private Courier courier() {
        Courier open = courier;
        if (open == null) {
            throw new IllegalStateException("The operator is not open");
        }
        return open;
    }

    private final class Sides implements Courier.Outcomes {

        @Override
        public void delivered(Delivery delivery, int status) {
            if (plan.receipts()) {
                Receipt receipt = new Receipt(
                        delivery.eventId(), getProcessingTimeService().getCurrentProcessingTime(), status);
                output.collect(DeliveryTypes.RECEIPTS, new StreamRecord<>(receipt));
            }
        }

        @Override
        public void handBack(Delivery delivery) {
            output.collect(new StreamRecord<>(delivery));
        }

        @Override
        public void undeliverable(Delivery delivery, String why) {
            output.collect(
                    DeadLetterTypes.DEAD_LETTERS,
                    new StreamRecord<>(DeliveryLetters.undeliverable(
                            delivery,
                            why,
                            plan.eventsTopic(),
                            getProcessingTimeService().getCurrentProcessingTime())));
        }
    }

    /** The task's own time. */
    private final class TaskClock extends Clock {

        @Override
        public long millis() {
            return getProcessingTimeService().getCurrentProcessingTime();
        }

        @Override
        public Instant instant() {
            return Instant.ofEpochMilli(millis());
        }

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }
    }
}
