package dev.engagement.deploy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A cluster that does what the test says, and remembers what it was asked. */
final class FakeCluster implements Cluster {

    /** How a submitted job goes: what {@code progress} answers, one after the other; the last again and again. */
    record Script(List<Progress> answers, List<Progress> afterCancel, boolean silences) {}

    final List<String> calls = new ArrayList<>();
    final List<Submission> submissions = new ArrayList<>();
    final Map<String, String> names = new LinkedHashMap<>();
    final Map<String, Deque<Progress>> jobs = new LinkedHashMap<>();
    final Map<String, List<String>> retained = new LinkedHashMap<>();

    private final Path savepoints;
    private final Deque<Script> next = new ArrayDeque<>();
    private final Map<String, List<Progress>> afterCancel = new LinkedHashMap<>();
    private IOException stopFails;
    private Progress afterFailedStop;
    private IOException silent;
    private boolean silentAfterStop;
    private int savepointsTaken;
    private int failingOrders;

    FakeCluster(Path savepoints) {
        this.savepoints = savepoints;
    }

    static Progress starting() {
        return new Progress("RUNNING", 4, 1, 0, null, 0, "");
    }

    static Progress running() {
        return new Progress("RUNNING", 4, 4, 0, null, 0, "");
    }

    static Progress checkpointed(String newest) {
        return new Progress("RUNNING", 4, 4, 1, newest, 0, "");
    }

    static Progress failed(String why) {
        return new Progress("FAILED", 4, 0, 0, null, 1, why);
    }

    static Progress restarting(int failures, String newest) {
        return new Progress("RESTARTING", 4, 0, newest == null ? 0 : 1, newest, failures, "it fails");
    }

    static Progress cancelled(String newest) {
        return new Progress("CANCELED", 4, 0, newest == null ? 0 : 1, newest, 0, "");
    }

    /** A job that is there from the beginning. */
    void has(String id, String name, Progress... answers) {
        afterCancel.remove(id);
        names.put(id, name);
        jobs.put(id, new ArrayDeque<>(List.of(answers)));
    }

    /** The next submission goes so. */
    void nextJob(Progress... answers) {
        next.add(new Script(List.of(answers), List.of(cancelled(null)), false));
    }

    void nextJobThatCompletesWhileItIsCancelled(String checkpoint, Progress... answers) {
        next.add(new Script(List.of(answers), List.of(cancelled(checkpoint)), false));
    }

    /** It is submitted, and from then on nobody says what it does. */
    void nextJobIsNotHeardOf() {
        next.add(new Script(List.of(running()), List.of(cancelled(null)), true));
    }

    void nextSubmissionIsRefused() {
        next.add(new Script(List.of(), List.of(), false));
    }

    void stopFails(String why) {
        stopFails = new IOException(why);
    }

    /** The order is heard, and its answer lost. */
    void stopIsNotAnswered(Progress after) {
        stopFails = new IOException("no answer");
        afterFailedStop = after;
    }

    /** The order's answer is lost, and from then on nobody says anything. */
    void fallsSilentWhenStopped() {
        stopFails = new IOException("no answer");
        silentAfterStop = true;
    }

    void answersAgain() {
        silent = null;
    }

    @Override
    public List<Job> jobs() {
        return jobs.entrySet().stream()
                .map(each -> new Job(
                        each.getKey(),
                        names.get(each.getKey()),
                        each.getValue().peekFirst().state(),
                        new ArrayList<>(names.keySet()).indexOf(each.getKey())))
                .toList();
    }

    @Override
    public Progress progress(String job) throws IOException {
        if (silent != null) {
            throw silent;
        }
        Deque<Progress> answers = jobs.get(job);
        return answers.size() > 1 ? answers.removeFirst() : answers.getFirst();
    }

    @Override
    public List<String> retained(String job) {
        return retained.getOrDefault(job, List.of());
    }

    @Override
    public String stop(String job) throws IOException {
        calls.add("stop " + job);
        if (stopFails != null) {
            if (silentAfterStop) {
                silent = new IOException("Flink does not answer");
            }
            if (afterFailedStop != null) {
                jobs.put(job, new ArrayDeque<>(List.of(afterFailedStop)));
            }
            throw stopFails;
        }
        String savepoint = savepoint("savepoint-" + ++savepointsTaken);
        jobs.put(job, new ArrayDeque<>(List.of(new Progress("FINISHED", 4, 0, 1, savepoint, 0, ""))));
        return savepoint;
    }

    @Override
    public void awaitEnd(String job) {}

    /** A folder that looks like one. */
    String savepoint(String name) {
        Path folder = savepoints.resolve(name);
        try {
            Files.createDirectories(folder);
            Files.writeString(folder.resolve("_metadata"), name);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return folder.toString();
    }

    @Override
    public String run(Submission submission) throws IOException {
        submissions.add(submission);
        calls.add("run " + submission.jar().getParent().getFileName() + " from " + submission.from());
        Script script = next.removeFirst();
        if (script.answers.isEmpty()) {
            throw new IOException("the client refuses");
        }
        if (script.silences) {
            silent = new IOException("Flink does not answer");
        }
        String id = "job-" + submissions.size();
        names.put(id, "engagement-stream");
        jobs.put(id, new ArrayDeque<>(script.answers));
        afterCancel.put(id, script.afterCancel);
        return id;
    }

    void checkpointOrdersFail(int times) {
        failingOrders = times;
    }

    @Override
    public void checkpoint(String job) throws IOException {
        calls.add("checkpoint " + job);
        if (failingOrders > 0) {
            failingOrders--;
            throw new IOException("ask timed out");
        }
    }

    @Override
    public void cancel(String job) {
        calls.add("cancel " + job);
        List<Progress> after = afterCancel.get(job);
        Progress last = jobs.get(job).getLast();
        jobs.put(job, new ArrayDeque<>(after == null ? List.of(cancelled(last.newest())) : after));
    }
}
