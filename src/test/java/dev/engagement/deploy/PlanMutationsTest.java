package dev.engagement.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.JobCluster;
import dev.engagement.deploy.MutableJob.Counted;
import dev.engagement.deploy.MutableJob.Found;
import dev.engagement.deploy.MutableJob.Variant;
import dev.engagement.deploy.RestorePlan.Verdict;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import org.apache.flink.api.common.JobID;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.ExternalizedCheckpointRetention;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.configuration.StateRecoveryOptions;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A job, each time with one thing changed: what the plan says of it, and what becomes of it when it is really started from
 * the savepoint of the unchanged one.
 */
class PlanMutationsTest {

    /** What a real restore does. */
    private enum Restore {
        GOES_ON,
        FAILS,
        /** It runs, and the counts begin anew: what Flink says nothing of. */
        FORGETS_IN_SILENCE
    }

    private static JobCluster cluster;
    private static Path directory;
    /** By backend and type of the count. */
    private static final Map<String, String> SAVEPOINTS = new HashMap<>();

    @BeforeAll
    static void start(@TempDir Path folder) throws Exception {
        directory = folder;
        cluster = JobCluster.start(folder, 1, 8, "hashmap");
    }

    @AfterAll
    static void stop() throws Exception {
        cluster.close();
    }

    private static Variant plain() {
        return Variant.base(Counted.LONG);
    }

    private static Variant tally(Counted counted) {
        return Variant.base(counted);
    }

    static Stream<Arguments> mutations() {
        Variant plain = plain();
        Variant tally = tally(Counted.TALLY);
        return Stream.of("hashmap", "rocksdb")
                .flatMap(backend -> Stream.of(
                        of(backend, "nothing", plain, plain, Map.of(), Restore.GOES_ON),
                        of(backend, "parallelism 1", plain, plain.withParallelism(1, 4), Map.of(), Restore.GOES_ON),
                        of(backend, "parallelism 4", plain, plain.withParallelism(4, 4), Map.of(), Restore.GOES_ON),
                        of(backend, "a state added", plain, plain.withAnotherState(), Map.of(), Restore.GOES_ON),
                        of(
                                backend,
                                "a field added",
                                tally,
                                tally.withCounted(Counted.TALLY_WITH_A_FIELD_MORE),
                                Map.of(),
                                Restore.GOES_ON),
                        of(
                                backend,
                                "a format migrated",
                                tally,
                                tally.withCounted(Counted.TALLY_TO_BE_MIGRATED),
                                Map.of(),
                                Restore.GOES_ON),
                        of(
                                backend,
                                "a uid renamed",
                                plain,
                                plain.withCounterUid("counter-2"),
                                Map.of("counter", Verdict.DROPPED, "counter-2", Verdict.NEW),
                                Restore.FAILS),
                        of(
                                backend,
                                "an operator dropped",
                                plain,
                                plain.withoutKeeper(),
                                Map.of("keeper", Verdict.DROPPED),
                                Restore.FAILS),
                        of(
                                backend,
                                "a state renamed",
                                plain,
                                plain.withStateName("total"),
                                Map.of("counter", Verdict.DROPPED),
                                Restore.FORGETS_IN_SILENCE),
                        of(
                                backend,
                                "a value's serializer changed",
                                plain,
                                plain.withCounted(Counted.TEXT),
                                Map.of("counter", Verdict.INCOMPATIBLE),
                                Restore.FAILS),
                        of(
                                backend,
                                "the key's serializer changed",
                                plain,
                                plain.withTextKey(),
                                Map.of("counter", Verdict.INCOMPATIBLE),
                                Restore.FAILS),
                        of(
                                backend,
                                "a value made a map",
                                plain,
                                plain.withMap(),
                                Map.of("counter", Verdict.INCOMPATIBLE),
                                Restore.FAILS),
                        of(
                                backend,
                                "a list made a union",
                                plain,
                                plain.withUnionList(),
                                Map.of("keeper", Verdict.INCOMPATIBLE),
                                Restore.FAILS),
                        of(
                                backend,
                                "maximum parallelism changed",
                                plain,
                                plain.withParallelism(2, 8),
                                Map.of(
                                        "counter",
                                        Verdict.INCOMPATIBLE,
                                        "keeper",
                                        Verdict.INCOMPATIBLE,
                                        "end",
                                        Verdict.INCOMPATIBLE,
                                        "numbers",
                                        Verdict.INCOMPATIBLE),
                                Restore.FAILS),
                        of(
                                backend,
                                "parallelism above the maximum",
                                plain,
                                plain.withParallelism(5, 0),
                                Map.of(
                                        "counter",
                                        Verdict.INCOMPATIBLE,
                                        "keeper",
                                        Verdict.INCOMPATIBLE,
                                        "end",
                                        Verdict.INCOMPATIBLE),
                                Restore.FAILS)));
    }

