package dev.engagement.deploy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.connection.testing.ManualPause;
import dev.engagement.deploy.Deployer.DeploymentRequest;
import dev.engagement.deploy.Deployer.Outcome;
import dev.engagement.deploy.RestorePlan.Entry;
import dev.engagement.deploy.RestorePlan.Verdict;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.flink.runtime.jobgraph.OperatorID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is stopped and run, in which order, whatever fails on the way. */
class DeployerTest {

    private static final String NAME = "engagement-stream";
    private static final List<String> ARGUMENTS = List.of("stream", "--config", "file");

    @TempDir
    private Path folder;

    private FakeCluster cluster;
    private Path jar;
    private final ManualPause pause = new ManualPause();
    private final ByteArrayOutputStream said = new ByteArrayOutputStream();
    private final FakeJars jars = new FakeJars();

    @BeforeEach
    void prepare() throws IOException {
        cluster = new FakeCluster(folder.resolve("savepoints"));
        jar = Files.writeString(folder.resolve("new.jar"), "a jar");
    }

    /** What the jars say. */
    private static final class FakeJars implements Deployer.Jars {
        final Map<String, List<Entry>> plans = new HashMap<>();
        final Map<String, Long> checkpoints = new HashMap<>();
        final Set<String> fitting = new HashSet<>();
        final Set<String> gone = new HashSet<>();
        final List<String> asked = new ArrayList<>();

        @Override
        public RestorePlan plan(String from, Map<OperatorID, String> knownUids) throws IOException {
            asked.add("plan " + from);
            if (gone.contains(from)) {
                throw new IOException("There is no " + from);
            }
            return new RestorePlan(
                    from, plans.getOrDefault(from, List.of(new Entry("dedupe", Verdict.RESTORED, List.of()))));
        }

        @Override
        public StateCatalogue catalogue() {
            return StateCatalogue.empty();
        }

        @Override
        public void readyServers() {
            asked.add("servers");
        }

        @Override
        public boolean fits(Path other, String from, List<String> arguments) {
            return fitting.contains(from);
        }

        /** The number at the end of its name, unless a test says another. */
        @Override
        public long checkpointOf(String path) throws IOException {
            if (gone.contains(path)) {
                throw new IOException("There is no " + path);
            }
            return checkpoints.computeIfAbsent(path, name -> Long.parseLong(name.replaceFirst(".*-(\\d+)$", "$1")));
        }
    }

    private DeploymentRequest request() {
        return new DeploymentRequest(NAME, jar, ARGUMENTS, Set.of(), 5, 60_000, false, false, null);
    }

    private DeploymentRequest fresh() {
        return new DeploymentRequest(NAME, jar, ARGUMENTS, Set.of(), 5, 60_000, false, true, null);
    }

    private DeploymentRequest from(String path) {
        return new DeploymentRequest(NAME, jar, ARGUMENTS, Set.of(), 5, 60_000, false, false, path);
    }

    private Outcome deploy(DeploymentRequest request) throws Exception {
        return new Deployer(
                        request,
                        cluster,
                        deployments(),
                        jars,
                        new PrintStream(said, true, StandardCharsets.UTF_8),
                        pause::millis,
                        pause)
                .deploy();
    }

    private Deployments deployments() throws IOException {
        return Deployments.of(folder.resolve("deployments"), NAME);
    }

    private String said() {
        return said.toString(StandardCharsets.UTF_8);
    }

    /** A first deployment that runs as job-1, with a checkpoint. */
    private void deployed() throws Exception {
        cluster.nextJob(FakeCluster.checkpointed(cluster.savepoint("chk-1")));
        assertThat(deploy(request())).isEqualTo(Outcome.DONE);
        cluster.calls.clear();
        jars.asked.clear();
        said.reset();
    }

    private String savepoint(int number) {
        return folder.resolve("savepoints").resolve("savepoint-" + number).toString();
    }

