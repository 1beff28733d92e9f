package dev.engagement.backfill;

import dev.engagement.warehouse.WarehouseIds;
import dev.engagement.warehouse.WarehouseOptions;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.flink.api.common.JobExecutionResult;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.core.execution.JobListener;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches a rebuild from the client that submitted it, and settles its account when it has ended: rows read = rows written
 * + dead letters, where the rows written are counted in the warehouse itself if there is one.
 */
public final class RebuildReport implements JobListener {

    private static final Logger LOG = LoggerFactory.getLogger(RebuildReport.class);

    private static final Duration INTERVAL = Duration.ofMillis(500);
    private static final Duration LOG_INTERVAL = Duration.ofSeconds(10);

    private final ProgressReport report;
    private final long estimated;
    private final @Nullable WarehouseOptions warehouse;

    /**
     * A report.
     *
     * @param estimated how many rows there are to be read
     * @param warehouse the rebuilt table, or null if there is none
     */
    public RebuildReport(ProgressReport report, long estimated, @Nullable WarehouseOptions warehouse) {
        this.report = report;
        this.estimated = estimated;
        this.warehouse = warehouse;
    }

    /** Waits, attached or not: whoever rebuilds wants to know how it ended. */
    @Override
    public void onJobSubmitted(@Nullable JobClient client, @Nullable Throwable failure) {
        if (client == null) {
            return;
        }
        long start = System.nanoTime();
        long logged = start;
        var result = client.getJobExecutionResult();
        while (!result.isDone()) {
            try {
                result.get(INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                String text = progress(client, start);
                report.progress(text);
                if (System.nanoTime() - logged > LOG_INTERVAL.toNanos()) {
                    logged = System.nanoTime();
                    LOG.info("{}", text);
                }
            } catch (ExecutionException e) {
                // The caller asks for the result as well, and gets it.
                return;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
        if (!result.isCompletedExceptionally()) {
            settle(result.join());
        }
    }

    private String progress(JobClient client, long start) {
        long read = 0;
        try {
            Map<String, Object> so = client.getAccumulators().get(INTERVAL.toMillis() * 4, TimeUnit.MILLISECONDS);
            read = count(so, RowCount.READ);
        } catch (ExecutionException | TimeoutException e) {
            LOG.debug("The job does not say how far it is", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return new Progress(read, Math.max(read, estimated), Duration.ofNanos(System.nanoTime() - start)).text();
    }

    private static long count(Map<String, Object> accumulators, String name) {
        return accumulators.get(name) instanceof Long value ? value : 0;
    }

    private void settle(JobExecutionResult result) {
        Map<String, Object> counts = result.getAllAccumulatorResults();
        long read = count(counts, RowCount.READ);
        long given = count(counts, RowCount.GIVEN);
        long letters = count(counts, RowCount.LETTERS);
        long written = written(given);
        report.line(String.format("%,d rows read = %,d written + %,d dead letters", read, written, letters));
        if (read != written + letters) {
            throw new BackfillException(
                    String.format(
                            "The account does not balance: %,d rows were read, the destinations were given %,d, %,d are"
                                    + " written and %,d became dead letters. Do not use what was rebuilt; rebuild into"
                                    + " other destinations",
                            read, given, written, letters),
                    null);
        }
        report.line(new Outcome(written, letters).line());
    }

    private long written(long given) {
        if (warehouse == null) {
            return given;
        }
        try {
            return WarehouseIds.of(warehouse).rows();
        } catch (IOException e) {
            throw new BackfillException(String.valueOf(e.getMessage()), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BackfillException("Interrupted while the rows of the warehouse were counted", e);
        }
    }

    @Override
    public void onJobExecuted(@Nullable JobExecutionResult result, @Nullable Throwable failure) {
        // Settled already, or failed.
    }
}
