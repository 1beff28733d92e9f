package dev.engagement.deploy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The session cluster, as far as a deployment needs it. */
interface Cluster {

    /** The states from which a job does not come back. */
    Set<String> ENDED = Set.of("FAILED", "CANCELED", "FINISHED");

    /**
     * A job that the cluster remembers.
     *
     * @param state Flink's word
     * @param startMillis since the epoch, by the cluster's clock
     */
    record Job(String id, String name, String state, long startMillis) {
        boolean hasEnded() {
            return ENDED.contains(state);
        }
    }

    /**
     * How a job does.
     *
     * @param state Flink's word
     * @param tasks how many it has
     * @param running how many of them run
     * @param completed checkpoints since it was submitted, savepoints included
     * @param newest the newest of these, or what it was started from; null if there is nothing
     * @param failures as far as the cluster remembers
     * @param lastFailure in a line or two; empty if there was none
     */
    record Progress(
            String state,
            int tasks,
            int running,
            long completed,
            @Nullable String newest,
            int failures,
            String lastFailure) {

        boolean runs() {
            return state.equals("RUNNING") && tasks > 0 && running == tasks;
        }

        boolean hasEnded() {
            return ENDED.contains(state);
        }
    }

    /**
     * What is to be run.
     *
     * @param jar the job jar
     * @param from a savepoint or checkpoint; null to start without state
     * @param leaveBehind whether state that no operator wants may be left there
     * @param arguments the command and its options
     */
    record Submission(Path jar, @Nullable String from, boolean leaveBehind, List<String> arguments) {
        public Submission {
            arguments = List.copyOf(arguments);
        }
    }

    /** All jobs that the cluster remembers. */
    List<Job> jobs() throws IOException, InterruptedException;

    /** Of a job that the cluster remembers. */
    Progress progress(String job) throws IOException, InterruptedException;

    /** Retained checkpoints of a job, which the cluster need not remember; in no order. */
    List<String> retained(String job) throws IOException;

    /**
     * Stops a job with a savepoint, without draining it; it ends a moment later.
     *
     * @return where the savepoint is
     * @throws IOException if there is no savepoint; the job then runs on
     */
    String stop(String job) throws IOException, InterruptedException;

    /**
     * Submits a job.
     *
     * @return its id; it may still be starting
     * @throws IOException if it is refused, with why
     */
    String run(Submission submission) throws IOException, InterruptedException;

    /** Has a checkpoint taken, without waiting for it. */
    void checkpoint(String job) throws IOException, InterruptedException;

    /**
     * Waits until a job has ended.
     *
     * @throws IOException if it has not within the timeout
     */
    void awaitEnd(String job) throws IOException, InterruptedException;

    /** Ends a job without a savepoint, and waits for that; its checkpoints stay. */
    void cancel(String job) throws IOException, InterruptedException;
}