    @Test
    void the_first_time_it_runs_the_job_and_waits_for_a_checkpoint_that_it_asks_for() throws Exception {
        cluster.nextJob(FakeCluster.starting(), FakeCluster.running(), FakeCluster.checkpointed("chk-1"));

        assertThat(deploy(request())).isEqualTo(Outcome.DONE);

        assertThat(cluster.calls).containsExactly("run 0001 from null", "checkpoint job-1");
        assertThat(cluster.submissions.get(0).arguments()).isEqualTo(ARGUMENTS);
        assertThat(deployments().current().orElseThrow().job()).isEqualTo("job-1");
        assertThat(said()).contains("no state to go on from", "all tasks run, 4", "checkpoint completed: chk-1");
    }

    @Test
    void later_it_stops_with_a_savepoint_and_runs_a_copy_of_the_new_jar_from_it() throws Exception {
        deployed();
        Files.writeString(jar, "a newer jar");
        cluster.nextJob(FakeCluster.running(), FakeCluster.checkpointed("chk-2"));

        assertThat(deploy(request())).isEqualTo(Outcome.DONE);

        assertThat(cluster.calls).containsExactly("stop job-1", "run 0002 from " + savepoint(1), "checkpoint job-2");
        assertThat(jars.asked)
                .as("asked before anything is stopped, and again of what is restored")
                .containsExactly("plan " + folder.resolve("savepoints/chk-1"), "servers", "plan " + savepoint(1));
        assertThat(Files.readString(cluster.submissions.get(1).jar())).isEqualTo("a newer jar");
        assertThat(Files.readString(cluster.submissions.get(0).jar())).isEqualTo("a jar");
        assertThat(Path.of(savepoint(1), StateCatalogue.RESOURCE)).exists();
        assertThat(said()).contains("the gap was");
    }

    @Test
    void what_would_lose_state_is_refused_before_anything_is_stopped() throws Exception {
        deployed();
        jars.plans.put(
                folder.resolve("savepoints/chk-1").toString(),
                List.of(new Entry("dedupe", Verdict.DROPPED, List.of("no operator has this uid"))));

        assertThat(deploy(request())).isEqualTo(Outcome.REFUSED);

        assertThat(cluster.calls).isEmpty();
        assertThat(jars.asked).doesNotContain("servers");
        assertThat(said()).contains("dedupe", "WOULD BE DROPPED", "--allow-drop UID");
    }

    @Test
    void a_checkpoint_that_is_gone_when_it_is_looked_into_gives_way_to_the_next() throws Exception {
        deployed();
        String gone = folder.resolve("savepoints/chk-1").toString();
        jars.gone.add(gone);
        cluster.has(
                "job-1", NAME, FakeCluster.checkpointed(gone), FakeCluster.checkpointed(cluster.savepoint("chk-2")));
        cluster.nextJob(FakeCluster.checkpointed("chk-3"));

        assertThat(deploy(request())).isEqualTo(Outcome.DONE);

        jars.gone.add(cluster.savepoint("chk-3"));
        cluster.has("job-2", NAME, FakeCluster.checkpointed(cluster.savepoint("chk-3")));
        assertThatThrownBy(() -> deploy(request())).as("there is no newer one").hasMessageContaining("chk-3");
    }

    @Test
    void an_allowed_loss_is_told_to_flink_and_an_incompatible_state_cannot_be_allowed() throws Exception {
        deployed();
        List<Entry> drop = List.of(new Entry("dedupe", Verdict.DROPPED, List.of("gone")));
        jars.plans.put(folder.resolve("savepoints/chk-1").toString(), drop);
        jars.plans.put(savepoint(1), drop);
        cluster.nextJob(FakeCluster.checkpointed("chk-2"));
        DeploymentRequest allowed =
                new DeploymentRequest(NAME, jar, ARGUMENTS, Set.of("dedupe"), 5, 60_000, false, false, null);

        assertThat(deploy(allowed)).isEqualTo(Outcome.DONE);
        assertThat(cluster.submissions.get(1).leaveBehind()).isTrue();
        assertThat(cluster.submissions.get(0).leaveBehind()).isFalse();

        jars.plans.put("chk-2", List.of(new Entry("dedupe", Verdict.INCOMPATIBLE, List.of("another serializer"))));
        assertThat(deploy(allowed)).isEqualTo(Outcome.REFUSED);
    }

