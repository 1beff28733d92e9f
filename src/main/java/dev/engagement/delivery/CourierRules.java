package dev.engagement.delivery;

import java.io.Serializable;
import java.time.Duration;

/**
 * How a courier works: the options of delivery as it needs them.
 *
 * @param timeoutMillis the longest an attempt may take
 * @param maxAttempts answered attempts before an event is given up
 * @param maxInFlight requests on their way at once
 * @param maxBytes bytes of bodies held, on their way or waiting
 * @param backoffFirstMillis the most before the first retry
 * @param backoffMostMillis the most before any retry
 * @param batchSize events in a request; of more than 1 requests are JSON arrays
 * @param batchLingerMillis the longest wait for a batch to fill
 * @param success which answers are a success
 */
record CourierRules(
        long timeoutMillis,
        int maxAttempts,
        int maxInFlight,
        long maxBytes,
        long backoffInitialMillis,
        long backoffMaxMillis,
        int batchSize,
        long batchLingerMillis,
        DeliveryOptions.Success success)
        implements Serializable {

    private static final long serialVersionUID = 1L;

    private static final int MAX_DOUBLINGS = 30;

    /** What the options say. */
    static CourierRules of(DeliveryOptions options) {
        return new CourierRules(
                options.attempts().timeout().toMillis(),
                options.attempts().max(),
                options.inFlight().requests(),
                options.inFlight().bytes().getBytes(),
                options.attempts().backoffInitial().toMillis(),
                options.attempts().backoffMax().toMillis(),
                options.batch().size(),
                options.batch().linger().toMillis(),
                options.success());
    }

    /** {@link #timeoutMillis} as a person would say it. */
    String timeoutText() {
        return timeoutMillis % 1_000 == 0 ? Duration.ofMillis(timeoutMillis).toSeconds() + " s" : timeoutMillis + " ms";
    }

    /**
     * Milliseconds before a retry: exponential with full jitter, so that those who failed together do not return together.
     *
     * @param tries so far, at least 1
     * @param random within [0, 1)
     * @return from 0 to {@code min(most, first * 2^(tries - 1))}
     */
    long backoffMillis(int tries, double random) {
        long doubled = backoffInitialMillis << Math.min(tries - 1, MAX_DOUBLINGS);
        long max = doubled < 0 ? backoffMaxMillis : Math.min(doubled, backoffMaxMillis);
        return (long) (random * (max + 1));
    }
}
