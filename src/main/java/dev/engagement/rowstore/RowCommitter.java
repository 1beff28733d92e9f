package dev.engagement.rowstore;

import dev.engagement.connection.Backoff;
import dev.engagement.connection.Pause;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;
import org.apache.flink.api.connector.sink2.Committer;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Shows the rows of a completed checkpoint: first the mark of the {@link CheckpointLineage} on the table, then the rows. Repeating either changes nothing.
 *
 * <p>What passes by itself is repeated in here, with pauses, for the store's {@code commit-timeout}: Flink's own repetition
 * of a commit is immediate and ends after ten, which no outage outlasts. The task stands still meanwhile and upstream with
 * it, which is what a dead store does; cancelling ends it.
 */
final class RowCommitter implements Committer<Appended> {

    private static final Logger LOG = LoggerFactory.getLogger(RowCommitter.class);

    /** What the committer is given. */
    record Environment(RowApi api, LongSupplier millis, Pause pause, DoubleSupplier random, MetricGroup metrics) {}

    private final RowStore store;
    private final String run;
    private final Backoff backoff;
    private final @Nullable Long restoredCheckpoint;
    private final Environment environment;
    private final Counter commits;
    private final Counter retries;
    private final Counter lost;
    /** What this committer knows to stand on which table; usually there is one. */
    private final Map<String, CheckpointLineage.FencingLabel> marks = new HashMap<>();

    private final Map<String, StoreTable> tables = new HashMap<>();

    /**
     * A committer.
     *
     * @param run this run of the job
     * @param restoredCheckpoint the checkpoint it was started from, for messages
     */
    RowCommitter(RowStore store, String run, @Nullable Long restoredCheckpoint, Environment environment) {
        this.store = store;
        this.run = run;
        this.backoff = store.backoff();
        this.restoredCheckpoint = restoredCheckpoint;
        this.environment = environment;
        this.commits = environment.metrics().counter("commits");
        this.retries = environment.metrics().counter("commitRetries");
        this.lost = environment.metrics().counter("lostStreams");
    }

    @Override
    public void commit(Collection<CommitRequest<Appended>> requests) throws RowStoreException, InterruptedException {
        Attempts attempts = new Attempts();
        List<CommitRequest<Appended>> ordered = new ArrayList<>(requests);
        ordered.sort(Comparator.comparingLong((CommitRequest<Appended> request) ->
                        request.getCommittable().checkpoint())
                .thenComparingLong(request -> request.getCommittable().lastOffset()));
        for (CommitRequest<Appended> request : ordered) {
            mark(request.getCommittable(), attempts);
        }
        List<CommitRequest<Appended>> waiting = ordered;
        while (!waiting.isEmpty()) {
            waiting = show(waiting, attempts);
        }
    }

    /** The mark stands before a row is shown: a crash between the two leaves a mark that the restart agrees with. */
    private void mark(Appended appended, Attempts attempts) throws RowStoreException, InterruptedException {
        String tableName = store.tableOf(appended.stream());
        CheckpointLineage.FencingLabel known = marks.get(tableName);
        if (known != null && appended.line().markFor(appended.checkpoint(), known) == null) {
            return;
        }
        // Of a job that was started into another table, what its checkpoint kept is of the old one.
        StoreTable table = tables.computeIfAbsent(tableName, store::open);
        while (true) {
            try {
                StoreTable.Read read = table.read();
                if (read == null) {
                    // Showing the rows says what that means.
                    return;
                }
                CheckpointLineage.FencingLabel found = read.label();
                if (!appended.line().mayShow(found)) {
                    if (!store.acceptsDuplicates()) {
                        CheckpointLineage.Broken broken = broken(appended, found);
                        throw new RowStoreRefusedException(broken.text(store.name(), tableName, restoredCheckpoint));
                    }
                    LOG.warn(
                            "Rows of checkpoint {} go into {} although {} is there: {}",
                            appended.checkpoint(),
                            tableName,
                            found,
                            store.name().acceptDuplicates());
                    if (!appended.line().run().equals(run)) {
                        // Rows that were appended before this run started begin no line.
                        return;
                    }
                }
                CheckpointLineage.FencingLabel wanted = appended.line().markFor(appended.checkpoint(), found);
                if (wanted == null || table.label(read, wanted)) {
                    marks.put(tableName, wanted == null ? Objects.requireNonNull(found) : wanted);
                    return;
                }
                // Another subtask was faster: look again.
            } catch (StoreRequestException e) {
                if (!e.isPassing()) {
                    throw new RowStoreException(
                            "The " + store.name().destination() + " table " + tableName + " cannot be marked: "
                                    + e.getMessage(),
                            e);
                }
                attempts.again(String.valueOf(e.getMessage()), e);
            }
        }
    }

