package dev.engagement;

import static org.awaitility.Awaitility.await;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.function.BiPredicate;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.CoreOptions;
import org.apache.flink.configuration.HeartbeatManagerOptions;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.MetricOptions;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.runtime.executiongraph.AccessExecutionGraph;
import org.apache.flink.runtime.executiongraph.AccessExecutionVertex;
import org.apache.flink.runtime.jobgraph.JobGraph;
import org.apache.flink.runtime.jobgraph.SavepointRestoreSettings;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.jspecify.annotations.Nullable;

/** A Flink cluster in this JVM that runs the jar's commands as its command line would. */
public final class JobCluster implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final MiniCluster cluster;
    private final Path directory;
    private final String stateBackend;

    private JobCluster(MiniCluster cluster, Path directory, String stateBackend) {
        this.cluster = cluster;
        this.directory = directory;
        this.stateBackend = stateBackend;
    }

    /**
     * Starts a cluster.
     *
     * @param directory for checkpoints and savepoints
     * @param stateBackend {@code hashmap} or {@code rocksdb}
     */
    public static JobCluster start(Path directory, int taskManagers, int slots, String stateBackend) throws Exception {
        return start(directory, taskManagers, slots, stateBackend, new Configuration());
    }

    /** As {@link #start(Path, int, int, String)}, with more of Flink's configuration. */
    public static JobCluster start(Path directory, int taskManagers, int slots, String stateBackend, Configuration more)
            throws Exception {
        Configuration configuration = new Configuration(more);
        configuration.set(RestOptions.BIND_PORT, "0");
        configuration.set(TaskManagerOptions.MANAGED_MEMORY_SIZE, MemorySize.ofMebiBytes(64));
        configuration.set(HeartbeatManagerOptions.HEARTBEAT_INTERVAL, Duration.ofMillis(500));
        configuration.set(HeartbeatManagerOptions.HEARTBEAT_TIMEOUT, Duration.ofSeconds(5));
        // Metrics as they are, not as they were ten seconds ago.
        configuration.set(MetricOptions.METRIC_FETCHER_UPDATE_INTERVAL, Duration.ofMillis(100));
        MiniCluster cluster = new MiniCluster(new MiniClusterConfiguration.Builder()
                .setConfiguration(configuration)
                .setNumTaskManagers(taskManagers)
                .setNumSlotsPerTaskManager(slots)
                .build());
        cluster.start();
        return new JobCluster(cluster, directory.toAbsolutePath(), stateBackend);
    }

    /** Runs a command and waits until it runs. */
    public JobID run(String... args) throws Exception {
        return runFrom(null, args);
    }

    /** Runs a command from a savepoint and waits until it runs. */
    public JobID runFrom(@Nullable String savepoint, String... args) throws Exception {
        return runFrom(savepoint, jobGraph(environment(args)));
    }

    /** Runs what somebody has built, from a savepoint, and waits until it runs. */
    public JobID runFrom(@Nullable String savepoint, JobGraph graph) throws Exception {
        if (savepoint != null) {
            graph.setSavepointRestoreSettings(SavepointRestoreSettings.forPath(savepoint, false));
        }
        return submit(graph);
    }

    /** Runs a job that is none of the jar's commands, and waits until it runs. */
    public JobID run(StreamExecutionEnvironment env) throws Exception {
        return submit(jobGraph(env));
    }

    private JobID submit(JobGraph graph) throws Exception {
        JobID job = cluster.submitJob(graph)
                .get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)
                .getJobID();
        await().atMost(PATIENCE)
                .until(() -> status(job) == JobStatus.RUNNING || status(job).isTerminalState());
        return job;
    }

    /** What would be submitted. */
    public static JobGraph jobGraph(StreamExecutionEnvironment env) {
        return env.getStreamGraph(false).getJobGraph();
    }

    /** The environment in which a command has built its job, with this cluster's configuration. */
    public StreamExecutionEnvironment environment(String... args) {
        return environment(EngagementJob::prepare, args);
    }

    /** As {@link #environment(String...)}, with another way to build a job. */
    public StreamExecutionEnvironment environment(
            BiPredicate<String[], StreamExecutionEnvironment> prepare, String... args) {
        Configuration configuration = new Configuration();
        configuration.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, Duration.ofMillis(500));
        configuration.set(
                CheckpointingOptions.CHECKPOINTS_DIRECTORY,
                directory.resolve("checkpoints").toUri().toString());
        configuration.set(StateBackendOptions.STATE_BACKEND, stateBackend);
        configuration.set(CoreOptions.DEFAULT_PARALLELISM, 2);
        StreamExecutionEnvironment env = new StreamExecutionEnvironment(configuration);
        if (!prepare.test(args, env)) {
            throw new IllegalArgumentException(Arrays.toString(args) + " builds no job");
        }
        return env;
    }

    public JobStatus status(JobID job) {
        return cluster.getJobStatus(job).join();
    }

    /** Checkpoints that the job has completed since it was submitted. */
    public long completedCheckpoints(JobID job) {
        AccessExecutionGraph graph = cluster.getExecutionGraph(job).join();
        return graph.getCheckpointStatsSnapshot() == null
                ? 0
                : graph.getCheckpointStatsSnapshot().getCounts().getNumberOfCompletedCheckpoints();
    }

    /** Waits until the job has completed one more checkpoint than it has now. */
    public void awaitCheckpoint(JobID job) {
        long now = completedCheckpoints(job);
        await().atMost(PATIENCE).until(() -> completedCheckpoints(job) > now);
    }

    /** How often a task of the job was started again since it was submitted; 0 if none ever was. */
    public int restarts(JobID job) {
        int restarts = 0;
        for (AccessExecutionVertex task : cluster.getExecutionGraph(job).join().getAllExecutionVertices()) {
            restarts = Math.max(restarts, task.getCurrentExecutionAttempt().getAttemptNumber());
        }
        return restarts;
    }

    /** Where the cluster answers to REST, {@code http://host:port}. */
    public URI rest() {
        return cluster.getRestAddress().join();
    }

    /** Waits until the job has ended by itself. */
    public JobStatus awaitEnd(JobID job) {
        await().atMost(PATIENCE).until(() -> status(job).isGloballyTerminalState());
        return status(job);
    }

    /** Kills a task manager without a word to its tasks, and starts another. */
    public void replaceTaskManager(int index) throws Exception {
        cluster.terminateTaskManager(index).get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        cluster.startTaskManager();
    }

    /** Stops the job with a savepoint and answers where it is. */
    public String stop(JobID job) throws Exception {
        return cluster.stopWithSavepoint(
                        job, directory.resolve("savepoints").toUri().toString(), false, SavepointFormatType.CANONICAL)
                .get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Takes a savepoint while the job runs on, and answers where it is. */
    public String savepoint(JobID job) throws Exception {
        return cluster.triggerSavepoint(
                        job, directory.resolve("savepoints").toUri().toString(), false, SavepointFormatType.CANONICAL)
                .get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** The same cluster, whose jobs keep their state so from now on; closed once, by whichever. */
    public JobCluster withStateBackend(String other) {
        return new JobCluster(cluster, directory, other);
    }

    /** Cancels the job; what it did since its last checkpoint is forgotten. */
    public void cancel(JobID job) throws Exception {
        cluster.cancelJob(job).get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        await().atMost(PATIENCE).until(() -> status(job).isTerminalState());
    }

    /** Why the job failed, in one text. */
    public String failure(JobID job) {
        var info = cluster.getExecutionGraph(job).join().getFailureInfo();
        return info == null ? "" : info.getExceptionAsString();
    }

    @Override
    public void close() throws Exception {
        cluster.close();
    }
}
