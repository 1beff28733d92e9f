package dev.engagement.rowstore;

import dev.engagement.deadletter.DeadLetter;
import dev.engagement.deadletter.DeadLetterTypes;
import dev.engagement.deadletter.Reason;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.EventJson;
import dev.engagement.event.Position;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.ThreadLocalRandom;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.runtime.state.StateInitializationContext;
import org.apache.flink.runtime.state.StateSnapshotContext;
import org.apache.flink.streaming.api.connector.sink2.CommittableMessage;
import org.apache.flink.streaming.api.connector.sink2.CommittableSummary;
import org.apache.flink.streaming.api.connector.sink2.CommittableWithLineage;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.AbstractStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.BoundedOneInput;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.StreamOperator;
import org.apache.flink.streaming.api.operators.StreamOperatorParameters;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.tasks.ProcessingTimeService;
import org.jspecify.annotations.Nullable;

/**
 * The writing half of the sink: events in, what is to be committed out, refused rows aside.
 *
 * <p>An operator instead of a {@code SinkWriter}, which has no side output for the letters and does not know which
 * checkpoint it prepares; what comes out of it goes into Flink's own committer.
 */
final class AppendOperator extends AbstractStreamOperator<CommittableMessage<Appended>>
        implements OneInputStreamOperator<EnrichedEvent, CommittableMessage<Appended>>, BoundedOneInput {

    private static final long serialVersionUID = 1L;

    private final RowPlan plan;
    private final transient MailboxExecutor mailbox;

    private transient ListState<CheckpointLineage> lineState;
    private transient CheckpointLineage line;
    private transient @Nullable RowWriter writer;
    private transient boolean ended;
    private transient long lastCheckpoint;

    AppendOperator(RowPlan plan, MailboxExecutor mailbox, ProcessingTimeService time) {
        this.plan = plan;
        this.mailbox = mailbox;
        this.processingTimeService = time;
    }

    @Override
    public void initializeState(StateInitializationContext context) throws Exception {
        super.initializeState(context);
        lineState = context.getOperatorStateStore().getUnionListState(plan.line());
        OptionalLong checkpoint = context.getRestoredCheckpointId();
        CheckpointLineage.Start.@Nullable Restored restored = null;
        if (checkpoint.isPresent()) {
            lastCheckpoint = checkpoint.getAsLong();
            for (CheckpointLineage kept : lineState.get()) {
                restored = new CheckpointLineage.Start.Restored(kept, lastCheckpoint);
            }
        }
        // The checkpoint of a job that had no such store yet says nothing of the table.
        line = plan.begin(restored);
    }

    @Override
    public void open() throws Exception {
        super.open();
        writer = new RowWriter(
                plan.store().limits(),
                plan.store().backoff(),
                new RowWriter.Environment(
                        plan.store().name(),
                        plan.store().table(),
                        plan.store().connect(),
                        plan.store().encoder(),
                        mailbox,
                        getProcessingTimeService(),
                        () -> ThreadLocalRandom.current().nextDouble(),
                        getMetricGroup(),
                        this::reject));
    }

    @Override
    public void processElement(StreamRecord<EnrichedEvent> element) throws Exception {
        writer().write(element.getValue());
    }

    private void reject(EnrichedEvent enriched, String why) {
        EngagementEvent event = enriched.event();
        Position position = event.position();
        DeadLetter letter = DeadLetter.of(
                Reason.REJECTED,
                plan.store().name().destination(),
                why,
                getProcessingTimeService().getCurrentProcessingTime(),
                new DeadLetter.Source(
                        plan.eventsTopic(), position.partition(), position.offset(), position.timestampMillis()),
                event.eventId(),
                EventJson.enriched(enriched),
                // Any later checkpoint has this behind it.
                plan.letterHeaders(lastCheckpoint + 1));
        output.collect(DeadLetterTypes.DEAD_LETTERS, new StreamRecord<>(letter));
    }

    /** Before the barrier: what is to be committed, and the letters, belong to this checkpoint. */
    @Override
    public void prepareSnapshotPreBarrier(long checkpointId) throws Exception {
        super.prepareSnapshotPreBarrier(checkpointId);
        if (!ended) {
            handOver(checkpointId);
        }
    }

    @Override
    public void endInput() throws Exception {
        ended = true;
        handOver(lastCheckpoint + 1);
    }

    private void handOver(long checkpoint) throws Exception {
        lastCheckpoint = checkpoint;
        List<RowWriter.Range> ranges = writer().prepareCommit();
        int subtask = getRuntimeContext().getTaskInfo().getIndexOfThisSubtask();
        int subtasks = getRuntimeContext().getTaskInfo().getNumberOfParallelSubtasks();
        output.collect(new StreamRecord<>(
                new CommittableSummary<>(subtask, subtasks, checkpoint, ranges.size(), ranges.size(), 0)));
        for (RowWriter.Range range : ranges) {
            Appended appended = new Appended(range.stream(), range.lastOffset(), range.detail(), checkpoint, line);
            output.collect(new StreamRecord<>(new CommittableWithLineage<>(appended, checkpoint, subtask)));
        }
    }

    @Override
    public void snapshotState(StateSnapshotContext context) throws Exception {
        super.snapshotState(context);
        lineState.update(getRuntimeContext().getTaskInfo().getIndexOfThisSubtask() == 0 ? List.of(line) : List.of());
    }

    @Override
    public void close() throws Exception {
        if (writer != null) {
            writer.close();
        }
        super.close();
    }

    private RowWriter writer() {
        RowWriter open = writer;
        if (open == null) {
            throw new IllegalStateException("The operator is not open");
        }
        return open;
    }

    /** Makes the operator where it runs. */
    static final class Factory extends AbstractStreamOperatorFactory<CommittableMessage<Appended>>
            implements OneInputStreamOperatorFactory<EnrichedEvent, CommittableMessage<Appended>> {

        private static final long serialVersionUID = 1L;

        private final RowPlan plan;

        Factory(RowPlan plan) {
            this.plan = plan;
        }

        @Override
        @SuppressWarnings("unchecked") // the caller asks for the operator of getStreamOperatorClass
        public <T extends StreamOperator<CommittableMessage<Appended>>> T createStreamOperator(
                StreamOperatorParameters<CommittableMessage<Appended>> parameters) {
            AppendOperator operator = new AppendOperator(plan, parameters.getMailboxExecutor(), processingTimeService);
            operator.setup(parameters.getContainingTask(), parameters.getStreamConfig(), parameters.getOutput());
            return (T) operator;
        }

        @Override
        @SuppressWarnings("rawtypes") // as in the interface
        public Class<? extends StreamOperator> getStreamOperatorClass(ClassLoader classLoader) {
            return AppendOperator.class;
        }
    }
}
