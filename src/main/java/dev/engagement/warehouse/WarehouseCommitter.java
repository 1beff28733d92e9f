package dev.engagement.warehouse;

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
 * Shows the rows of a completed checkpoint: first the mark of the {@link CheckpointLineage} on the table, then FlushRows. Repeating
 * either changes nothing.
 *
 * <p>What passes by itself is repeated in here, with pauses, for {@code warehouse.commit-timeout}: Flink's own repetition
 * of a commit is immediate and ends after ten, which no outage outlasts. The task stands still meanwhile and upstream with
 * it, which is what a dead warehouse does; cancelling ends it.
 */
final class WarehouseCommitter implements Committer<Appended> {

    private static final Logger LOG = LoggerFactory.getLogger(WarehouseCommitter.class);

    /** What the committer is given. */
    record Environment(
            WriteApi writes,
            Connector<TableApi> tables,
            LongSupplier millis,
            Pause pause,
            DoubleSupplier random,
            MetricGroup metrics) {}

    private final WarehouseOptions options;
    private final String run;
    private final Backoff backoff;
    private final @Nullable Long restoredCheckpoint;
    private final Environment environment;
    private final Counter commits;
    private final Counter retries;
    private final Counter lost;
    /** What this committer knows to stand on which table; usually there is one. */
    private final Map<String, CheckpointLineage.FencingLabel> marks = new HashMap<>();

    private final Map<String, TableApi> tables = new HashMap<>();

    /**
     * A committer.
     *
     * @param run this run of the job
     * @param restoredCheckpoint the checkpoint it was started from, for messages
     */
    WarehouseCommitter(
            WarehouseOptions options,
            String run,
            Backoff backoff,
            @Nullable Long restoredCheckpoint,
            Environment environment) {
        this.options = options;
        this.run = run;
        this.backoff = backoff;
        this.restoredCheckpoint = restoredCheckpoint;
        this.environment = environment;
        this.commits = environment.metrics().counter("commits");
        this.retries = environment.metrics().counter("commitRetries");
        this.lost = environment.metrics().counter("lostStreams");
    }

