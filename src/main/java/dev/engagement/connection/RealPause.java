package dev.engagement.connection;

import java.time.Duration;

/** The one place that sleeps. */
enum RealPause implements Pause {
    INSTANCE;

    private static final long ROUNDING_UP_NANOS = 999_999;

    @Override
    public void of(Duration time) throws InterruptedException {
        Thread.sleep(Math.max(0, time.plusNanos(ROUNDING_UP_NANOS).toMillis()));
    }
}
