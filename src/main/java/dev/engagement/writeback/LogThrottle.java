package dev.engagement.writeback;

import java.time.Duration;

/** Says when something that happens often is worth a line in the log: the first time, then once per interval. */
public final class LogThrottle {

    private final long intervalMillis;
    private long next = Long.MIN_VALUE;

    /** Worth a line once per {@code interval}. */
    public LogThrottle(Duration interval) {
        this.intervalMillis = interval.toMillis();
    }

    /** Whether it is worth a line now; if so, the interval begins. */
    public boolean isDue(long nowMillis) {
        if (nowMillis < next) {
            return false;
        }
        next = nowMillis + intervalMillis;
        return true;
    }
}