    @Override
    public void commit(Collection<CommitRequest<Appended>> requests) throws WarehouseException, InterruptedException {
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
            waiting = flush(waiting, attempts);
        }
    }

    /** The mark stands before a row is shown: a crash between the two leaves a mark that the restart agrees with. */
    private void mark(Appended appended, Attempts attempts) throws WarehouseException, InterruptedException {
        String path = appended.tablePath();
        CheckpointLineage.FencingLabel known = marks.get(path);
        if (known != null && appended.line().markFor(appended.checkpoint(), known) == null) {
            return;
        }
        // Of a job that was started into another table, what its checkpoint kept is of the old one.
        WarehouseOptions where = options.ofTable(path);
        String tableName = where.tableName();
        TableApi api = tables.computeIfAbsent(path, any -> environment.tables().connect(where));
        while (true) {
            try {
                TableApi.Table table = api.get();
                if (table == null) {
                    // FlushRows says what that means.
                    return;
                }
                CheckpointLineage.FencingLabel found = LineMarks.on(table);
                if (!appended.line().mayShow(found)) {
                    if (!options.acceptDuplicates()) {
                        CheckpointLineage.Broken broken = broken(appended, found);
                        throw new WarehouseRefusedException(broken.text(tableName, restoredCheckpoint));
                    }
                    LOG.warn(
                            "Rows of checkpoint {} go into {} although {} is there: --accept-warehouse-duplicates",
                            appended.checkpoint(),
                            tableName,
                            found);
                    if (!appended.line().run().equals(run)) {
                        // Rows that were appended before this run started begin no line.
                        return;
                    }
                }
                CheckpointLineage.FencingLabel wanted = appended.line().markFor(appended.checkpoint(), found);
                if (wanted == null || api.label(table, LineMarks.labels(wanted))) {
                    marks.put(path, wanted == null ? Objects.requireNonNull(found) : wanted);
                    return;
                }
                // Another subtask was faster: look again.
            } catch (TableApi.TableException e) {
                if (!e.isPassing()) {
                    throw new WarehouseException(
                            "The warehouse table " + tableName + " cannot be marked: " + e.getMessage(), e);
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
    private List<CommitRequest<Appended>> flush(List<CommitRequest<Appended>> requests, Attempts attempts)
            throws WarehouseException, InterruptedException {
        List<CompletableFuture<Void>> calls = requests.stream()
                .map(request -> environment
                        .writes()
                        .flush(
                                request.getCommittable().stream(),
                                request.getCommittable().lastOffset()))
                .toList();
        List<CommitRequest<Appended>> again = new ArrayList<>();
        WarehouseFailure last = null;
        for (int i = 0; i < requests.size(); i++) {
            CommitRequest<Appended> request = requests.get(i);
            WarehouseFailure failure = result(calls.get(i));
            if (failure == null) {
                commits.inc();
                continue;
            }
            switch (WarehouseVerdict.of(WarehouseVerdict.Operation.FLUSH, failure)) {
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

    private static @Nullable WarehouseFailure result(CompletableFuture<Void> call) throws InterruptedException {
        try {
            call.get();
            return null;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof WarehouseFailure failure) {
                return failure;
            }
            throw new IllegalStateException("BigQuery's client failed in a way that it should not", e);
        }
    }

    private void lost(CommitRequest<Appended> request, WarehouseFailure failure) {
        Appended appended = request.getCommittable();
        boolean elsewhere = !appended.tablePath().equals(options.tablePath());
        boolean accepted = options.acceptDuplicates() && !appended.line().run().equals(run);
        if (!elsewhere && !accepted) {
            throw refused(appended, failure);
        }
        // The refusal names both ways and what they cost.
        lost.inc();
        LOG.error(
                "Rows of checkpoint {} up to offset {} of {} are missing unless they were shown before, as BigQuery has the"
                        + " stream no more ({}). The job goes on, because it was started {}",
                appended.checkpoint(),
                appended.lastOffset(),
                appended.stream(),
                failure.text(),
                elsewhere ? "into another table, " + options.tableName() : "with --accept-warehouse-duplicates");
        request.signalFailedWithKnownReason(failure);
    }

    private static WarehouseRefusedException refused(Appended appended, WarehouseFailure failure) {
        return new WarehouseRefusedException(
                "BigQuery does not show the rows of checkpoint " + appended.checkpoint() + ", up to offset "
                        + appended.lastOffset() + " of " + appended.stream() + ": " + failure.text()
                        + ". Streams live for 7 days without use, so this checkpoint or savepoint is too old, or somebody"
                        + " ended the stream. If the job was stopped with a savepoint, these rows were shown when it stopped:"
                        + " go on with --accept-warehouse-duplicates. If it failed, they are missing: start it from this"
                        + " checkpoint into a fresh table (flink run -s … --warehouse.table NEW), rebuild the range of event_ts"
                        + " that is missing (flink run … rebuild --from … --to … --warehouse.table REBUILT) and MERGE the"
                        + " tables on event_id",
                failure);
    }

    @Override
    public void close() {
        environment.writes().close();
    }

    /** Of one commit. */
    private final class Attempts {

        private int failures;
        private long since;

        /** Waits before the next attempt, or gives up. */
        void again(String why, Throwable cause) throws WarehouseException, InterruptedException {
            long now = environment.millis().getAsLong();
            if (failures++ == 0) {
                since = now;
                LOG.warn(
                        "BigQuery does not show the rows of a checkpoint in {}; repeating until it does: {}",
                        options.tableName(),
                        why);
            }
            if (now - since > options.commitTimeout().toMillis()) {
                throw new WarehouseException(
                        "BigQuery has not shown the rows of a completed checkpoint in " + options.tableName() + " for "
                                + options.commitTimeout().toSeconds()
                                + " s (warehouse.commit-timeout). They are kept: the job tries again"
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
