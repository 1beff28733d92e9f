package dev.engagement.config;

import java.time.Duration;
import java.util.OptionalInt;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.CoreOptions;
import org.apache.flink.configuration.ExecutionOptions;
import org.apache.flink.configuration.ExternalizedCheckpointRetention;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.core.execution.CheckpointingMode;

/**
 * What a production job needs of Flink, wherever Flink's own configuration (the cluster's file, {@code -D}, {@code -p})
 * does not say otherwise.
 *
 * <p>Only what the client that submits can see counts as said: a cluster whose configuration differs from the client's is
 * overridden.
 */
public final class JobDefaults {
    private JobDefaults() {}

    private static final String EXPONENTIAL_DELAY = "exponential-delay";

    /**
     * What has to be added to Flink's configuration.
     *
     * @param said Flink's configuration, {@code StreamExecutionEnvironment.getConfiguration()}
     * @param settings ours; an option of ours that the user gave wins over Flink's
     * @return to be handed to {@code StreamExecutionEnvironment.configure}; holds nothing that {@code said} holds, but for
     *     options of ours that the user gave
     */
    public static Configuration missingFrom(ReadableConfig said, Settings settings) {
        return missingFrom(said, settings.checkpointing(), settings.parallelism());
    }

    static Configuration missingFrom(ReadableConfig said, CheckpointOptions checkpointing, OptionalInt parallelism) {
        Added added = new Added(said);

        added.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, checkpointing.interval(), checkpointing.intervalGiven());
        added.set(CheckpointingOptions.CHECKPOINTING_TIMEOUT, checkpointing.timeout(), checkpointing.timeoutGiven());
        added.set(CheckpointingOptions.CHECKPOINTING_CONSISTENCY_MODE, CheckpointingMode.EXACTLY_ONCE);
        // A third of the interval stays for the work itself when checkpoints take long.
        Duration interval = added.effective(CheckpointingOptions.CHECKPOINTING_INTERVAL);
        added.set(CheckpointingOptions.MIN_PAUSE_BETWEEN_CHECKPOINTS, interval.dividedBy(3));
        added.set(CheckpointingOptions.MAX_CONCURRENT_CHECKPOINTS, 1);
        // Flink's own 0 restarts the job for one slow checkpoint; none ever failing the job would hide that none
        // completes.
        added.set(CheckpointingOptions.TOLERABLE_FAILURE_NUMBER, 3);
        added.set(
                CheckpointingOptions.EXTERNALIZED_CHECKPOINT_RETENTION,
                ExternalizedCheckpointRetention.RETAIN_ON_CANCELLATION);

        added.set(RestartStrategyOptions.RESTART_STRATEGY, EXPONENTIAL_DELAY);
        if (EXPONENTIAL_DELAY.equals(added.effective(RestartStrategyOptions.RESTART_STRATEGY))) {
            added.set(RestartStrategyOptions.RESTART_STRATEGY_EXPONENTIAL_DELAY_INITIAL_BACKOFF, Duration.ofSeconds(1));
            added.set(RestartStrategyOptions.RESTART_STRATEGY_EXPONENTIAL_DELAY_MAX_BACKOFF, Duration.ofMinutes(1));
            added.set(RestartStrategyOptions.RESTART_STRATEGY_EXPONENTIAL_DELAY_JITTER_FACTOR, 0.1);
            added.set(
                    RestartStrategyOptions.RESTART_STRATEGY_EXPONENTIAL_DELAY_RESET_BACKOFF_THRESHOLD,
                    Duration.ofMinutes(10));
        }

        // Flink's own 100 ms would be most of what an event needs from its commit to Redis.
        added.set(ExecutionOptions.BUFFER_TIMEOUT, Duration.ofMillis(5));
        added.set(PipelineOptions.GENERIC_TYPES, false);
        added.set(PipelineOptions.AUTO_GENERATE_UIDS, false);
        added.set(PipelineOptions.OBJECT_REUSE, true);
        added.set(PipelineOptions.MAX_PARALLELISM, 128);
        parallelism.ifPresent(value -> added.set(CoreOptions.DEFAULT_PARALLELISM, value, true));
        return added.configuration;
    }

    /** A configuration to be laid over another one. */
    private static final class Added {
        private final ReadableConfig said;
        private final Configuration configuration = new Configuration();

        Added(ReadableConfig said) {
            this.said = said;
        }

        <T> void set(ConfigOption<T> option, T value) {
            set(option, value, false);
        }

        <T> void set(ConfigOption<T> option, T value, boolean givenByUser) {
            if (givenByUser || said.getOptional(option).isEmpty()) {
                configuration.set(option, value);
            }
        }

        <T> T effective(ConfigOption<T> option) {
            return configuration.getOptional(option).orElseGet(() -> said.get(option));
        }
    }
}
