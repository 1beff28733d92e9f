package dev.engagement.api.web;

import java.time.Duration;
import java.util.concurrent.Semaphore;

/**
 * How many requests of one kind may hold a thread at once. Nobody waits for a place: that would take a thread as well.
 * Thread-safe.
 */
final class Bulkhead {

    /** A place; closing it gives it back. */
    interface Place extends AutoCloseable {
        @Override
        void close();
    }

    private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

    private final String kind;
    private final Semaphore places;

    /**
     * Without anybody.
     *
     * @param kind of its requests, as part of a sentence
     * @param max at once
     */
    Bulkhead(String kind, int max) {
        this.kind = kind;
        this.places = new Semaphore(max);
    }

    /**
     * Takes a place.
     *
     * @throws ProblemException if there is none
     */
    Place enter() {
        if (!places.tryAcquire()) {
            throw Problems.unavailable("There are as many " + kind + " under way as there may be", RETRY_AFTER)
                    .exception();
        }
        return places::release;
    }
}
