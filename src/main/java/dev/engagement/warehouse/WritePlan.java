package dev.engagement.warehouse;

import dev.engagement.connection.Backoff;
import dev.engagement.connection.Pause;
import java.io.Serializable;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.apache.flink.metrics.MetricGroup;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What writers and committers of one run share.
 *
 * @param options where and how
 * @param eventsTopic named in dead letters
 * @param run this run of the job: made when it is submitted, kept over its restarts
 * @param limits of each writer
 * @param backoff before repetitions
 * @param pause for those who have nothing else to do: a start, and a commit, for which Flink has no later
 * @param writes how rows are written
 * @param tables how tables are described
 */
record WritePlan(
        WarehouseOptions options,
        String eventsTopic,
        String run,
        WarehouseWriter.Limits limits,
        Backoff backoff,
        Pause pause,
        Connector<WriteApi> writes,
        Connector<TableApi> tables)
        implements Serializable {

    private static final long serialVersionUID = 1L;

    private static final Logger LOG = LoggerFactory.getLogger(WritePlan.class);

    /** How long a start waits for the REST interface, before it counts as a failed one. */
    private static final Duration START_TIMEOUT = Duration.ofMinutes(1);

    private static final Backoff BACKOFF = new Backoff(Duration.ofMillis(100), Duration.ofSeconds(10));

    /** Over Google's client and REST. */
    static WritePlan of(WarehouseOptions options, String eventsTopic, String run) {
        return new WritePlan(
                options,
                eventsTopic,
                run,
                WarehouseWriter.Limits.of(options),
                BACKOFF,
                Pause.real(),
                GoogleWriteApi::new,
                RestTable::new);
    }

    /** Sees to the table, on whatever machine. */
    TableApi.Table prepareTable() throws WarehouseException, InterruptedException {
        TableApi api = tables.connect(options);
        return patiently(() -> WarehouseTable.prepare(api, options));
    }

    /**
     * Sees to the table, and whether this run may write to it.
     *
     * @param restored what the run was started from, or null
     * @throws WarehouseRefusedException if it may not
     */
    CheckpointLineage begin(CheckpointLineage.Start.@Nullable Restored restored)
            throws WarehouseException, InterruptedException {
        TableApi api = tables.connect(options);
        return patiently(() -> {
            TableApi.Table table = WarehouseTable.prepare(api, options);
            CheckpointLineage.Start start = new CheckpointLineage.Start(run, restored, LineMarks.on(table));
            try {
                return CheckpointLineage.begin(start, api::hasRows);
            } catch (CheckpointLineage.Broken e) {
                String text = e.text(options.tableName(), restored == null ? null : restored.checkpoint());
                if (!options.acceptDuplicates()) {
                    throw new WarehouseRefusedException(text);
                }
                LOG.warn("Going on because of --accept-warehouse-duplicates. {}", text);
                return CheckpointLineage.beginAnyway(start);
            }
        });
    }

    WarehouseCommitter committer(OptionalLong restoredCheckpoint, MetricGroup metrics) {
        return new WarehouseCommitter(
                options,
                run,
                backoff,
                restoredCheckpoint.isPresent() ? (Long) restoredCheckpoint.getAsLong() : null,
                new WarehouseCommitter.Environment(
                        writes.connect(options),
                        tables,
                        () -> TimeUnit.NANOSECONDS.toMillis(System.nanoTime()),
                        pause,
                        () -> ThreadLocalRandom.current().nextDouble(),
                        metrics));
    }

    private <T> T patiently(Retries.Request<T> request) throws WarehouseException, InterruptedException {
        try {
            return new Retries(backoff, START_TIMEOUT, pause).send(request);
        } catch (TableApi.TableException e) {
            throw new WarehouseException(
                    "The warehouse table " + options.tableName() + " is not ready: " + e.getMessage()
                            + ". Check warehouse.project, dataset, endpoint, credentials and rights"
                            + " (bigquery.dataEditor on the dataset)",
                    e);
        }
    }
}
