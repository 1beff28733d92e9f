package dev.engagement.rowstore;

import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.Samples;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.apache.flink.api.connector.sink2.Committer;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.jspecify.annotations.Nullable;

/**
 * A job of a source of numbered events, writers and a committer, as Flink runs them: checkpoints, completed or not, told
 * to the committer or not, and restarts from the newest completed one, at any parallelism.
 */
final class SimulatedJob {

    /** What Flink keeps of a checkpoint. */
    record Checkpoint(long id, long position, List<Appended> pending, CheckpointLineage line) {}

    /** What one run is submitted with. */
    private final RowPlan plan;

    private final FakeStore store;
    private final RandomGenerator random;
    private final ManualTask task;
    final Set<Long> rejected = new HashSet<>();

    private List<RowWriter> writers = new ArrayList<>();
    private @Nullable RowCommitter committer;
    private CheckpointLineage line = new CheckpointLineage("none", List.of());
    private long position;
    private long lastId;
    private List<Appended> pending = new ArrayList<>();

    @Nullable
    Checkpoint newest;
    /** Events below it belong to a completed checkpoint, and may be visible. */
    long completedPosition;

    SimulatedJob(
            FakeStore store,
            String run,
            RandomGenerator random,
            @Nullable Checkpoint startedFrom,
            boolean streamEndsWithCheckpoint) {
        this.store = store;
        this.random = random;
        this.newest = startedFrom;
        this.completedPosition = startedFrom == null ? 0 : startedFrom.position();
        this.task = new ManualTask(0, () -> store.step(random));
        this.plan = new RowPlan(
                store.store(
                        false,
                        new RowWriter.Limits(
                                20_000,
                                1_200,
                                5_000,
                                Duration.ofMillis(50),
                                Duration.ofSeconds(2),
                                Duration.ofHours(1),
                                streamEndsWithCheckpoint)),
                "events",
                run,
                this::pause);
    }

    /** Starts the tasks, from the newest completed checkpoint if there is one. */
    void start(int parallelism) throws Exception {
        Checkpoint from = newest;
        OptionalLong restored = from == null ? OptionalLong.empty() : OptionalLong.of(from.id());
        writers = new ArrayList<>();
        committer = new RowCommitter(
                plan.store(),
                plan.run(),
                from == null ? null : from.id(),
                new RowCommitter.Environment(
                        store.connect(),
                        task::getCurrentProcessingTime,
                        plan.pause(),
                        random::nextDouble,
                        new UnregisteredMetricsGroup()));
        // As Flink does: the committer, at the end of the chain, is there before the writer.
        pending = from == null ? new ArrayList<>() : new ArrayList<>(from.pending());
        position = from == null ? 0 : from.position();
        lastId = Math.max(lastId, from == null ? 0 : from.id());
        commitUpTo(restored.orElse(0));
        line = plan.begin(from == null ? null : new CheckpointLineage.Start.Restored(from.line(), from.id()));
        for (int i = 0; i < parallelism; i++) {
            writers.add(new RowWriter(
                    plan.store().limits(),
                    plan.store().backoff(),
                    new RowWriter.Environment(
                            FakeStore.NAME,
                            FakeStore.TABLE,
                            store.connect(),
                            plan.store().encoder(),
                            task,
                            task,
                            random::nextDouble,
                            new UnregisteredMetricsGroup(),
                            (event, why) -> rejected.add(event.event().id()))));
        }
    }

    void write(int events) throws Exception {
        for (int i = 0; i < events; i++) {
            EnrichedEvent event = Samples.enriched(position + 1, 1);
            writers.get((int) (position % writers.size())).write(event);
            position++;
        }
    }

    private void pause(Duration time) {
        try {
            task.pass(time.toMillis());
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    void pass(long millis) throws Exception {
        task.pass(millis);
    }

    /** A checkpoint is taken by all tasks; it may still not complete. */
    Checkpoint snapshot() throws Exception {
        lastId++;
        for (RowWriter writer : writers) {
            for (RowWriter.Range range : writer.prepareCommit()) {
                pending.add(new Appended(range.stream(), range.lastOffset(), range.detail(), lastId, line));
            }
        }
        return new Checkpoint(lastId, position, List.copyOf(pending), line);
    }

    void completed(Checkpoint checkpoint) {
        newest = checkpoint;
        completedPosition = checkpoint.position();
    }

    /** The committer is told that a checkpoint completed. */
    void commitUpTo(long checkpoint) throws Exception {
        List<Committer.CommitRequest<Appended>> due = new ArrayList<>();
        pending.stream()
                .filter(appended -> appended.checkpoint() <= checkpoint)
                .forEach(appended -> due.add(new Request(appended)));
        if (!due.isEmpty() && committer != null) {
            committer.commit(due);
        }
        pending.removeIf(appended -> appended.checkpoint() <= checkpoint);
    }

    /** The tasks end; those of a zombie go on to wait for what never comes. */
    void kill() {
        writers.forEach(RowWriter::close);
    }

    /** A request as Flink makes them. */
    static final class Request implements Committer.CommitRequest<Appended> {

        private final Appended appended;
        boolean alreadyCommitted;

        @Nullable
        Throwable failure;

        Request(Appended appended) {
            this.appended = appended;
        }

        @Override
        public Appended getCommittable() {
            return appended;
        }

        @Override
        public int getNumberOfRetries() {
            return 0;
        }

        @Override
        public void signalFailedWithKnownReason(Throwable t) {
            failure = t;
        }

        @Override
        public void signalFailedWithUnknownReason(Throwable t) {
            throw new AssertionError(t);
        }

        @Override
        public void retryLater() {
            throw new AssertionError("Flink repeats at once, and ten times only");
        }

        @Override
        public void updateAndRetryLater(Appended committable) {
            throw new AssertionError();
        }

        @Override
        public void signalAlreadyCommitted() {
            alreadyCommitted = true;
        }
    }
}