    private CheckpointLineage.Broken broken(Appended appended, CheckpointLineage.@Nullable FencingLabel found) {
        boolean restored = !appended.line().run().equals(run);
        return restored
                ? CheckpointLineage.Broken.by(found, appended.checkpoint())
                : new CheckpointLineage.Broken(found, CheckpointLineage.Broken.Kind.OTHER_LINE);
    }

    /** All at once; answers those that are to be repeated, after a pause. */
    private List<CommitRequest<Appended>> show(List<CommitRequest<Appended>> requests, Attempts attempts)
            throws RowStoreException, InterruptedException {
        List<CompletableFuture<Void>> calls = requests.stream()
                .map(request -> environment.api().show(request.getCommittable()))
                .toList();
        List<CommitRequest<Appended>> again = new ArrayList<>();
        RowFailure last = null;
        for (int i = 0; i < requests.size(); i++) {
            CommitRequest<Appended> request = requests.get(i);
            RowFailure failure = result(calls.get(i));
            if (failure == null) {
                commits.inc();
                continue;
            }
            switch (failure.verdict(RowVerdict.Operation.SHOW)) {
                case DONE -> request.signalAlreadyCommitted();
                case TRANSIENT -> {
                    again.add(request);
                    last = failure;
                }
                case STREAM_LOST -> lost(request, failure);
                default -> throw refused(request.getCommittable(), failure);
            }
        }
        if (last != null) {
            attempts.again(last.text(), last);
        }
        return again;
    }

    private static @Nullable RowFailure result(CompletableFuture<Void> call) throws InterruptedException {
        try {
            call.get();
            return null;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RowFailure failure) {
                return failure;
            }
            throw new IllegalStateException("A store's client failed in a way that it should not", e);
        }
    }

    private void lost(CommitRequest<Appended> request, RowFailure failure) {
        Appended appended = request.getCommittable();
        boolean elsewhere = !store.tableOf(appended.stream()).equals(store.table());
        boolean accepted = store.acceptsDuplicates() && !appended.line().run().equals(run);
        if (!elsewhere && !accepted) {
            throw refused(appended, failure);
        }
        // The refusal names both ways and what they cost.
        lost.inc();
        LOG.error(
                "Rows of checkpoint {} up to offset {} of {} are missing unless they were shown before, as {} has the"
                        + " stream no more ({}). The job goes on, because it was started {}",
                appended.checkpoint(),
                appended.lastOffset(),
                appended.stream(),
                store.name().product(),
                failure.text(),
                elsewhere
                        ? "into another table, " + store.table()
                        : "with " + store.name().acceptDuplicates());
        request.signalFailedWithKnownReason(failure);
    }

    private RowStoreRefusedException refused(Appended appended, RowFailure failure) {
        return new RowStoreRefusedException(
                store.name().product() + " does not show the rows of checkpoint " + appended.checkpoint()
                        + ", up to offset " + appended.lastOffset() + " of " + appended.stream() + ": "
                        + failure.text() + ". " + store.lostStreamAdvice(),
                failure);
    }

    @Override
    public void close() {
        environment.api().close();
    }

    /** Of one commit. */
    private final class Attempts {

        private int failures;
        private long since;

        /** Waits before the next attempt, or gives up. */
        void again(String why, Throwable cause) throws RowStoreException, InterruptedException {
            long now = environment.millis().getAsLong();
            if (failures++ == 0) {
                since = now;
                LOG.warn(
                        "{} does not show the rows of a checkpoint in {}; repeating until it does: {}",
                        store.name().product(),
                        store.table(),
                        why);
            }
            if (now - since > store.commitTimeout().toMillis()) {
                throw new RowStoreException(
                        store.name().product() + " has not shown the rows of a completed checkpoint in " + store.table()
                                + " for " + store.commitTimeout().toSeconds() + " s ("
                                + store.name().option("commit-timeout") + "). They are kept: the job tries again"
                                + " after its restart. Last answer: " + why,
                        cause);
            }
            retries.inc();
            environment
                    .pause()
                    .of(Duration.ofMillis(
                            backoff.delayMillis(failures, environment.random().getAsDouble())));
        }
    }
}