    @Test
    void a_plan_only_stops_nothing_and_makes_nothing() throws Exception {
        deployed();

        assertThat(deploy(new DeploymentRequest(NAME, jar, ARGUMENTS, Set.of(), 5, 60_000, true, false, null)))
                .isEqualTo(Outcome.DONE);

        assertThat(cluster.calls).isEmpty();
        assertThat(jars.asked).doesNotContain("servers");
        assertThat(deployments().all()).hasSize(1);
    }

    @Test
    void a_new_job_that_fails_gives_way_to_the_old_jar_from_the_same_savepoint() throws Exception {
        deployed();
        Files.writeString(jar, "a broken jar");
        cluster.nextJob(FakeCluster.starting(), FakeCluster.failed("NoSuchMethodError"));
        cluster.nextJob(FakeCluster.checkpointed("chk-3"));

        assertThat(deploy(request())).isEqualTo(Outcome.ROLLED_BACK);

        assertThat(cluster.calls)
                .containsExactly("stop job-1", "run 0002 from " + savepoint(1), "run 0003 from " + savepoint(1));
        assertThat(Files.readString(cluster.submissions.get(2).jar())).isEqualTo("a jar");
        assertThat(deployments().current().orElseThrow().number()).isEqualTo(3);
        assertThat(said()).contains("NoSuchMethodError", "ROLLED BACK");

        cluster.nextJob(FakeCluster.checkpointed("chk-4"));
        assertThat(deploy(request()))
                .as("and the next deployment replaces that one")
                .isEqualTo(Outcome.DONE);
        assertThat(cluster.calls).contains("stop job-3", "run 0004 from " + savepoint(2));
    }

    @Test
    void a_new_job_that_restarts_and_restarts_is_cancelled_before_the_old_one_runs() throws Exception {
        deployed();
        cluster.nextJob(FakeCluster.running(), FakeCluster.restarting(1, null), FakeCluster.restarting(3, null));
        cluster.nextJob(FakeCluster.checkpointed("chk-3"));

        assertThat(deploy(request())).isEqualTo(Outcome.ROLLED_BACK);

        assertThat(cluster.calls)
                .containsSubsequence("run 0002 from " + savepoint(1), "cancel job-2", "run 0003 from " + savepoint(1));
    }

    @Test
    void a_new_job_without_a_checkpoint_within_the_timeout_has_failed() throws Exception {
        deployed();
        Duration begin = pause.passed();
        cluster.nextJob(FakeCluster.running());
        cluster.nextJob(FakeCluster.checkpointed("chk-3"));

        assertThat(deploy(request())).isEqualTo(Outcome.ROLLED_BACK);

        assertThat(pause.passed().minus(begin))
                .as("the timeout, and until Flink's answers are new")
                .isBetween(Duration.ofMillis(63_500), Duration.ofMillis(65_500));
        assertThat(said()).contains("no checkpoint within 60 s");
    }

    @Test
    void a_submission_that_is_refused_gives_way_too_and_what_it_may_have_left_is_cancelled() throws Exception {
        deployed();
        cluster.nextSubmissionIsRefused();
        cluster.nextJob(FakeCluster.checkpointed("chk-3"));
        cluster.has("half", NAME, FakeCluster.starting());

        assertThat(deploy(request())).isEqualTo(Outcome.ROLLED_BACK);

        assertThat(cluster.calls)
                .containsExactly(
                        "stop job-1", "run 0002 from " + savepoint(1), "cancel half", "run 0003 from " + savepoint(1));
        assertThat(said()).contains("the client refuses");
    }

