package dev.engagement.deploy;

import dev.engagement.connection.Pause;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.LongSupplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.flink.runtime.jobgraph.OperatorID;
import org.jspecify.annotations.Nullable;

/**
 * Replaces a job by its next version, or runs it for the first time.
 *
 * <p>What can be known is known before anything is stopped. A new job that fails before it has completed a checkpoint is
 * taken back: the old jar goes on from the same savepoint. One that has completed a checkpoint has shown rows that the old
 * savepoint does not know of, so from then on only the newest checkpoint is gone on from, or nothing is.
 *
 * <p>Used from one thread.
 */
final class Deployer {

    /** How a deployment ended, with the exit code that says it. */
    enum Outcome {
        DONE(0),
        /** Nothing runs, or what runs is not known; the last line says what to do. */
        FAILED(1),
        /** State would be lost; nothing was stopped. */
        REFUSED(3),
        /** The new version failed, and the old one runs again. */
        ROLLED_BACK(4);

        private final int exitCode;

        Outcome(int exitCode) {
            this.exitCode = exitCode;
        }

        int exitCode() {
            return exitCode;
        }
    }

    /**
     * What is wanted.
     *
     * @param jobName by which a job is found that these deployments do not know of
     * @param jar the new jar
     * @param arguments the command and its options
     * @param allowed uids whose state may be dropped
     * @param keep how many savepoints stay
     * @param timeoutMillis until a job that does not come to its first checkpoint has failed
     * @param planOnly whether only the plan is wanted
     * @param fresh whether it may start without state although there is some
     * @param from a savepoint or checkpoint to start from, of a job that does not run; null for the newest
     */
    record DeploymentRequest(
            String jobName,
            Path jar,
            List<String> arguments,
            Set<String> allowed,
            int keep,
            long timeoutMillis,
            boolean planOnly,
            boolean fresh,
            @Nullable String from) {
        DeploymentRequest {
            arguments = List.copyOf(arguments);
            allowed = Set.copyOf(allowed);
        }
    }

    /** What is asked of the jars. */
    interface Jars {
        /** What would become of that state in the new jar, with its options. */
        RestorePlan plan(String from, Map<OperatorID, String> knownUids) throws IOException;

        /** The new jar's catalogue. */
        StateCatalogue catalogue();

        /** Makes topics and tables, and asks the servers what would refuse the new job. */
        void readyServers();

        /** Whether an older jar would lose nothing of that state. */
        boolean fits(Path jar, String from, List<String> arguments) throws IOException, InterruptedException;

        /** The number of a savepoint or checkpoint. */
        long checkpointOf(String path) throws IOException;
    }

    private static final Duration POLL_INTERVAL = Duration.ofMillis(250);
    /** More than {@code web.refresh-interval}. */
    private static final Duration CACHE = Duration.ofMillis(3_500);
    /** A checkpoint that was ordered may have been lost with the JobManager; a second one harms nothing. */
    private static final long ASK_AGAIN_MILLIS = 15_000;
    /** A job that was restarted so often before its first checkpoint is not waited for any longer. */
    private static final int FAILURES = 3;
    /** A word that a shell leaves as it is. */
    private static final Pattern PLAIN_WORD = Pattern.compile("[A-Za-z0-9_./:=,@%+-]+");

    private final DeploymentRequest request;
    private final Cluster cluster;
    private final Deployments deployments;
    private final Jars jars;
    private final PrintStream out;
    private final LongSupplier clockMillis;
    private final Pause pause;
    private final long begin;
    /** When the order to stop was given: from there on nothing was shown. Null if nothing ran. */
    private @Nullable Long stoppedAt;

    private List<String> shown = List.of();

    Deployer(
            DeploymentRequest request,
            Cluster cluster,
            Deployments deployments,
            Jars jars,
            PrintStream out,
            LongSupplier clockMillis,
            Pause pause) {
        this.request = request;
        this.cluster = cluster;
        this.deployments = deployments;
        this.jars = jars;
        this.out = out;
        this.clockMillis = clockMillis;
        this.pause = pause;
        this.begin = clockMillis.getAsLong();
    }

