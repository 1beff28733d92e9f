package dev.engagement.warehouse;

import dev.engagement.connection.Backoff;
import java.io.Serializable;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.concurrent.CountDownLatch;
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
 * @param writes how rows are written
 * @param tables how tables are described
 */
record Plan(
        WarehouseOptions options,
        String eventsTopic,
        String run,
        WarehouseWriter.Limits limits,
        Backoff backoff,
        Connector<WriteApi> writes,
        Connector<TableApi> tables)
        implements Serializable {

    private static final long serialVersionUID = 1L;

    private static final Logger LOG = LoggerFactory.getLogger(Plan.class);

    /** How long a start waits for the REST interface, before it counts as a failed one. */
    private static final Duration START_PATIENCE = Duration.ofMinutes(1);

    private static final Backoff BACKOFF = new Backoff(Duration.ofMillis(100), Duration.ofSeconds(10));

    /** Over Google's client and REST. */
    static Plan of(WarehouseOptions options, String eventsTopic, String run) {
        return new Plan(
                options,
                eventsTopic,
                run,
                WarehouseWriter.Limits.of(options),
                BACKOFF,
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
    Line begin(Line.Start.@Nullable Restored restored) throws WarehouseException, InterruptedException {
        TableApi api = tables.connect(options);
        return patiently(() -> {
            TableApi.Table table = WarehouseTable.prepare(api, options);
            Line.Start start = new Line.Start(run, restored, LineMarks.on(table));
            try {
                return Line.begin(start, api::hasRows);
            } catch (Line.Broken e) {
                String text = e.text(options.tableName(), restored == null ? null : restored.checkpoint());
                if (!options.acceptDuplicates()) {
                    throw new WarehouseRefusedException(text);
                }
                LOG.warn("Going on because of --accept-warehouse-duplicates. {}", text);
                return Line.beginAnyway(start);
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
                        Plan::pause,
                        () -> ThreadLocalRandom.current().nextDouble(),
                        metrics));
    }

    private interface Request<T> {
        T send() throws TableApi.TableException, InterruptedException;
    }

    private <T> T patiently(Request<T> request) throws WarehouseException, InterruptedException {
        long until = System.nanoTime() + START_PATIENCE.toNanos();
        for (int failures = 1; ; failures++) {
            try {
                return request.send();
            } catch (TableApi.TableException e) {
                if (!e.isPassing() || System.nanoTime() > until) {
                    throw new WarehouseException(
                            "The warehouse table " + options.tableName() + " is not ready: " + e.getMessage()
                                    + ". Check warehouse.project, dataset, endpoint, credentials and rights"
                                    + " (bigquery.dataEditor on the dataset)",
                            e);
                }
                LOG.warn("{}; asking again", e.getMessage());
                pause(backoff.delayMillis(failures, ThreadLocalRandom.current().nextDouble()));
            }
        }
    }

    /** Interruptible, for those who have nothing else to do: a start, and a commit, for which Flink has no later. */
    private static void pause(long millis) throws InterruptedException {
        boolean unused = new CountDownLatch(1).await(millis, TimeUnit.MILLISECONDS);
    }
}