    @Test
    void once_the_new_job_has_completed_a_checkpoint_the_old_savepoint_is_never_used() throws Exception {
        deployed();
        String newer = cluster.savepoint("chk-9");
        cluster.nextJobThatCompletesWhileItIsCancelled(newer, FakeCluster.restarting(3, null));
        jars.fitting.add(newer);
        cluster.nextJob(FakeCluster.checkpointed("chk-10"));

        assertThat(deploy(request())).isEqualTo(Outcome.ROLLED_BACK);

        assertThat(cluster.calls).endsWith("cancel job-2", "run 0003 from " + newer);
    }

    @Test
    void and_if_the_old_jar_cannot_go_on_from_that_checkpoint_nothing_is_run() throws Exception {
        deployed();
        String newer = cluster.savepoint("chk-9");
        cluster.nextJobThatCompletesWhileItIsCancelled(newer, FakeCluster.restarting(3, null));

        assertThat(deploy(request())).isEqualTo(Outcome.FAILED);

        assertThat(cluster.submissions).hasSize(2);
        assertThat(said()).contains("twice in the warehouse", "--from " + newer);

        cluster.nextJob(FakeCluster.checkpointed("chk-10"));
        assertThat(deploy(request())).as("with a jar that can").isEqualTo(Outcome.DONE);
        assertThat(cluster.calls).endsWith("run 0003 from " + newer);
    }

    @Test
    void a_job_that_restarts_all_the_time_is_cancelled_and_its_newest_checkpoint_is_used() throws Exception {
        deployed();
        String newest = cluster.savepoint("chk-7");
        cluster.has("job-1", NAME, FakeCluster.restarting(9, newest));
        cluster.nextJob(FakeCluster.checkpointed("chk-8"));

        assertThat(deploy(request())).isEqualTo(Outcome.DONE);

        assertThat(cluster.calls).containsExactly("cancel job-1", "run 0002 from " + newest);
    }

    @Test
    void a_savepoint_that_fails_leaves_the_old_job_alone() throws Exception {
        deployed();
        cluster.stopFails("the disk is full");

        assertThat(deploy(request())).isEqualTo(Outcome.FAILED);

        assertThat(cluster.calls).containsExactly("stop job-1");
        assertThat(deployments().current().orElseThrow().job()).isEqualTo("job-1");
        assertThat(said()).contains("the disk is full");
    }

    @Test
    void a_savepoint_whose_answer_is_lost_is_used_and_one_that_comes_late_is_found_by_the_next_deployment()
            throws Exception {
        deployed();
        String savepoint = cluster.savepoint("savepoint-late");
        jars.checkpoints.put(savepoint, 10L);
        Cluster.Progress finished = new Cluster.Progress("FINISHED", 4, 0, 2, savepoint, 0, "");
        cluster.stopIsNotAnswered(finished);
        cluster.nextJob(FakeCluster.checkpointed("chk-2"));
        assertThat(deploy(request())).isEqualTo(Outcome.DONE);
        assertThat(cluster.calls).containsExactly("stop job-1", "run 0002 from " + savepoint);

        String later = cluster.savepoint("savepoint-later");
        cluster.stopIsNotAnswered(FakeCluster.checkpointed("chk-2"));
        assertThat(deploy(request())).isEqualTo(Outcome.FAILED);
        cluster.has("job-2", NAME, new Cluster.Progress("FINISHED", 4, 0, 2, later, 0, ""));
        jars.checkpoints.put(later, 20L);
        cluster.nextJob(FakeCluster.checkpointed("chk-3"));
        assertThat(deploy(request())).isEqualTo(Outcome.DONE);
        assertThat(cluster.calls).endsWith("stop job-2", "run 0003 from " + later);
    }

