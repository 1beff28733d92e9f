package dev.engagement.warehouse;

import dev.engagement.connection.Backoff;
import dev.engagement.connection.Pause;
import dev.engagement.warehouse.TableApi.TableException;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends requests to BigQuery's REST interface, and again what fails in a way that passes by itself. Blocking.
 *
 * @param backoff before a repetition
 * @param timeout of a request with its repetitions; none begins later
 * @param pause waits
 * @param nanoTime as {@link System#nanoTime()}
 */
record Retries(Backoff backoff, Duration timeout, Pause pause, LongSupplier nanoTime) {

    private static final Logger LOG = LoggerFactory.getLogger(Retries.class);

    /** By this machine's time. */
    Retries(Backoff backoff, Duration timeout, Pause pause) {
        this(backoff, timeout, pause, System::nanoTime);
    }

    /** What is sent. */
    @FunctionalInterface
    interface Request<T extends @Nullable Object> {
        T send() throws TableException, InterruptedException;
    }

    /**
     * The answer.
     *
     * @throws TableException the newest failure, if it does not pass by itself, or not in time
     */
    <T extends @Nullable Object> T send(Request<T> request) throws TableException, InterruptedException {
        long until = nanoTime.getAsLong() + timeout.toNanos();
        for (int failures = 1; ; failures++) {
            try {
                return request.send();
            } catch (TableException e) {
                if (!e.isPassing() || nanoTime.getAsLong() - until > 0) {
                    throw e;
                }
                LOG.warn("{}; asking again", e.getMessage());
                pause.of(Duration.ofMillis(backoff.delayMillis(
                        failures, ThreadLocalRandom.current().nextDouble())));
            }
        }
    }
}
