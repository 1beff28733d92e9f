package dev.engagement.connection.testing;

import dev.engagement.connection.Pause;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** A clock that stands but for the pauses that somebody makes, and what pauses were made. For one thread. */
public final class ManualPause implements Pause {

    private static final long serialVersionUID = 1L;

    private final List<Duration> made = new ArrayList<>();
    private Duration passed = Duration.ZERO;

    @Override
    public void of(Duration time) {
        made.add(time);
        passed = passed.plus(time);
    }

    /** In their order. */
    public List<Duration> made() {
        return List.copyOf(made);
    }

    /** All of them together. */
    public Duration passed() {
        return passed;
    }

    /** What the clock shows, in milliseconds. */
    public long millis() {
        return passed.toMillis();
    }

    /** What the clock shows, in nanoseconds. */
    public long nanoTime() {
        return passed.toNanos();
    }
}
