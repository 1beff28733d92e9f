package dev.engagement.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.EngagementJob;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.apache.flink.streaming.api.graph.StreamGraphHasherV2;
import org.apache.flink.streaming.api.graph.StreamNode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The catalogue in the jar, the savepoints that are kept in the sources, and the jobs as they are built. */
class StateCatalogueTest {

    private static final ClassLoader CLASSES = StateCatalogueTest.class.getClassLoader();

    private static final StateCatalogue CATALOGUE = StateCatalogue.ofThisBuild();

    /** The operators with state that rollups bring. */
    private static final Set<String> ROLLUPS =
            Set.of("live-view-rollups", "rollup-partials", "rollup-cells", "rollup-tables");

    /** Of this build. */
    private static String savepoint(String command) {
        return savepoint("savepoint-v2", command);
    }

    /** The oldest one supported, of a build that had no rollups. */
    private static String withoutRollups(String command) {
        return savepoint("savepoint-v1", command);
    }

    private static String savepoint(String version, String command) {
        // Not as a URI: Flink takes a path as it is written, and a folder may have a space.
        return "file://" + Path.of("src/test/resources/state", version, command).toAbsolutePath();
    }

    private static StreamGraph graph(String command, String... options) {
        return graph(true, command, options);
    }

    private static StreamGraph graph(boolean receipts, String command, String... options) {
        Configuration configuration = new Configuration();
        configuration.set(CheckpointingOptions.CHECKPOINTS_DIRECTORY, "file:///tmp/checkpoints");
        StreamExecutionEnvironment env = new StreamExecutionEnvironment(configuration);
        List<String> needed = command.equals("stream")
                ? List.of(
                        command,
                        "--warehouse.project",
                        "project",
                        "--delivery.receipts",
                        String.valueOf(receipts),
                        "--rollup.postgres.username",
                        "somebody")
                : List.of(command, "--postgres.username", "somebody", "--postgres.password.secret-file", "/dev/null");
        EngagementJob.draw(Stream.concat(needed.stream(), Stream.of(options)).toArray(String[]::new), env);
        return env.getStreamGraph(false);
    }

    @Test
    void it_is_what_the_kept_savepoints_hold() throws IOException {
        Set<StateCatalogue.Operator> kept = new HashSet<>();
        for (String command : List.of("capture", "stream")) {
            kept.addAll(StateCatalogue.of(SavedState.read(savepoint(command), CLASSES), JobShape.of(graph(command)))
                    .operators());
        }

        assertThat(kept).containsExactlyInAnyOrderElementsOf(CATALOGUE.operators());
    }

    @ParameterizedTest
    @ValueSource(strings = {"capture", "stream"})
    void the_kept_savepoint_is_restored_whole(String command) throws IOException {
        SavedState saved = SavedState.read(savepoint(command), CLASSES);

        RestorePlan plan = RestorePlan.compare(
                saved, CATALOGUE.uids(), JobShape.of(graph(command, "--parallelism", "3")), CATALOGUE, CLASSES);

        assertThat(plan.entries()).hasSizeGreaterThan(3);
        assertThat(plan.entries()).allMatch(each -> each.verdict() == RestorePlan.Verdict.RESTORED);
        assertThat(saved.checkpoint()).isPositive();
    }

    @ParameterizedTest
    @ValueSource(strings = {"capture", "stream"})
    void the_oldest_savepoint_is_restored_whole_and_rollups_begin_with_nothing(String command) throws IOException {
        RestorePlan plan = RestorePlan.compare(
                SavedState.read(withoutRollups(command), CLASSES),
                CATALOGUE.uids(),
                JobShape.of(graph(command)),
                CATALOGUE,
                CLASSES);

        Set<String> begin = new TreeSet<>();
        plan.entries().forEach(each -> {
            if (each.verdict() == RestorePlan.Verdict.NEW) {
                begin.add(each.uid());
            } else {
                assertThat(each.verdict()).as(each.uid()).isEqualTo(RestorePlan.Verdict.RESTORED);
            }
        });
        assertThat(begin).isEqualTo(command.equals("stream") ? ROLLUPS : Set.of());
    }

    @Test
    void rollups_that_are_switched_off_would_lose_their_state() throws IOException {
        RestorePlan plan = RestorePlan.compare(
                SavedState.read(savepoint("stream"), CLASSES),
                CATALOGUE.uids(),
                JobShape.of(graph("stream", "--destinations", "liveview,warehouse,delivery")),
                CATALOGUE,
                CLASSES);

        assertThat(plan.losses(Set.of())).isEqualTo(ROLLUPS);
        assertThat(plan.losses(ROLLUPS)).isEmpty();
    }

    @Test
    void a_destination_that_is_switched_off_would_lose_its_state() throws IOException {
        SavedState saved = SavedState.read(savepoint("stream"), CLASSES);

        RestorePlan plan = RestorePlan.compare(
                saved,
                CATALOGUE.uids(),
                JobShape.of(graph("stream", "--destinations", "liveview,delivery,rollups")),
                CATALOGUE,
                CLASSES);

        assertThat(plan.losses(Set.of())).containsExactly("warehouse-append", "warehouse-commit");
        assertThat(plan.losses(Set.of("warehouse-append", "warehouse-commit"))).isEmpty();
        assertThat(plan.leavesStateBehind()).isTrue();
    }

    @Test
    void receipts_that_are_switched_off_would_lose_theirs() throws IOException {
        RestorePlan plan = RestorePlan.compare(
                SavedState.read(savepoint("stream"), CLASSES),
                CATALOGUE.uids(),
                JobShape.of(graph(false, "stream")),
                CATALOGUE,
                CLASSES);

        assertThat(plan.losses(Set.of()))
                .contains("delivery-receipts")
                .isSubsetOf("delivery-receipts", "Sink Committer: delivery-receipts");
    }

    @Test
    void it_is_read_as_it_was_written() throws IOException {
        assertThat(StateCatalogue.parse(CATALOGUE.toBytes())).isEqualTo(CATALOGUE);
        assertThat(CATALOGUE.operators()).isNotEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"capture", "stream"})
    void an_operator_is_found_by_flinks_own_hash(String command) {
        StreamGraph graph = graph(command);

        new StreamGraphHasherV2().traverseStreamGraphAndGenerateHashes(graph).forEach((node, hash) -> {
            StreamNode each = graph.getStreamNode(node);
            assertThat(OperatorHash.of(each.getTransformationUID()).getBytes())
                    .as(each.getTransformationUID())
                    .isEqualTo(hash);
        });
    }

    @Test
    void every_operator_of_it_is_in_one_of_the_jobs() {
        Set<String> uids = new TreeSet<>();
        for (String command : List.of("capture", "stream")) {
            graph(command).getStreamNodes().forEach(node -> uids.add(node.getTransformationUID()));
        }

        assertThat(uids)
                .containsAll(CATALOGUE.operators().stream()
                        .map(StateCatalogue.Operator::uid)
                        .toList());
    }
}