    private static Arguments of(
            String backend,
            String changed,
            Variant before,
            Variant after,
            Map<String, Verdict> notRestored,
            Restore restore) {
        return Arguments.of(backend, changed, before, after, notRestored, restore);
    }

    @ParameterizedTest(name = "{1} on {0}")
    @MethodSource("mutations")
    void the_plan_says_what_a_restore_does(
            String backend,
            String changed,
            Variant before,
            Variant after,
            Map<String, Verdict> notRestored,
            Restore restore)
            throws Exception {
        String savepoint = savepoint(backend, before);

        RestorePlan plan = plan(backend, savepoint, before, after);

        Map<String, Verdict> expected = new LinkedHashMap<>();
        plan.entries().forEach(each -> expected.put(each.uid(), Verdict.RESTORED));
        expected.putAll(notRestored);
        assertThat(verdicts(plan)).as(changed + ":\n" + text(plan)).isEqualTo(expected);
        assertThat(plan.losses(Set.of()).isEmpty())
                .as("safe if and only if everything goes on")
                .isEqualTo(restore == Restore.GOES_ON);

        String run = UUID.randomUUID().toString();
        JobID job = cluster.run(environment(backend, after, run, savepoint, false));
        if (restore == Restore.FAILS) {
            cluster.awaitEnd(job);
            assertThat(cluster.failure(job)).isNotEmpty();
            boolean onlyDrops = notRestored.values().stream().noneMatch(each -> each == Verdict.INCOMPATIBLE);
            if (onlyDrops) {
                String allowed = UUID.randomUUID().toString();
                Found found = foundBy(allowed, environment(backend, after, allowed, savepoint, true));
                assertThat(found.counted() > 0)
                        .as("allowed to leave state behind, it runs without what the plan called dropped")
                        .isEqualTo(!notRestored.containsKey("counter"));
            }
        } else {
            Found found = foundOf(run, job);
            assertThat(found.counted() > 0).isEqualTo(restore == Restore.GOES_ON);
            assertThat(found.kept()).isTrue();
        }
    }

    /** What is left of a job that failed or was cancelled: of RocksDB, only what changed since the checkpoint before. */
    @Test
    void a_retained_incremental_checkpoint_holds_what_a_savepoint_does() throws Exception {
        ClassLoader classes = PlanMutationsTest.class.getClassLoader();
        JobID job = cluster.run(environment("rocksdb", plain(), "retained", null, false));
        cluster.awaitCheckpoint(job);
        cluster.awaitCheckpoint(job);
        cluster.cancel(job);

        Path newest;
        try (Stream<Path> found = Files.list(directory.resolve("checkpoints").resolve(job.toHexString()))) {
            newest = found.filter(each -> each.getFileName().toString().startsWith("chk-"))
                    .findFirst()
                    .orElseThrow();
        }
        SavedState retained = SavedState.read("file://" + newest.toAbsolutePath(), classes);
        SavedState savepoint = SavedState.read(savepoint("rocksdb", plain()), classes);
        assertThat(retained.operators()).hasSameSizeAs(savepoint.operators());
        savepoint.operators().forEach((id, operator) -> {
            assertThat(retained.operators().get(id).states()).isEqualTo(operator.states());
            assertThat(retained.operators().get(id).unreadable()).isEmpty();
        });
        assertThat(retained.checkpoint()).isGreaterThan(1);
    }

