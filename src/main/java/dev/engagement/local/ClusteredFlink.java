package dev.engagement.local;

import java.io.IOException;
import java.net.URI;
import java.util.List;

/** The jobs on a session cluster of real processes, submitted by {@code flink run -d}. */
final class ClusteredFlink implements JobHost {

    private final SessionCluster cluster;
    private final FlinkRest flink;

    ClusteredFlink(SessionCluster cluster) {
        this.cluster = cluster;
        this.flink = new FlinkRest(cluster.rest(), FlinkRest.SHOWN_WITHIN);
    }

    @Override
    public URI rest() {
        return cluster.rest();
    }

    @Override
    public String submit(List<String> arguments) {
        return cluster.run(List.of(), arguments);
    }

    @Override
    public String stateOf(String job) throws InterruptedException {
        try {
            String state = flink.jobState(job);
            return state.equals("FAILED") ? state + ": " + flink.lastException(job) : state;
        } catch (IOException e) {
            return "unknown, " + LocalStack.rootCause(e);
        }
    }

    @Override
    public void cancel(String job) throws InterruptedException {
        // A job manager that does not answer would hold the command up for long; the job ends with the cluster.
        if (stateOf(job).equals("RUNNING")) {
            cluster.flink("cancel", job);
        }
    }

    @Override
    public void kill() {
        cluster.killAll();
    }

    @Override
    public void close() {
        cluster.close();
    }
}
