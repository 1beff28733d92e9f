package dev.engagement.deploy;

import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.flink.runtime.OperatorIDPair;
import org.apache.flink.runtime.jobgraph.JobVertex;
import org.apache.flink.runtime.jobgraph.OperatorID;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.apache.flink.streaming.api.graph.StreamGraphHasherV2;
import org.apache.flink.streaming.api.graph.StreamNode;

/**
 * The operators of a job that is to be run, as a restore will look for their state.
 *
 * @param operators by the hash of their uid
 */
record JobShape(Map<OperatorID, Operator> operators) {

    /**
     * An operator.
     *
     * @param uid its uid; its hash if it has none
     * @param parallelism of the task that it is chained into
     * @param maxParallelism of that task; 0 if Flink may choose
     * @param rollups those that it keeps: fingerprints of their definitions by name
     */
    record Operator(String uid, int parallelism, int maxParallelism, Map<String, String> rollups) {}

    /** Of a job with this configuration and these options, without rollups. */
    static JobShape of(StreamGraph graph) {
        return of(graph, Map.of());
    }

    /**
     * Of a job with this configuration and these options.
     *
     * @param rollups by the uid of the operator that keeps them, fingerprints of their definitions by name
     */
    static JobShape of(StreamGraph graph, Map<String, Map<String, String>> rollups) {
        Map<OperatorID, String> uids = new LinkedHashMap<>();
        new StreamGraphHasherV2().traverseStreamGraphAndGenerateHashes(graph).forEach((node, hash) -> {
            StreamNode each = graph.getStreamNode(node);
            OperatorID id = new OperatorID(hash);
            uids.put(id, each.getTransformationUID() == null ? id.toHexString() : each.getTransformationUID());
        });
        Map<OperatorID, Operator> operators = new LinkedHashMap<>();
        for (JobVertex task : graph.getJobGraph().getVertices()) {
            for (OperatorIDPair pair : task.getOperatorIDs()) {
                OperatorID id = pair.getGeneratedOperatorID();
                String uid = uids.getOrDefault(id, id.toHexString());
                operators.put(
                        id,
                        new Operator(
                                uid,
                                task.getParallelism(),
                                Math.max(0, task.getMaxParallelism()),
                                rollups.getOrDefault(uid, Map.of())));
            }
        }
        return new JobShape(operators);
    }
}