    private static Map<String, Verdict> verdicts(RestorePlan plan) {
        Map<String, Verdict> verdicts = new LinkedHashMap<>();
        plan.entries().forEach(each -> verdicts.put(each.uid(), each.verdict()));
        return verdicts;
    }

    private static String text(RestorePlan plan) {
        return String.join("\n", plan.lines(Set.of()));
    }

    /** What deploy does: the old savepoint, and what the new job registers. */
    private static RestorePlan plan(String backend, String savepoint, Variant before, Variant after) throws Exception {
        ClassLoader classes = PlanMutationsTest.class.getClassLoader();
        JobShape shape =
                JobShape.of(environment(backend, after, "none", null, false).getStreamGraph(false));
        StateCatalogue catalogue = StateCatalogue.of(SavedState.read(savepoint(backend, after), classes), shape);
        JobShape old =
                JobShape.of(environment(backend, before, "none", null, false).getStreamGraph(false));
        SavedState saved = SavedState.read(savepoint, classes);
        return RestorePlan.compare(saved, StateCatalogue.of(saved, old).uids(), shape, catalogue, classes);
    }

    /** Of that job started without state; each is taken once. */
    private static String savepoint(String backend, Variant variant) throws Exception {
        String key = backend + variant;
        String known = SAVEPOINTS.get(key);
        if (known != null) {
            return known;
        }
        String run = UUID.randomUUID().toString();
        JobID job = cluster.run(environment(backend, variant, run, null, false));
        cluster.awaitCheckpoint(job);
        String savepoint = cluster.stop(job);
        SAVEPOINTS.put(key, savepoint);
        return savepoint;
    }

    private static Found foundBy(String run, StreamExecutionEnvironment env) throws Exception {
        return foundOf(run, cluster.run(env));
    }

    /** What the operators found, once a count was looked for in each subtask's first element. */
    private static Found foundOf(String run, JobID job) throws Exception {
        cluster.awaitCheckpoint(job);
        Found found = MutableJob.FOUND.get(run);
        cluster.cancel(job);
        return found;
    }

    private static StreamExecutionEnvironment environment(
            String backend, Variant variant, String run, @Nullable String savepoint, boolean leaveBehind) {
        Configuration configuration = new Configuration();
        configuration.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, Duration.ofMillis(200));
        configuration.set(
                CheckpointingOptions.CHECKPOINTS_DIRECTORY,
                "file://" + directory.resolve("checkpoints").toAbsolutePath());
        configuration.set(
                CheckpointingOptions.EXTERNALIZED_CHECKPOINT_RETENTION,
                ExternalizedCheckpointRetention.RETAIN_ON_CANCELLATION);
        configuration.set(CheckpointingOptions.INCREMENTAL_CHECKPOINTS, true);
        configuration.set(StateBackendOptions.STATE_BACKEND, backend);
        configuration.set(PipelineOptions.AUTO_GENERATE_UIDS, false);
        configuration.set(RestartStrategyOptions.RESTART_STRATEGY, "none");
        if (savepoint != null) {
            configuration.set(StateRecoveryOptions.SAVEPOINT_PATH, savepoint);
            configuration.set(StateRecoveryOptions.SAVEPOINT_IGNORE_UNCLAIMED_STATE, leaveBehind);
        }
        StreamExecutionEnvironment env = new StreamExecutionEnvironment(configuration);
        MutableJob.build(env, variant, run);
        return env;
    }
}