    @Test
    void what_a_job_that_has_run_started_from_is_never_gone_back_to() throws Exception {
        deployed();
        cluster.nextJob(FakeCluster.checkpointed("chk-2"));
        assertThat(deploy(request())).isEqualTo(Outcome.DONE);
        cluster.jobs.clear();
        jars.checkpoints.put(savepoint(1), 1L);

        assertThat(deploy(request())).isEqualTo(Outcome.REFUSED);

        assertThat(said()).contains("neither a savepoint nor a retained checkpoint of it is found");
    }

    @Test
    void a_savepoint_that_cannot_be_read_is_not_replaced_by_something_older() throws Exception {
        deployed();
        cluster.nextJob(FakeCluster.failed("NoSuchMethodError"));
        cluster.nextJob(FakeCluster.failed("no slot"));
        assertThat(deploy(request())).isEqualTo(Outcome.FAILED);
        cluster.jobs.clear();
        cluster.retained.put("job-1", List.of(cluster.savepoint("chk-1")));
        jars.gone.add(savepoint(1));

        assertThatThrownBy(() -> deploy(request()))
                .hasMessageContaining(
                        savepoint(1) + ", which may be the newest state of engagement-stream, cannot be read")
                .hasMessageContaining("--from PATH");
    }

    @Test
    void a_checkpoint_that_was_completed_before_a_JobManager_took_over_is_one_although_flink_counts_anew()
            throws Exception {
        deployed();
        String newer = cluster.savepoint("chk-9");
        cluster.nextJob(
                FakeCluster.running(), new Cluster.Progress("FAILED", 4, 0, 0, newer, 1, "the task manager is gone"));
        jars.fitting.add(newer);
        cluster.nextJob(FakeCluster.checkpointed("chk-10"));

        assertThat(deploy(request())).isEqualTo(Outcome.ROLLED_BACK);

        assertThat(cluster.calls).endsWith("run 0003 from " + newer);
    }

    @Test
    void an_order_for_a_checkpoint_that_is_lost_is_given_again() throws Exception {
        cluster.checkpointOrdersFail(1);
        List<Cluster.Progress> answers = new ArrayList<>(Collections.nCopies(100, FakeCluster.running()));
        answers.add(FakeCluster.checkpointed("chk-1"));
        cluster.nextJob(answers.toArray(Cluster.Progress[]::new));

        assertThat(deploy(request())).isEqualTo(Outcome.DONE);

        assertThat(cluster.calls).containsExactly("run 0001 from null", "checkpoint job-1", "checkpoint job-1");
        assertThat(said()).contains("the order for a checkpoint failed, and is given again: ask timed out");
    }

    @Test
    void a_stop_of_which_nobody_says_anything_any_more_ends_with_the_way_out() throws Exception {
        deployed();
        cluster.fallsSilentWhenStopped();

        assertThatThrownBy(() -> deploy(request()))
                .hasMessageContaining("no answer. What became of job job-1 is not known either.")
                .hasMessageContaining("--from PATH");
    }

    @Test
    void a_job_by_hand_that_has_ended_since_is_not_passed_over() throws Exception {
        String left = cluster.savepoint("savepoint-7");
        cluster.has("by-hand", NAME, new Cluster.Progress("FINISHED", 4, 0, 1, left, 0, ""));
        assertThat(deploy(request())).isEqualTo(Outcome.REFUSED);
        assertThat(said()).contains("job by-hand is FINISHED", "--from " + left, "--fresh");
        cluster.nextJob(FakeCluster.checkpointed(cluster.savepoint("chk-8")));
        assertThat(deploy(from(left))).isEqualTo(Outcome.DONE);

        cluster.has("job-1", NAME, FakeCluster.failed("no slot"));
        cluster.retained.put("job-1", List.of(cluster.savepoint("chk-8")));
        cluster.nextJob(FakeCluster.checkpointed(cluster.savepoint("chk-9")));
        assertThat(deploy(request()))
                .as("what it left is older than the deployment")
                .isEqualTo(Outcome.DONE);

        cluster.has("job-2", NAME, FakeCluster.failed("no slot"));
        cluster.has("again", NAME, FakeCluster.cancelled(cluster.savepoint("chk-20")));
        assertThat(deploy(request())).as("but this one is newer").isEqualTo(Outcome.REFUSED);
        assertThat(cluster.calls)
                .containsExactly("run 0001 from " + left, "run 0002 from " + cluster.savepoint("chk-8"));
    }

