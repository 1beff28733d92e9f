package dev.engagement.warehouse;

import dev.engagement.event.EnrichedEvent;
import java.io.IOException;
import java.io.Serializable;
import java.util.UUID;
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

/**
 * The warehouse as a destination: every event once in a BigQuery table.
 *
 * <pre>{@code
 * Warehouse.prepare(options);
 * var warehouse = Warehouse.append(unique, options, eventsTopic, OperatorIds.WAREHOUSE, OperatorIds.WAREHOUSE_COMMIT);
 * out.deadLetters().keep(…, warehouse);
 * }</pre>
 *
 * <p><b>Guarantee.</b> Exactly once along one line of checkpoints: a row is visible when the checkpoint after it has
 * completed, once and only once, whatever fails in between. What would break that is refused: a start without state onto a
 * table that has rows, a start from a checkpoint older than what is visible, the second of two runs from one checkpoint. A
 * row that BigQuery refuses is a REJECTED dead letter, at least once. While BigQuery takes nothing the task stands still
 * with at most {@code maxInFlight} of rows, and nothing is lost.
 */
public final class Warehouse {

    private Warehouse() {}

    /**
     * Makes the table, or checks the one that is there: for the client, before a job is submitted.
     *
     * @throws WarehouseRefusedException if the table does not fit; the message names column, wanted and found type
     * @throws IOException if BigQuery does not answer or refuses
     */
    public static void prepare(WarehouseOptions options) throws IOException, InterruptedException {
        var unused = WritePlan.of(options, "", "").prepareTable();
    }

    /**
     * Appends events to the table.
     *
     * @param unique every event once
     * @param eventsTopic named in dead letters
     * @param appendUid uid of the operator that appends rows
     * @param commitUid uid of the operator that shows them
     * @return the stage, with REJECTED letters in its side output
     */
    public static SingleOutputStreamOperator<?> append(
            DataStream<EnrichedEvent> unique,
            WarehouseOptions options,
            String eventsTopic,
            String appendUid,
            String commitUid) {
        return append(
                unique, WritePlan.of(options, eventsTopic, UUID.randomUUID().toString()), appendUid, commitUid);
    }

    static SingleOutputStreamOperator<?> append(
            DataStream<EnrichedEvent> unique, WritePlan plan, String appendUid, String commitUid) {
        StreamExecutionEnvironment env = unique.getExecutionEnvironment();
        Commits commits = new Commits(plan);
        TypeInformation<CommittableMessage<Appended>> messages = CommittableMessageTypeInfo.of(AppendedSerializer::new);
        SingleOutputStreamOperator<CommittableMessage<Appended>> appended = unique.transform(
                        "warehouse: append", messages, new AppendOperator.Factory(plan))
                .uid(appendUid);
        // As in Flink's own sinks: what is to be committed must not be overtaken by its barrier.
        StreamPartitioner<CommittableMessage<Appended>> aligned = new ForwardPartitioner<>();
        aligned.disableUnalignedCheckpoints();
        new DataStream<>(env, new PartitionTransformation<>(appended.getTransformation(), aligned))
                .transform(
                        "warehouse: commit",
                        messages,
                        new CommitterOperatorFactory<>(
                                commits, false, env.getCheckpointConfig().isCheckpointingEnabled()))
                .uid(commitUid)
                // A forward edge needs the same number of subtasks on both sides.
                .setParallelism(appended.getParallelism());
        return appended;
    }

    /** The committing half, as Flink's committer operator wants it. */
    private static final class Commits implements SupportsCommitter<Appended>, Serializable {

        private static final long serialVersionUID = 1L;

        private final WritePlan plan;

        Commits(WritePlan plan) {
            this.plan = plan;
        }

        @Override
        public Committer<Appended> createCommitter(CommitterInitContext context) {
            return plan.committer(context.getRestoredCheckpointId(), context.metricGroup());
        }

        @Override
        public SimpleVersionedSerializer<Appended> getCommittableSerializer() {
            return new AppendedSerializer();
        }
    }
}
