package dev.engagement.rowstore;

import dev.engagement.event.EnrichedEvent;
import java.io.Serializable;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.connector.sink2.Committer;
import org.apache.flink.api.connector.sink2.CommitterInitContext;
import org.apache.flink.api.connector.sink2.SupportsCommitter;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.streaming.api.connector.sink2.CommittableMessage;
import org.apache.flink.streaming.api.connector.sink2.CommittableMessageTypeInfo;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.transformations.PartitionTransformation;
import org.apache.flink.streaming.runtime.operators.sink.CommitterOperatorFactory;
import org.apache.flink.streaming.runtime.partitioner.ForwardPartitioner;
import org.apache.flink.streaming.runtime.partitioner.StreamPartitioner;

/** The two stages that put events into a store: one appends their rows, the other shows them. */
public final class Rows {

    private Rows() {}

    /**
     * Appends events.
     *
     * @param unique every event once
     * @param plan of this run
     * @param appendUid uid of the operator that appends rows
     * @param commitUid uid of the operator that shows them
     * @return the stage, with REJECTED letters in its side output
     */
    public static SingleOutputStreamOperator<?> append(
            DataStream<EnrichedEvent> unique, RowPlan plan, String appendUid, String commitUid) {
        String name = plan.store().name().destination();
        StreamExecutionEnvironment env = unique.getExecutionEnvironment();
        Commits commits = new Commits(plan);
        TypeInformation<CommittableMessage<Appended>> messages = CommittableMessageTypeInfo.of(() -> serializer(plan));
        SingleOutputStreamOperator<CommittableMessage<Appended>> appended = unique.transform(
                        name + ": append", messages, new AppendOperator.Factory(plan))
                .uid(appendUid);
        // As in Flink's own sinks: what is to be committed must not be overtaken by its barrier.
        StreamPartitioner<CommittableMessage<Appended>> aligned = new ForwardPartitioner<>();
        aligned.disableUnalignedCheckpoints();
        new DataStream<>(env, new PartitionTransformation<>(appended.getTransformation(), aligned))
                .transform(
                        name + ": commit",
                        messages,
                        new CommitterOperatorFactory<>(
                                commits, false, env.getCheckpointConfig().isCheckpointingEnabled()))
                .uid(commitUid)
                // A forward edge needs the same number of subtasks on both sides.
                .setParallelism(appended.getParallelism());
        return appended;
    }

    private static AppendedSerializer serializer(RowPlan plan) {
        return new AppendedSerializer(plan.store().limits().streamEndsWithCheckpoint());
    }

    /** The committing half, as Flink's committer operator wants it. */
    private static final class Commits implements SupportsCommitter<Appended>, Serializable {

        private static final long serialVersionUID = 1L;

        private final RowPlan plan;

        Commits(RowPlan plan) {
            this.plan = plan;
        }

        @Override
        public Committer<Appended> createCommitter(CommitterInitContext context) {
            return plan.committer(context.getRestoredCheckpointId(), context.metricGroup());
        }

        @Override
        public SimpleVersionedSerializer<Appended> getCommittableSerializer() {
            return serializer(plan);
        }
    }
}