    @Test
    void what_was_left_before_a_fresh_start_is_not_the_newest_for_its_higher_number() throws Exception {
        deployed();
        cluster.has("job-1", NAME, FakeCluster.cancelled(cluster.savepoint("chk-900")));
        cluster.nextJob(FakeCluster.checkpointed(cluster.savepoint("chk-3")));
        assertThat(deploy(fresh())).isEqualTo(Outcome.DONE);
        cluster.has("job-2", NAME, new Cluster.Progress("FAILED", 4, 0, 1, cluster.savepoint("chk-4"), 1, "no slot"));
        cluster.nextJob(FakeCluster.checkpointed(cluster.savepoint("chk-5")));

        assertThat(deploy(request())).isEqualTo(Outcome.DONE);

        assertThat(cluster.calls).endsWith("run 0003 from " + cluster.savepoint("chk-4"));
    }

    @Test
    void a_new_job_that_nobody_says_anything_of_is_not_taken_back_and_the_way_out_is_named() throws Exception {
        deployed();
        cluster.nextJobIsNotHeardOf();

        assertThatThrownBy(() -> deploy(request()))
                .hasMessageContaining("Flink does not answer. What became of the new job job-2 is not known.")
                .hasMessageContaining("run scripts/deploy.sh again");
        assertThat(cluster.calls).containsExactly("stop job-1", "run 0002 from " + savepoint(1));

        cluster.answersAgain();
        cluster.has("job-2", NAME, FakeCluster.failed("no slot"));
        jars.checkpoints.put(savepoint(1), 1L);
        cluster.nextJob(FakeCluster.checkpointed("chk-3"));
        assertThat(deploy(request())).as("it had completed nothing").isEqualTo(Outcome.DONE);
        assertThat(cluster.calls).endsWith("run 0003 from " + savepoint(1));
    }

    @Test
    void the_gap_of_a_way_back_counts_from_the_order_to_stop() throws Exception {
        deployed();
        cluster.nextJob(FakeCluster.running());
        cluster.nextJob(FakeCluster.checkpointed("chk-3"));

        assertThat(deploy(request())).isEqualTo(Outcome.ROLLED_BACK);

        assertThat(said()).contains("the gap was 0.0 s").containsPattern("the gap was 6[34]\\.\\d s");
    }

    @Test
    void a_job_that_does_not_run_any_more_goes_on_from_its_newest_state() throws Exception {
        deployed();
        cluster.jobs.clear();
        cluster.retained.put("job-1", List.of(cluster.savepoint("chk-40"), cluster.savepoint("chk-41")));
        jars.checkpoints.put(folder.resolve("savepoints/chk-40").toString(), 40L);
        jars.checkpoints.put(folder.resolve("savepoints/chk-41").toString(), 41L);
        cluster.nextJob(FakeCluster.checkpointed("chk-42"));

        assertThat(deploy(request())).isEqualTo(Outcome.DONE);

        assertThat(cluster.calls).containsExactly("run 0002 from " + folder.resolve("savepoints/chk-41"));
    }

