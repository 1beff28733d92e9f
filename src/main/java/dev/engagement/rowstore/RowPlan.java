package dev.engagement.rowstore;

import dev.engagement.connection.Pause;
import dev.engagement.deadletter.DeadLetter;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.metrics.MetricGroup;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What writers and committers of one run share.
 *
 * @param store where rows go
 * @param eventsTopic named in dead letters
 * @param run this run of the job: made when it is submitted, kept over its restarts
 * @param pause for those who have nothing else to do: a start, and a commit, for which Flink has no later
 */
public record RowPlan(RowStore store, String eventsTopic, String run, Pause pause) implements Serializable {

    private static final long serialVersionUID = 1L;

    private static final Logger LOG = LoggerFactory.getLogger(RowPlan.class);

    /** How long a start waits for the table, before it counts as a failed one. */
    private static final Duration START_TIMEOUT = Duration.ofMinutes(1);

    /**
     * Sees to the table, on whatever machine.
     *
     * @throws RowStoreRefusedException if it does not fit
     * @throws RowStoreException if the store does not answer or refuses
     */
    public void prepareTable() throws RowStoreException, InterruptedException {
        StoreTable table = store.open(store.table());
        var unused = patiently(table::prepare);
    }

    /**
     * Sees to the table, and whether this run may write to it.
     *
     * @param restored what the run was started from, or null
     * @throws RowStoreRefusedException if it may not
     */
    CheckpointLineage begin(CheckpointLineage.Start.@Nullable Restored restored)
            throws RowStoreException, InterruptedException {
        StoreTable table = store.open(store.table());
        return patiently(() -> {
            CheckpointLineage.Start start = new CheckpointLineage.Start(run, restored, table.prepare());
            try {
                return CheckpointLineage.begin(start, table::hasRows);
            } catch (CheckpointLineage.Broken e) {
                String text = e.text(store.name(), store.table(), restored == null ? null : restored.checkpoint());
                if (!store.acceptsDuplicates()) {
                    throw new RowStoreRefusedException(text);
                }
                LOG.warn("Going on because of {}. {}", store.name().acceptDuplicates(), text);
                return CheckpointLineage.beginAnyway(start);
            }
        });
    }

    /** The line, which all subtasks share: one of them stores it, all read it. */
    ListStateDescriptor<CheckpointLineage> line() {
        return new ListStateDescriptor<>(store.name().destination() + "-line", store.lineType());
    }

    List<DeadLetter.Header> letterHeaders(long checkpoint) {
        return letterHeaders(store.name(), run, checkpoint);
    }

    /** What a letter says of its row: refused in that run, before that checkpoint. */
    public static List<DeadLetter.Header> letterHeaders(StoreName name, String run, long checkpoint) {
        return List.of(header(runHeader(name), run), header(checkpointHeader(name), Long.toString(checkpoint)));
    }

    /** Header of a REJECTED letter that names the run. */
    public static String runHeader(StoreName name) {
        return name.destination() + "-run";
    }

    /** Header of a REJECTED letter that names the checkpoint. */
    public static String checkpointHeader(StoreName name) {
        return name.destination() + "-checkpoint";
    }

    private static DeadLetter.Header header(String key, String value) {
        return new DeadLetter.Header(key, value.getBytes(StandardCharsets.UTF_8));
    }

    RowCommitter committer(OptionalLong restoredCheckpoint, MetricGroup metrics) {
        return new RowCommitter(
                store,
                run,
                restoredCheckpoint.isPresent() ? (Long) restoredCheckpoint.getAsLong() : null,
                new RowCommitter.Environment(
                        store.connect(),
                        () -> TimeUnit.NANOSECONDS.toMillis(System.nanoTime()),
                        pause,
                        () -> ThreadLocalRandom.current().nextDouble(),
                        metrics));
    }

    private <T extends @Nullable Object> T patiently(Retries.Request<T> request)
            throws RowStoreException, InterruptedException {
        try {
            return new Retries(store.backoff(), START_TIMEOUT, pause).send(request);
        } catch (StoreRequestException e) {
            throw new RowStoreException(
                    "The " + store.name().destination() + " table " + store.table() + " is not ready: " + e.getMessage()
                            + ". Check " + store.advice(),
                    e);
        }
    }
}
