package dev.engagement.api.web;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/** How many live clients there may be, of whatever kind. Thread-safe. */
public final class LiveSeats {

    private static final Duration RETRY_AFTER = Duration.ofSeconds(10);

    private final int max;
    private final AtomicInteger taken = new AtomicInteger();

    /** @param max at once */
    public LiveSeats(int max) {
        this.max = max;
    }

    /**
     * Takes one, which {@link #free} gives back.
     *
     * @throws ProblemException if there is none
     */
    void take() {
        if (taken.incrementAndGet() > max) {
            taken.decrementAndGet();
            throw Problems.unavailable("There are as many live clients as there may be", RETRY_AFTER)
                    .exception();
        }
    }

    /** Gives one back. */
    void free() {
        taken.decrementAndGet();
    }

    /** How many there are. */
    public int taken() {
        return taken.get();
    }
}
