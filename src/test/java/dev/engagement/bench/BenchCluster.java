package dev.engagement.bench;

import dev.engagement.event.types.EventShards;
import java.nio.file.Path;
import java.time.Duration;
import org.apache.flink.api.common.JobID;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** Flink in this process, for one bounded job after another, with the settings of the job itself. */
final class BenchCluster implements AutoCloseable {

    static final int PARALLELISM = 2;

    private static final Duration CHECKPOINT_INTERVAL = Duration.ofSeconds(5);

    private final MiniCluster cluster;
    private final Path directory;
    private final String stateBackend;
    private final Meter meter = new Meter();

    private BenchCluster(MiniCluster cluster, Path directory, String stateBackend) {
        this.cluster = cluster;
        this.directory = directory;
        this.stateBackend = stateBackend;
    }

    /** @param directory for checkpoints */
    static BenchCluster start(Path directory, String stateBackend) throws Exception {
        return start(directory, stateBackend, new Configuration());
    }

    /** With more configuration of the cluster. */
    static BenchCluster start(Path directory, String stateBackend, Configuration more) throws Exception {
        Configuration configuration = new Configuration(more);
        configuration.setString("rest.bind-port", "0");
        configuration.set(TaskManagerOptions.MANAGED_MEMORY_SIZE, MemorySize.ofMebiBytes(256));
        MiniCluster cluster = new MiniCluster(new MiniClusterConfiguration.Builder()
                .setConfiguration(configuration)
                .setNumTaskManagers(1)
                .setNumSlotsPerTaskManager(PARALLELISM)
                .build());
        cluster.start();
        return new BenchCluster(cluster, directory, stateBackend);
    }

    /** For a job that takes checkpoints. */
    StreamExecutionEnvironment environment() {
        Configuration configuration = configuration();
        configuration.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, CHECKPOINT_INTERVAL);
        configuration.set(
                CheckpointingOptions.CHECKPOINTS_DIRECTORY,
                "file://" + directory.resolve("checkpoints").toAbsolutePath());
        return environment(configuration);
    }

    /** For a job that takes none. */
    StreamExecutionEnvironment environmentWithoutCheckpoints() {
        return environment(configuration());
    }

    private Configuration configuration() {
        Configuration configuration = new Configuration();
        configuration.set(PipelineOptions.OBJECT_REUSE, true);
        configuration.set(PipelineOptions.GENERIC_TYPES, false);
        configuration.set(StateBackendOptions.STATE_BACKEND, stateBackend);
        return configuration;
    }

    private static StreamExecutionEnvironment environment(Configuration configuration) {
        StreamExecutionEnvironment env = new StreamExecutionEnvironment(configuration);
        env.setParallelism(PARALLELISM);
        env.setMaxParallelism(EventShards.SHARDS);
        return env;
    }

    /** Runs a job to its end. */
    Meter.Reading run(StreamExecutionEnvironment env) throws Exception {
        meter.start();
        cluster.executeJobBlocking(env.getStreamGraph().getJobGraph());
        return meter.stop();
    }

    /** Starts a job that does not end. */
    JobID start(StreamExecutionEnvironment env) throws Exception {
        return cluster.submitJob(env.getStreamGraph().getJobGraph()).get().getJobID();
    }

    void cancel(JobID job) throws Exception {
        cluster.cancelJob(job).get();
    }

    @Override
    public void close() throws Exception {
        cluster.close();
    }
}