    /** Does it. */
    Outcome deploy() throws IOException, InterruptedException {
        Deployment before = deployments.current().orElse(null);
        String running = running(before);
        if (running != null && request.from() != null) {
            return refused(
                    "--from is for a job that does not run, and " + request.jobName() + " runs (" + running + ")");
        }
        if (running != null && request.fresh()) {
            return refused(
                    "--fresh is for a job that does not run, and " + request.jobName() + " runs (" + running + ")");
        }
        if (running == null && request.from() == null && !request.fresh()) {
            Optional<Cluster.Job> unmanagedJob = unmanagedJob(before);
            if (unmanagedJob.isPresent()) {
                String left = cluster.progress(unmanagedJob.get().id()).newest();
                return refused("job " + unmanagedJob.get().id() + " is "
                        + unmanagedJob.get().state() + ", was not started by"
                        + " this script, and left " + left + ". --from " + left + " goes on from there; --fresh starts"
                        + " without state");
            }
        }
        String newest = request.fresh() ? null : newest(before, running);
        if (newest == null && running == null && before != null && !request.fresh()) {
            return refused("deployment " + before.number() + " of " + request.jobName()
                    + " does not run any more, and neither a savepoint nor a retained checkpoint of it is found."
                    + " --from PATH says where one is, --fresh starts without state");
        }
        if (newest == null) {
            say(running == null ? "plan: no state to go on from" : "plan: the running job has no checkpoint yet");
        } else if (!isSafeNow(newest, before, running)) {
            return Outcome.REFUSED;
        }
        if (request.planOnly()) {
            return Outcome.DONE;
        }
        jars.readyServers();
        String from = newest;
        if (running != null) {
            stoppedAt = clockMillis.getAsLong();
            from = stop(running, before);
            if (from == null) {
                return Outcome.FAILED;
            }
            // State may have come since: what is asked now is what is restored.
            if (!isSafe(from, before)) {
                return goBack(before, from);
            }
        }
        return start(before, from);
    }

    // --------------------------------------------------------------------------------------------------- what there is

    /** The id of the job that is to be replaced; null if none runs. */
    private @Nullable String running(@Nullable Deployment before) throws IOException, InterruptedException {
        List<Cluster.Job> living = living();
        if (before != null && living.stream().anyMatch(each -> each.id().equals(before.job()))) {
            return before.job();
        }
        if (living.size() > 1) {
            throw new IOException("There are " + living.size() + " jobs called " + request.jobName() + ": "
                    + living.stream().map(Cluster.Job::id).toList() + "; cancel those that should not be there");
        }
        return living.isEmpty() ? null : living.get(0).id();
    }

    private List<Cluster.Job> living() throws IOException, InterruptedException {
        return cluster.jobs().stream()
                .filter(each -> each.name().equals(request.jobName()) && !each.hasEnded())
                .toList();
    }

    /** The newest state there is; null if there is none. */
    private @Nullable String newest(@Nullable Deployment before, @Nullable String running)
            throws IOException, InterruptedException {
        if (request.from() != null) {
            return request.from();
        }
        if (running != null) {
            return cluster.progress(running).newest();
        }
        if (before == null) {
            return null;
        }
        Set<String> candidates = new TreeSet<>(List.of(before.savepoint()));
        if (!before.hasRun()) {
            // One that has completed a checkpoint has shown rows that this does not know of.
            candidates.add(before.from());
        }
        if (!before.job().isEmpty()) {
            candidates.addAll(cluster.retained(before.job()));
            if (cluster.jobs().stream().anyMatch(each -> each.id().equals(before.job()))) {
                candidates.addAll(saidOf(before.job()));
            }
        }
        candidates.remove("");
        return newestOf(candidates);
    }

    /**
     * The last job of that name that has ended, has left state, and is none of these deployments', if it began after the
     * newest of these: what that left is older then.
     */
    private Optional<Cluster.Job> unmanagedJob(@Nullable Deployment before) throws IOException, InterruptedException {
        Set<String> ours = new TreeSet<>();
        for (Deployment each : deployments.all()) {
            ours.add(each.job());
        }
        List<Cluster.Job> jobs = cluster.jobs();
        long since = before == null
                ? 0
                : jobs.stream()
                        .filter(each -> each.id().equals(before.job()))
                        .mapToLong(Cluster.Job::startMillis)
                        .findFirst()
                        .orElse(0);
        List<Cluster.Job> unmanagedJobs = new ArrayList<>();
        for (Cluster.Job each : jobs) {
            if (each.name().equals(request.jobName())
                    && each.hasEnded()
                    && !ours.contains(each.id())
                    && each.startMillis() >= since
                    && !saidOf(each.id()).isEmpty()) {
                unmanagedJobs.add(each);
            }
        }
        return unmanagedJobs.stream().max(Comparator.comparingLong(Cluster.Job::startMillis));
    }

