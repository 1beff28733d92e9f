package dev.engagement.local;

import dev.engagement.EngagementJob;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.jobgraph.JobGraph;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** The jobs inside this JVM, on Flink's MiniCluster with its web UI. */
final class InProcessFlink implements JobHost {

    private static final long LIMIT_SECONDS = 300;

    private final MiniCluster cluster;
    private final URI rest;
    private final Map<String, String> jobConfiguration;

    private InProcessFlink(MiniCluster cluster, URI rest, Map<String, String> jobConfiguration) {
        this.cluster = cluster;
        this.rest = rest;
        this.jobConfiguration = jobConfiguration;
    }

    /**
     * Starts it.
     *
     * @param directory for temporary files, checkpoints and savepoints
     * @param port of REST API and web UI
     * @param slots for all jobs together
     * @param jobConfiguration Flink's configuration of each job; what a job sets itself wins
     */
    static InProcessFlink start(Path directory, int port, int slots, Map<String, String> jobConfiguration) {
        Configuration configuration = Configuration.fromMap(jobConfiguration);
        configuration.setString("state.backend.type", "hashmap");
        configuration.setString("execution.checkpointing.dir", Folders.forFlink(directory.resolve("checkpoints")));
        configuration.setString(
                "execution.checkpointing.savepoint-dir", Folders.forFlink(directory.resolve("savepoints")));
        Map<String, String> ofJobs = configuration.toMap();
        configuration.setString("rest.address", "127.0.0.1");
        configuration.setString("rest.bind-address", "127.0.0.1");
        configuration.setString("rest.port", Integer.toString(port));
        configuration.setString("rest.bind-port", Integer.toString(port));
        configuration.setString(
                "io.tmp.dirs", Folders.create(directory.resolve("flink")).toString());
        configuration.setString("metrics.fetcher.update-interval", "1000");
        configuration.setString("taskmanager.memory.network.min", "128mb");
        configuration.setString("taskmanager.memory.network.max", "128mb");
        MiniCluster cluster = new MiniCluster(new MiniClusterConfiguration.Builder()
                .setConfiguration(configuration)
                .setNumTaskManagers(1)
                .setNumSlotsPerTaskManager(slots)
                .build());
        try {
            cluster.start();
        } catch (Exception e) {
            throw new ServerException("The Flink MiniCluster did not start: " + e.getMessage(), e);
        }
        return new InProcessFlink(cluster, URI.create("http://127.0.0.1:" + port), ofJobs);
    }

    @Override
    public URI rest() {
        return rest;
    }

    @Override
    public String submit(List<String> arguments) {
        try {
            StreamExecutionEnvironment env = new StreamExecutionEnvironment(Configuration.fromMap(jobConfiguration));
            EngagementJob.prepare(arguments.toArray(String[]::new), env);
            JobGraph graph = env.getStreamGraph().getJobGraph();
            cluster.submitJob(graph).get(LIMIT_SECONDS, TimeUnit.SECONDS);
            return graph.getJobID().toHexString();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ServerException("Interrupted while submitting " + arguments.get(0), e);
        } catch (Exception e) {
            throw new ServerException(LocalStack.rootCause(e), e);
        }
    }

    @Override
    public String stateOf(String job) throws InterruptedException {
        JobID id = JobID.fromHexString(job);
        try {
            JobStatus status = cluster.getJobStatus(id).get(LIMIT_SECONDS, TimeUnit.SECONDS);
            if (status != JobStatus.FAILED) {
                return status.name();
            }
            return status.name() + ": "
                    + cluster.requestJobResult(id)
                            .get(LIMIT_SECONDS, TimeUnit.SECONDS)
                            .getSerializedThrowable()
                            .map(LocalStack::rootCause)
                            .orElse("no cause given");
        } catch (ExecutionException | TimeoutException e) {
            return "unknown, " + LocalStack.rootCause(e);
        }
    }

    @Override
    public void cancel(String job) throws Exception {
        JobID id = JobID.fromHexString(job);
        JobStatus status = cluster.getJobStatus(id).get(LIMIT_SECONDS, TimeUnit.SECONDS);
        if (!status.isGloballyTerminalState()) {
            cluster.cancelJob(id).get(LIMIT_SECONDS, TimeUnit.SECONDS);
            // The result is there once the job has let go of the servers.
            cluster.requestJobResult(id).get(LIMIT_SECONDS, TimeUnit.SECONDS);
        }
    }

    @Override
    public void kill() {
        // It ends with this JVM.
    }

    @Override
    public void close() throws Exception {
        cluster.close();
    }
}
