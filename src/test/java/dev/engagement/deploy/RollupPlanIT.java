package dev.engagement.deploy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.engagement.EngagementJob;
import dev.engagement.JobCluster;
import dev.engagement.deploy.RestorePlan.Entry;
import dev.engagement.deploy.RestorePlan.Verdict;
import dev.engagement.local.testing.SharedServers;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.flink.api.common.JobID;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What the plan says of rollups that are defined otherwise, left out or new, and what becomes of them when it is done. */
class RollupPlanIT {

    private static final Path DIRECTORY = Path.of("target/it/rollup-plan");
    private static final Duration TIMEOUT = Duration.ofMinutes(5);
    private static final ClassLoader CLASSES = RollupPlanIT.class.getClassLoader();
    private static final String UID = "rollup-cells";

    private static final Rollup VIEWS = new Rollup("views", "2 min", "views");
    private static final Rollup USERS = new Rollup("users", "5 min", "users");

    private static SharedServers servers;
    private static JobCluster cluster;
    private static String savepoint;

    /** A rollup that counts the events of each content. */
    private record Rollup(String name, String window, String table) {

        List<String> arguments() {
            String prefix = "--rollup." + name + ".";
            return List.of(
                    prefix + "by=content_id",
                    prefix + "window=" + window,
                    prefix + "measures=events=count",
                    prefix + "table=" + table);
        }
    }

    @BeforeAll
    static void start() throws Exception {
        servers = SharedServers.lease(DIRECTORY);
        cluster = JobCluster.shared(DIRECTORY, "hashmap");
        JobID job = cluster.run(arguments(VIEWS, USERS));
        cluster.awaitCheckpoint(job);
        savepoint = cluster.stop(job);
    }

    @AfterAll
    static void stop() throws Exception {
        cluster.close();
        servers.close();
    }

    @Test
    void a_changed_definition_is_refused_by_the_plan_and_would_be_by_the_restore() throws Exception {
        // With a table of its own, so that what PostgreSQL has says nothing of it.
        String[] changed = arguments(new Rollup("views", "1 min", "views_again"), USERS);
        Configuration flink = new Configuration();
        flink.set(
                CheckpointingOptions.CHECKPOINTS_DIRECTORY,
                "file://" + DIRECTORY.resolve("checkpoints").toAbsolutePath());
        ThisJar jar = new ThisJar(flink, List.of(changed), DIRECTORY, Duration.ZERO);

        RestorePlan plan = jar.plan(savepoint, jar.catalogue().uids());

        Entry entry = entry(plan);
        assertThat(entry.verdict()).isEqualTo(Verdict.INCOMPATIBLE);
        assertThat(entry.details())
                .anyMatch(line -> line.startsWith("rollup views was defined as ") && line.contains(";window=2m;"))
                .anyMatch(line -> line.startsWith("and would be ") && line.contains(";window=1m;"))
                .anyMatch(line -> line.contains("give it a new name and table"));
        assertThat(plan.losses(Set.of(UID))).contains(UID);

        JobID job = cluster.runFrom(savepoint, changed);
        await().atMost(TIMEOUT).pollInterval(Duration.ofMillis(50)).untilAsserted(() -> assertThat(cluster.failure(job))
                .contains("The rollup views was defined as"));
        cluster.cancel(job);
    }

    @Test
    void one_that_is_left_out_and_one_that_is_new_are_told_and_go_on() throws Exception {
        String[] changed = arguments(USERS, new Rollup("hours", "1 h", "hours"));
        JobShape before = shape(arguments(VIEWS, USERS));
        SavedState saved = SavedState.read(savepoint, CLASSES);
        StateCatalogue catalogue = StateCatalogue.of(saved, before);

        RestorePlan plan = RestorePlan.compare(saved, Map.of(), shape(changed), catalogue, CLASSES);

        Entry entry = entry(plan);
        assertThat(entry.verdict()).isEqualTo(Verdict.RESTORED);
        assertThat(entry.details())
                .containsExactly(
                        "rollup views is left out: its windows are forgotten, and its table stays as it is",
                        "rollup hours is new: it counts what comes from here on");
        assertThat(plan.losses(Set.of())).isEmpty();

        JobID job = cluster.runFrom(savepoint, changed);
        cluster.awaitCheckpoint(job);
        SavedState after = SavedState.read(cluster.stop(job), CLASSES);
        assertThat(after.operators().get(OperatorHash.of(UID)).rollups())
                .as("what the next plan compares with")
                .containsOnlyKeys("users", "hours");
    }

    private static Entry entry(RestorePlan plan) {
        return plan.entries().stream()
                .filter(each -> each.uid().equals(UID))
                .findFirst()
                .orElseThrow();
    }

    private static JobShape shape(String... arguments) {
        return JobShape.of(
                cluster.environment(EngagementJob::draw, arguments).getStreamGraph(false),
                EngagementJob.rollups(arguments));
    }

    private static String[] arguments(Rollup... rollups) throws IOException {
        List<String> arguments = new ArrayList<>(List.of(
                "stream",
                "--kafka.bootstrap-servers",
                servers.kafka().bootstrapServers(),
                "--destinations",
                "rollups",
                "--rollups=" + Arrays.stream(rollups).map(Rollup::name).collect(Collectors.joining(","))));
        for (Rollup rollup : rollups) {
            arguments.addAll(rollup.arguments());
        }
        arguments.addAll(servers.rollupArguments());
        return arguments.toArray(String[]::new);
    }
}
