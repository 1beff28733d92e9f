package dev.engagement.connection;

import java.io.Serializable;
import java.time.Duration;

/**
 * How long to wait before a retry: exponential, with jitter, so that writers that lost the same server do not return to it
 * in step.
 *
 * @param first before the first retry, at most
 * @param max before any retry
 */
public record Backoff(Duration first, Duration max) implements Serializable {

    private static final long serialVersionUID = 1L;

    private static final int MAX_DOUBLINGS = 30;

    /**
     * Milliseconds before a retry.
     *
     * @param failures in a row, at least 1
     * @param random within [0, 1)
     * @return between half of {@code min(most, first * 2^(failures - 1))} and all of it
     */
    public long delayMillis(int failures, double random) {
        long doubled = first.toMillis() << Math.min(failures - 1, MAX_DOUBLINGS);
        long whole = Math.min(doubled, max.toMillis());
        return whole / 2 + (long) (random * (whole - whole / 2 + 1));
    }
}