    /** The newest state of a job by Flink's word, if it is there. */
    private Set<String> saidOf(String job) throws IOException, InterruptedException {
        String newest = cluster.progress(job).newest();
        return newest != null && Deployments.isThere(newest) ? Set.of(newest) : Set.of();
    }

    private @Nullable String newestOf(Set<String> states) throws IOException {
        String newest = null;
        long checkpoint = -1;
        for (String each : states) {
            try {
                long number = jars.checkpointOf(each);
                if (number > checkpoint) {
                    newest = each;
                    checkpoint = number;
                }
            } catch (IOException e) {
                throw new IOException(
                        each + ", which may be the newest state of " + request.jobName() + ", cannot be read: "
                                + e.getMessage()
                                + ". Older state would show rows twice; --from PATH says where a copy is",
                        e);
            }
        }
        return newest;
    }

    // ------------------------------------------------------------------------------------------------------ the plan

    /** A checkpoint of a running job may be deleted while it is read, as there is a newer one. */
    private boolean isSafeNow(String newest, @Nullable Deployment before, @Nullable String running)
            throws IOException, InterruptedException {
        String from = newest;
        while (true) {
            try {
                return isSafe(from, before);
            } catch (IOException e) {
                String newer =
                        running == null ? null : cluster.progress(running).newest();
                if (newer == null || newer.equals(from)) {
                    throw e;
                }
                from = newer;
            }
        }
    }

    private boolean isSafe(String from, @Nullable Deployment before) throws IOException {
        RestorePlan plan = jars.plan(from, knownUids(from, before));
        List<String> lines = plan.lines(request.allowed());
        say("plan from " + from + (lines.equals(shown) ? ": the same" : ""));
        if (!lines.equals(shown)) {
            lines.forEach(out::println);
            shown = lines;
        }
        Set<String> losses = plan.losses(request.allowed());
        if (losses.isEmpty()) {
            Set<String> unused = plan.unused(request.allowed());
            if (!unused.isEmpty()) {
                say("--allow-drop is not needed for " + String.join(", ", unused));
            }
            return true;
        }
        boolean incompatible =
                plan.entries().stream().anyMatch(each -> each.verdict() == RestorePlan.Verdict.INCOMPATIBLE);
        say(
                "REFUSED: the state of " + String.join(", ", losses) + " would be lost. "
                        + (incompatible
                                ? "What is incompatible cannot be restored by this jar and configuration at all."
                                : "Is a uid renamed, or a destination switched off? If it is meant: --allow-drop UID for each."));
        return false;
    }

    /** Uids by hash: from beside the savepoint, from the deployment that wrote it, and from the new jar. */
    private Map<OperatorID, String> knownUids(String from, @Nullable Deployment before) throws IOException {
        Map<OperatorID, String> uids = jars.catalogue().uids();
        if (before != null) {
            uids.putAll(StateCatalogue.parse(before.catalogue()).uids());
        }
        uids.putAll(Deployments.described(from).uids());
        return uids;
    }

    // -------------------------------------------------------------------------------------------------- stop and start

    /** @return what the next job goes on from; null if nothing could be stopped */
    private @Nullable String stop(String job, @Nullable Deployment before) throws IOException, InterruptedException {
        Cluster.Progress progress = cluster.progress(job);
        if (!progress.runs()) {
            say("job " + job + " is " + progress.state() + ", " + progress.running() + " of " + progress.tasks()
                    + " tasks run, so that no savepoint can be taken: cancelling it, its newest checkpoint stays");
            cluster.cancel(job);
            String newest = newestOf(statesOf(job));
            if (newest == null) {
                say("FAILED: it has no checkpoint. " + jobAgain(before, null));
            } else if (before != null) {
                before.stopped(newest);
            }
            return newest;
        }
        say("stopping job " + job + " with a savepoint…");
        String savepoint;
        try {
            savepoint = cluster.stop(job);
        } catch (IOException e) {
            Cluster.Progress now;
            try {
                now = cluster.progress(job);
            } catch (IOException unknown) {
                e.addSuppressed(unknown);
                throw new IOException(
                        e.getMessage() + ". What became of job " + job + " is not known either. If it runs, run"
                                + " scripts/deploy.sh again; if it has ended, its savepoint is the newest one beside the"
                                + " others, and --from PATH goes on from it",
                        e);
            }
            // If it ended as it was told to, only the answer was lost.
            String last = now.state().equals("FINISHED") ? newestOf(statesOf(job)) : null;
            if (last == null) {
                say("FAILED: there is no savepoint, and the job is " + now.state() + ": " + e.getMessage());
                return null;
            }
            savepoint = last;
        }
        if (before != null) {
            before.stopped(savepoint);
            Deployments.describe(savepoint, before.catalogue());
        }
        say("savepoint " + savepoint);
        cluster.awaitEnd(job);
        return savepoint;
    }

