package dev.engagement.rowstore;

import dev.engagement.connection.Backoff;
import dev.engagement.connection.Pause;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends requests to a store, and again what fails in a way that passes by itself. Blocking.
 *
 * @param backoff before a repetition
 * @param timeout of a request with its repetitions; none begins later
 * @param pause waits
 * @param nanoTime as {@link System#nanoTime()}
 */
public record Retries(Backoff backoff, Duration timeout, Pause pause, LongSupplier nanoTime) {

    private static final Logger LOG = LoggerFactory.getLogger(Retries.class);

    /** By this machine's time. */
    public Retries(Backoff backoff, Duration timeout, Pause pause) {
        this(backoff, timeout, pause, System::nanoTime);
    }

    /** What is sent. */
    @FunctionalInterface
    public interface Request<T extends @Nullable Object> {
        T send() throws StoreRequestException, InterruptedException;
    }

    /**
     * The answer.
     *
     * @throws StoreRequestException the newest failure, if it does not pass by itself, or not in time
     */
    public <T extends @Nullable Object> T send(Request<T> request) throws StoreRequestException, InterruptedException {
        long until = nanoTime.getAsLong() + timeout.toNanos();
        for (int failures = 1; ; failures++) {
            try {
                return request.send();
            } catch (StoreRequestException e) {
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