    @Test
    void without_any_state_to_be_found_it_starts_afresh_only_if_told_so() throws Exception {
        deployed();
        cluster.jobs.clear();

        assertThat(deploy(request())).isEqualTo(Outcome.REFUSED);
        assertThat(said()).contains("--from PATH", "--fresh");
        assertThat(cluster.calls).isEmpty();

        cluster.nextJob(FakeCluster.checkpointed("chk-1"));
        assertThat(deploy(fresh())).isEqualTo(Outcome.DONE);
        assertThat(cluster.calls).containsExactly("run 0002 from null");
    }

    @Test
    void from_and_fresh_are_refused_while_the_job_runs() throws Exception {
        deployed();

        assertThat(deploy(fresh())).isEqualTo(Outcome.REFUSED);
        assertThat(deploy(from(savepoint(1)))).isEqualTo(Outcome.REFUSED);
        assertThat(cluster.calls).isEmpty();
    }

    @Test
    void if_the_old_job_does_not_run_either_the_command_that_starts_it_can_be_typed_as_it_is_said() throws Exception {
        cluster.nextJob(FakeCluster.checkpointed(cluster.savepoint("chk-1")));
        List<String> arguments = List.of("stream", "--checkpoint.interval", "5 s", "--job.name", "it's");
        assertThat(deploy(new DeploymentRequest(NAME, jar, arguments, Set.of(), 5, 60_000, false, false, null)))
                .isEqualTo(Outcome.DONE);
        cluster.nextJob(FakeCluster.failed("NoSuchMethodError"));
        cluster.nextJob(FakeCluster.failed("no slot"));

        assertThat(deploy(request())).isEqualTo(Outcome.FAILED);

        assertThat(said())
                .contains("no slot")
                .endsWith("flink run -d -s " + savepoint(1) + " "
                        + deployments().all().get(0).jar()
                        + " stream --checkpoint.interval '5 s' --job.name 'it'\\''s'\n");
    }

    @Test
    void a_first_deployment_that_fails_leaves_nothing_running() throws Exception {
        cluster.nextJob(FakeCluster.restarting(3, null));

        assertThat(deploy(request())).isEqualTo(Outcome.FAILED);

        assertThat(cluster.calls).containsExactly("run 0001 from null", "cancel job-1");
        assertThat(deployments().current()).isEmpty();
    }

    @Test
    void a_job_that_was_started_by_hand_is_taken_over_and_two_of_them_are_not() throws Exception {
        cluster.has("by-hand", NAME, FakeCluster.checkpointed(cluster.savepoint("chk-5")));
        cluster.nextJob(FakeCluster.checkpointed("chk-6"));

        assertThat(deploy(request())).isEqualTo(Outcome.DONE);
        assertThat(cluster.calls).containsExactly("stop by-hand", "run 0001 from " + savepoint(1));

        cluster.jobs.clear();
        cluster.has("one", NAME, FakeCluster.running());
        cluster.has("two", NAME, FakeCluster.running());
        assertThatThrownBy(() -> deploy(request())).hasMessageContaining("There are 2 jobs called " + NAME);
    }

    @Test
    void the_newest_savepoints_stay_with_their_deployments_and_older_ones_go() throws Exception {
        deployed();
        DeploymentRequest keepTwo =
                new DeploymentRequest(NAME, jar, ARGUMENTS, Set.of(), 2, 60_000, false, false, null);
        for (int i = 1; i <= 4; i++) {
            cluster.nextJob(FakeCluster.checkpointed(cluster.savepoint("chk-of-" + i)));
            assertThat(deploy(keepTwo)).isEqualTo(Outcome.DONE);
        }

        assertThat(Path.of(savepoint(1))).doesNotExist();
        assertThat(Path.of(savepoint(2))).doesNotExist();
        assertThat(Path.of(savepoint(3))).exists();
        assertThat(Path.of(savepoint(4))).exists();
        assertThat(deployments().all()).extracting(Deployment::number).containsExactly(3, 4, 5);
        @Nullable String oldest = deployments().all().get(0).savepoint();
        assertThat(oldest).isEqualTo(savepoint(3));
    }
}
