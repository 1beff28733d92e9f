package dev.engagement.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Map;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.CoreOptions;
import org.apache.flink.configuration.ExternalizedCheckpointRetention;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.core.execution.CheckpointingMode;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JobDefaultsTest {

    @Test
    void whereNothingIsSaidTheJobIsFitForProduction() {
        Configuration added = JobDefaults.missingFrom(new Configuration(), settings());

        assertThat(added.get(CheckpointingOptions.CHECKPOINTING_INTERVAL)).isEqualTo(Duration.ofSeconds(30));
        assertThat(added.get(CheckpointingOptions.CHECKPOINTING_TIMEOUT)).isEqualTo(Duration.ofMinutes(10));
        assertThat(added.get(CheckpointingOptions.CHECKPOINTING_CONSISTENCY_MODE))
                .isEqualTo(CheckpointingMode.EXACTLY_ONCE);
        assertThat(added.get(CheckpointingOptions.MIN_PAUSE_BETWEEN_CHECKPOINTS))
                .isEqualTo(Duration.ofSeconds(10));
        assertThat(added.get(CheckpointingOptions.MAX_CONCURRENT_CHECKPOINTS)).isEqualTo(1);
        assertThat(added.get(CheckpointingOptions.TOLERABLE_FAILURE_NUMBER)).isEqualTo(3);
        assertThat(added.get(CheckpointingOptions.EXTERNALIZED_CHECKPOINT_RETENTION))
                .isEqualTo(ExternalizedCheckpointRetention.RETAIN_ON_CANCELLATION);
        assertThat(added.get(RestartStrategyOptions.RESTART_STRATEGY)).isEqualTo("exponential-delay");
        assertThat(added.get(RestartStrategyOptions.RESTART_STRATEGY_EXPONENTIAL_DELAY_INITIAL_BACKOFF))
                .isEqualTo(Duration.ofSeconds(1));
        assertThat(added.get(RestartStrategyOptions.RESTART_STRATEGY_EXPONENTIAL_DELAY_MAX_BACKOFF))
                .isEqualTo(Duration.ofMinutes(1));
        assertThat(added.get(RestartStrategyOptions.RESTART_STRATEGY_EXPONENTIAL_DELAY_JITTER_FACTOR))
                .isEqualTo(0.1);
        assertThat(added.get(RestartStrategyOptions.RESTART_STRATEGY_EXPONENTIAL_DELAY_RESET_BACKOFF_THRESHOLD))
                .isEqualTo(Duration.ofMinutes(10));
        assertThat(added.get(PipelineOptions.GENERIC_TYPES)).isFalse();
        assertThat(added.get(PipelineOptions.AUTO_GENERATE_UIDS)).isFalse();
        assertThat(added.get(PipelineOptions.OBJECT_REUSE)).isTrue();
        assertThat(added.get(PipelineOptions.MAX_PARALLELISM)).isEqualTo(128);
        assertThat(added.contains(CoreOptions.DEFAULT_PARALLELISM)).isFalse();
    }

    @ParameterizedTest
    @CsvSource({
        "execution.checkpointing.interval, 5 s",
        "execution.checkpointing.timeout, 5 s",
        "execution.checkpointing.mode, AT_LEAST_ONCE",
        "execution.checkpointing.min-pause, 5 s",
        "execution.checkpointing.max-concurrent-checkpoints, 2",
        "execution.checkpointing.tolerable-failed-checkpoints, 7",
        "execution.checkpointing.externalized-checkpoint-retention, DELETE_ON_CANCELLATION",
        "restart-strategy.type, fixed-delay",
        "restart-strategy.type, none",
        "restart-strategy, fixed-delay",
        "restart-strategy.exponential-delay.initial-backoff, 5 s",
        "restart-strategy.exponential-delay.max-backoff, 5 s",
        "restart-strategy.exponential-delay.jitter-factor, 0.5",
        "restart-strategy.exponential-delay.reset-backoff-threshold, 5 s",
        "pipeline.generic-types, true",
        "pipeline.auto-generate-uids, true",
        "pipeline.object-reuse, false",
        "pipeline.max-parallelism, 256",
        "parallelism.default, 5",
    })
    void whatFlinksConfigurationSaysStands(String option, String value) {
        Configuration said = Configuration.fromMap(Map.of(option, value));

        Configuration added = JobDefaults.missingFrom(said, settings());

        assertThat(added.keySet()).doesNotContain(option);
        if (option.startsWith("restart-strategy") && !option.contains("exponential")) {
            assertThat(added.keySet()).noneMatch(key -> key.startsWith("restart-strategy"));
        }
        // The others are still there.
        assertThat(added.keySet().size()).isGreaterThanOrEqualTo(11);
    }

    @Test
    void optionOfOursThatTheUserGaveWins() {
        Configuration said = Configuration.fromMap(Map.of(
                "execution.checkpointing.interval", "5 s",
                "execution.checkpointing.timeout", "5 s",
                "parallelism.default", "5"));

        Configuration added = JobDefaults.missingFrom(
                said, settings("--checkpoint.interval=1 min", "--checkpoint.timeout=2 min", "--parallelism=2"));

        assertThat(added.get(CheckpointingOptions.CHECKPOINTING_INTERVAL)).isEqualTo(Duration.ofMinutes(1));
        assertThat(added.get(CheckpointingOptions.CHECKPOINTING_TIMEOUT)).isEqualTo(Duration.ofMinutes(2));
        assertThat(added.get(CoreOptions.DEFAULT_PARALLELISM)).isEqualTo(2);
    }

    @Test
    void optionOfOursWinsEvenWhereItsValueIsTheDefault() {
        Configuration said = Configuration.fromMap(Map.of("execution.checkpointing.interval", "5 s"));

        assertThat(JobDefaults.missingFrom(said, settings("--checkpoint.interval=30 s"))
                        .get(CheckpointingOptions.CHECKPOINTING_INTERVAL))
                .isEqualTo(Duration.ofSeconds(30));
    }

    @Test
    void pauseFollowsTheIntervalThatHolds() {
        Configuration said = Configuration.fromMap(Map.of("execution.checkpointing.interval", "900 ms"));

        assertThat(JobDefaults.missingFrom(said, settings()).get(CheckpointingOptions.MIN_PAUSE_BETWEEN_CHECKPOINTS))
                .isEqualTo(Duration.ofMillis(300));
    }

    @Test
    void environmentTakesThemOver() {
        StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment(
                Configuration.fromMap(Map.of("execution.checkpointing.timeout", "3 min")));

        env.configure(JobDefaults.missingFrom(env.getConfiguration(), settings("--parallelism=3")));

        assertThat(env.getCheckpointConfig().getCheckpointInterval()).isEqualTo(30_000);
        assertThat(env.getCheckpointConfig().getCheckpointTimeout()).isEqualTo(180_000);
        assertThat(env.getCheckpointConfig().getMinPauseBetweenCheckpoints()).isEqualTo(10_000);
        assertThat(env.getCheckpointConfig().getExternalizedCheckpointRetention())
                .isEqualTo(ExternalizedCheckpointRetention.RETAIN_ON_CANCELLATION);
        assertThat(env.getCheckpointConfig().getTolerableCheckpointFailureNumber())
                .isEqualTo(3);
        assertThat(env.getConfig().hasGenericTypesDisabled()).isTrue();
        assertThat(env.getConfig().hasAutoGeneratedUIDsEnabled()).isFalse();
        assertThat(env.getConfig().isObjectReuseEnabled()).isTrue();
        assertThat(env.getMaxParallelism()).isEqualTo(128);
        assertThat(env.getParallelism()).isEqualTo(3);
        assertThat(env.getConfiguration().get(RestartStrategyOptions.RESTART_STRATEGY))
                .isEqualTo("exponential-delay");
    }

    private static Settings settings(String... args) {
        return Settings.parse(Command.STREAM, args, Map.of("ENGAGEMENT_WAREHOUSE_PROJECT", "w"));
    }
}