    private Outcome start(@Nullable Deployment before, @Nullable String from) throws IOException, InterruptedException {
        Deployment next = deployments.add(request.jar(), jars.catalogue().toBytes(), request.arguments(), from);
        boolean leaveBehind = !request.allowed().isEmpty();
        Started started = run(next, from, leaveBehind);
        if (started.failure == null) {
            next.runs();
            say("deployment " + next.number() + " of " + request.jobName() + " is done");
            for (String each : deployments.keepSavepoints(request.keep())) {
                say("deleted the old savepoint " + each);
            }
            return Outcome.DONE;
        }
        say("the new job FAILED before its first checkpoint: " + started.failure);
        String newer = end(started.job, from);
        if (newer != null) {
            next.outrun(newer);
            return goOnFrom(newer, before);
        }
        next.failed();
        if (from == null && before == null) {
            say("FAILED: this was the first deployment, so there is nothing to go back to");
            return Outcome.FAILED;
        }
        return goBack(before, from);
    }

    /**
     * Ends what was started, if it was.
     *
     * @return the newest checkpoint that it completed nevertheless; null if it did not
     */
    private @Nullable String end(@Nullable String job, @Nullable String from) throws IOException, InterruptedException {
        // A submission that failed half may have left a job.
        List<String> left =
                new ArrayList<>(living().stream().map(Cluster.Job::id).toList());
        if (job != null && !left.contains(job)) {
            left.add(job);
        }
        String newer = null;
        long checkpoint = from == null ? 0 : jars.checkpointOf(from);
        for (String each : left) {
            if (!cluster.progress(each).hasEnded()) {
                cluster.cancel(each);
            }
            String shown = newestOf(statesOf(each));
            // Flink counts anew when a JobManager takes over, but numbers on.
            if (shown != null && jars.checkpointOf(shown) > checkpoint) {
                newer = shown;
                checkpoint = jars.checkpointOf(shown);
            }
        }
        return newer;
    }

    /** What a job that has ended can be gone on from, in no order. */
    private Set<String> statesOf(String job) throws IOException, InterruptedException {
        // Flink's REST API says for some seconds what it said before.
        pause.of(CACHE);
        Set<String> states = new TreeSet<>(cluster.retained(job));
        states.addAll(saidOf(job));
        return states;
    }

    private Outcome goBack(@Nullable Deployment before, @Nullable String from)
            throws IOException, InterruptedException {
        if (before == null || from == null) {
            say("FAILED: " + jobAgain(before, from));
            return Outcome.FAILED;
        }
        say("going back to deployment " + before.number() + ", from the same savepoint");
        return runAgain(before, from);
    }

    /** The old savepoint would show rows twice that the new job has shown. */
    private Outcome goOnFrom(String newer, @Nullable Deployment before) throws IOException, InterruptedException {
        say("it completed a checkpoint while it was cancelled, " + newer
                + ": going back to the savepoint would show the rows between twice in the warehouse");
        String why = before == null ? "there is no older jar" : whyItDoesNotFit(before, newer);
        if (before == null || why != null) {
            say("FAILED: " + why + ". Nothing runs; go on with a jar that can, by scripts/deploy.sh --jar JAR --from "
                    + newer);
            return Outcome.FAILED;
        }
        say("the old jar loses nothing of it: deployment " + before.number() + " goes on from it");
        return runAgain(before, newer);
    }

    private @Nullable String whyItDoesNotFit(Deployment before, String newer) throws InterruptedException {
        try {
            return jars.fits(before.jar(), newer, before.arguments()) ? null : "the old jar cannot go on from it";
        } catch (IOException e) {
            return "whether the old jar can go on from it is not known: " + e.getMessage();
        }
    }

    private Outcome runAgain(Deployment before, String from) throws IOException, InterruptedException {
        Deployment again = deployments.add(before.jar(), before.catalogue(), before.arguments(), from);
        Started started = run(again, from, false);
        if (started.failure != null) {
            again.failed();
            say("FAILED: the old job does not run either: " + started.failure + ". " + jobAgain(before, from));
            return Outcome.FAILED;
        }
        again.runs();
        say("ROLLED BACK: deployment " + again.number() + " is deployment " + before.number() + " again");
        return Outcome.ROLLED_BACK;
    }

