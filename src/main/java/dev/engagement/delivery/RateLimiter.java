package dev.engagement.delivery;

import java.time.Duration;

/**
 * How fast the drain may post: a token bucket whose rate grows from a trickle to its full rate, so that a receiver that has
 * just recovered is not stampeded. Confined to one thread.
 */
final class RateLimiter {

    /** From the trickle to the full rate. */
    static final Duration RAMP = Duration.ofSeconds(20);

    /** Events per second at the start. */
    static final double TRICKLE = 1;

    /** Tokens of this time may be spent at once: a reader that gets its turn late does not become slower by that. */
    private static final double BURST_SECONDS = 0.5;

    private static final double MILLIS = 1_000;

    private final double fullRate;
    private final double minBurst;
    private long startedMillis;
    private long filledMillis;
    private double tokens = 1;

    /**
     * A limiter that begins now.
     *
     * @param fullRate events per second
     * @param max events that are asked for at once
     */
    RateLimiter(double fullRate, int max, long nowMillis) {
        this.fullRate = fullRate;
        this.minBurst = max;
        this.startedMillis = nowMillis;
        this.filledMillis = nowMillis;
    }

    /** Begins with the trickle again. */
    void restart(long nowMillis) {
        startedMillis = nowMillis;
        filledMillis = nowMillis;
        tokens = 1;
    }

    /** Whether {@code events} may be posted now. */
    boolean allows(int events, long nowMillis) {
        fill(nowMillis);
        return tokens >= events;
    }

    /** Says that {@code events} are posted. */
    void take(int events, long nowMillis) {
        fill(nowMillis);
        tokens -= events;
    }

    /** Milliseconds until {@code events} are allowed, at least 1: an estimate that is asked for again. */
    long millisUntil(int events, long nowMillis) {
        fill(nowMillis);
        return Math.max(1, (long) Math.ceil((events - tokens) / rate(nowMillis) * MILLIS));
    }

    /** Events per second at a moment. */
    double rate(long nowMillis) {
        double share = Math.min(1, Math.max(0, nowMillis - startedMillis) / (double) RAMP.toMillis());
        double first = Math.min(TRICKLE, fullRate);
        return first + (fullRate - first) * share;
    }

    private void fill(long nowMillis) {
        long passed = nowMillis - filledMillis;
        if (passed > 0) {
            // The rate in the middle is the mean of a rate that grows evenly.
            double rate = rate(filledMillis + passed / 2);
            tokens = Math.min(Math.max(minBurst, rate * BURST_SECONDS), tokens + rate * passed / MILLIS);
        }
        filledMillis = nowMillis;
    }
}
