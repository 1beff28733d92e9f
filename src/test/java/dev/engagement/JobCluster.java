package dev.engagement;

import static org.awaitility.Awaitility.await;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.CoreOptions;
import org.apache.flink.configuration.HeartbeatManagerOptions;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.MetricOptions;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.configuration.RpcOptions;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.runtime.client.JobStatusMessage;
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

    private static final Duration TIMEOUT = Duration.ofMinutes(5);

    private static final Duration POLL = Duration.ofMillis(20);
    private static final int SHARED_SLOTS = 8;

    private static @Nullable MiniCluster shared;

    private final MiniCluster cluster;
    private final Path directory;
    private final String stateBackend;

    private JobCluster(MiniCluster cluster, Path directory, String stateBackend) {
        this.cluster = cluster;
        this.directory = directory;
        this.stateBackend = stateBackend;
    }

    /**
     * The cluster that all tests of this JVM share, of one task manager with {@value #SHARED_SLOTS} slots; started once. {@link
     * #close} ends the jobs that still run and leaves it there. For tests that kill no task manager.
     *
     * @param directory for checkpoints and savepoints
     * @param stateBackend {@code hashmap} or {@code rocksdb}
     */
    public static JobCluster shared(Path directory, String stateBackend) throws Exception {
        if (shared == null) {
            shared = miniCluster(1, SHARED_SLOTS, new Configuration());
        }
        return new JobCluster(shared, directory.toAbsolutePath(), stateBackend);
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
        return new JobCluster(miniCluster(taskManagers, slots, more), directory.toAbsolutePath(), stateBackend);
    }

    private static MiniCluster miniCluster(int taskManagers, int slots, Configuration more) throws Exception {
        Configuration configuration = new Configuration(more);
        configuration.set(RestOptions.BIND_PORT, "0");
        configuration.set(TaskManagerOptions.MANAGED_MEMORY_SIZE, MemorySize.ofMebiBytes(64));
        // On a machine that stands still for a while nobody is lost: a task manager that is terminated says so.
        configuration.set(HeartbeatManagerOptions.HEARTBEAT_TIMEOUT, TIMEOUT);
        configuration.set(RpcOptions.ASK_TIMEOUT_DURATION, TIMEOUT);
        // Metrics as they are, not as they were ten seconds ago.
        configuration.set(MetricOptions.METRIC_FETCHER_UPDATE_INTERVAL, Duration.ofMillis(100));
        MiniCluster cluster = new MiniCluster(new MiniClusterConfiguration.Builder()
                .setConfiguration(configuration)
                .setNumTaskManagers(taskManagers)
                .setNumSlotsPerTaskManager(slots)
                .build());
        cluster.start();
        return cluster;
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
                .get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
                .getJobID();
        await().atMost(TIMEOUT)
                .pollInterval(POLL)
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
            BiConsumer<String[], StreamExecutionEnvironment> prepare, String... args) {
        Configuration configuration = new Configuration();
        configuration.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, Duration.ofMillis(200));
        configuration.set(
                CheckpointingOptions.CHECKPOINTS_DIRECTORY,
                "file://" + directory.resolve("checkpoints").toAbsolutePath());
        configuration.set(StateBackendOptions.STATE_BACKEND, stateBackend);
        configuration.set(CoreOptions.DEFAULT_PARALLELISM, 2);
        configuration.set(RestartStrategyOptions.RESTART_STRATEGY, "exponential-delay");
        configuration.set(
                RestartStrategyOptions.RESTART_STRATEGY_EXPONENTIAL_DELAY_INITIAL_BACKOFF, Duration.ofMillis(50));
        configuration.set(RestartStrategyOptions.RESTART_STRATEGY_EXPONENTIAL_DELAY_MAX_BACKOFF, Duration.ofSeconds(1));
        StreamExecutionEnvironment env = new StreamExecutionEnvironment(configuration);
        prepare.accept(args, env);
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
        await().atMost(TIMEOUT).pollInterval(POLL).until(() -> completedCheckpoints(job) > now);
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
        await().atMost(TIMEOUT).pollInterval(POLL).until(() -> status(job).isGloballyTerminalState());
        return status(job);
    }

    /** Kills a task manager without a word to its tasks, and starts another. */
    public void replaceTaskManager(int index) throws Exception {
        cluster.terminateTaskManager(index).get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        cluster.startTaskManager();
    }

    /** Stops the job with a savepoint and answers where it is. */
    public String stop(JobID job) throws Exception {
        return cluster.stopWithSavepoint(
                        job,
                        "file://" + directory.resolve("savepoints").toAbsolutePath(),
                        false,
                        SavepointFormatType.CANONICAL)
                .get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Takes a savepoint while the job runs on, and answers where it is. */
    public String savepoint(JobID job) throws Exception {
        return cluster.triggerSavepoint(
                        job,
                        "file://" + directory.resolve("savepoints").toAbsolutePath(),
                        false,
                        SavepointFormatType.CANONICAL)
                .get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** The same cluster, whose jobs keep their state so from now on; closed once, by whichever. */
    public JobCluster withStateBackend(String other) {
        return new JobCluster(cluster, directory, other);
    }

    /** Cancels the job; what it did since its last checkpoint is forgotten. */
    public void cancel(JobID job) throws Exception {
        cluster.cancelJob(job).get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        await().atMost(TIMEOUT).pollInterval(POLL).until(() -> status(job).isGloballyTerminalState());
    }

    /** Why the job failed, in one text. */
    public String failure(JobID job) {
        var info = cluster.getExecutionGraph(job).join().getFailureInfo();
        return info == null ? "" : info.getExceptionAsString();
    }

    @Override
    public void close() throws Exception {
        if (cluster != shared) {
            cluster.close();
            return;
        }
        for (JobStatusMessage job : cluster.listJobs().get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)) {
            if (!job.getJobState().isGloballyTerminalState()) {
                cancelUnlessEnded(job.getJobId());
            }
        }
    }

    private void cancelUnlessEnded(JobID job) throws Exception {
        try {
            cancel(job);
        } catch (ExecutionException e) {
            if (!status(job).isGloballyTerminalState()) {
                throw e;
            }
        }
    }
}