    private String jobAgain(@Nullable Deployment before, @Nullable String from) throws IOException {
        return "Nothing runs. The job that ran is started by: flink run -d" + (from == null ? "" : " -s " + from) + " "
                + (before == null ? "OLD-JAR COMMAND OPTIONS" : before.jar() + " " + asTyped(before.arguments()));
    }

    /** Words that a shell reads as these arguments: a duration such as {@code 5 s} is one of them. */
    private static String asTyped(List<String> arguments) {
        return arguments.stream()
                .map(each -> PLAIN_WORD.matcher(each).matches() ? each : "'" + each.replace("'", "'\\''") + "'")
                .collect(Collectors.joining(" "));
    }

    // ------------------------------------------------------------------------------------------------------ one job

    private record Started(@Nullable String job, @Nullable String failure) {}

    /** Submits, and waits until it has completed a checkpoint of its own. */
    private Started run(Deployment deployment, @Nullable String from, boolean leaveBehind)
            throws IOException, InterruptedException {
        say("running deployment " + deployment.number() + (from == null ? " without state" : " from " + from) + ": "
                + asTyped(deployment.arguments()));
        String job;
        try {
            job = cluster.run(new Cluster.Submission(
                    deployment.jar(), from, leaveBehind && from != null, deployment.arguments()));
        } catch (IOException e) {
            return new Started(null, Objects.requireNonNullElse(e.getMessage(), e.toString()));
        }
        deployment.submitted(job);
        say("job " + job + " is submitted");
        long deadline = clockMillis.getAsLong() + request.timeoutMillis();
        long askAt = 0;
        boolean saidThatItRuns = false;
        while (true) {
            Cluster.Progress progress = progressOfNew(job);
            if (progress.completed() > 0) {
                if (!saidThatItRuns) {
                    sayThatItRuns(progress);
                }
                say("checkpoint completed" + (progress.newest() == null ? "" : ": " + progress.newest()));
                return new Started(job, null);
            }
            if (progress.hasEnded()) {
                return new Started(job, "it is " + progress.state() + ". " + progress.lastFailure());
            }
            if (progress.failures() >= FAILURES) {
                return new Started(
                        job, "it was restarted " + progress.failures() + " times. " + progress.lastFailure());
            }
            if (clockMillis.getAsLong() > deadline) {
                return new Started(
                        job,
                        "no checkpoint within " + request.timeoutMillis() / 1_000 + " s (--timeout), it is "
                                + progress.state() + ", " + progress.running() + " of " + progress.tasks()
                                + " tasks run. " + progress.lastFailure());
            }
            if (progress.runs() && !saidThatItRuns) {
                saidThatItRuns = true;
                sayThatItRuns(progress);
            }
            if (progress.runs() && clockMillis.getAsLong() >= askAt) {
                // Not at the next interval, which may be far: until then nobody knows whether it can.
                askAt = clockMillis.getAsLong() + ASK_AGAIN_MILLIS;
                askForCheckpoint(job);
            }
            pause.of(POLL_INTERVAL);
        }
    }

    private void askForCheckpoint(String job) throws InterruptedException {
        try {
            cluster.checkpoint(job);
        } catch (IOException e) {
            say("the order for a checkpoint failed, and is given again: " + e.getMessage());
        }
    }

    /** Nobody may go back who does not know whether the new job has completed a checkpoint. */
    private Cluster.Progress progressOfNew(String job) throws IOException, InterruptedException {
        try {
            return cluster.progress(job);
        } catch (IOException e) {
            throw new IOException(
                    e.getMessage() + ". What became of the new job " + job + " is not known. Once Flink answers, run"
                            + " scripts/deploy.sh again: it replaces the job if it runs, and else goes on from the newest"
                            + " state there is",
                    e);
        }
    }

    private void sayThatItRuns(Cluster.Progress progress) {
        String gap = stoppedAt == null
                ? ""
                : String.format(
                        Locale.ROOT,
                        "; the gap was %.1f s, from the order to stop",
                        (clockMillis.getAsLong() - stoppedAt) / 1e3);
        say("all tasks run, " + progress.tasks() + gap);
    }

    private Outcome refused(String why) {
        say("REFUSED: " + why);
        return Outcome.REFUSED;
    }

    private void say(String line) {
        out.printf(Locale.ROOT, "%6.1f s  %s%n", (clockMillis.getAsLong() - begin) / 1e3, line);
    }
}
