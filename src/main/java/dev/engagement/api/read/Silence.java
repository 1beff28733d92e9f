package dev.engagement.api.read;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A store that did not answer is left alone for a moment, so that not everybody who asks meanwhile waits for it.
 * Thread-safe.
 */
final class Silence {

    /** Its return is seen this much later at most. */
    static final Duration PAUSE = Duration.ofSeconds(1);

    private final String store;
    private final LongSupplier ticker;
    private final AtomicReference<@Nullable Until> pause = new AtomicReference<>();

    private record Until(long nanos, String why) {}

    /**
     * Nobody is silent yet.
     *
     * @param store its name, for people
     * @param ticker nanoseconds, monotonic
     */
    Silence(String store, LongSupplier ticker) {
        this.store = store;
        this.ticker = ticker;
    }

    /** The store did not answer, for that reason. */
    void begin(String why) {
        pause.set(new Until(ticker.getAsLong() + PAUSE.toNanos(), why));
    }

    /**
     * Returns if the store may be asked.
     *
     * @throws UnavailableException if it did not answer a moment ago
     */
    void check() throws UnavailableException {
        Until running = pause.get();
        if (running != null && running.nanos - ticker.getAsLong() > 0) {
            throw new UnavailableException(store, PAUSE, running.why, null);
        }
    }
}
