package dev.engagement.api.read;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A store does not answer now. The message is for the log: it may name addresses, and no secret. */
public final class UnavailableException extends Exception {

    private static final long serialVersionUID = 1L;

    private final String store;
    private final Duration retryAfter;

    /**
     * A store that says nothing.
     *
     * @param store its name, for people: {@code Redis}, {@code PostgreSQL}
     * @param retryAfter after which to try again
     */
    public UnavailableException(String store, Duration retryAfter) {
        this(store, retryAfter, store + " does not answer now", null);
    }

    /** As {@link #UnavailableException(String, Duration)}, with what went wrong. */
    public UnavailableException(String store, Duration retryAfter, @Nullable Throwable cause) {
        this(
                store,
                retryAfter,
                store + " does not answer now" + (cause == null ? "" : ": " + cause.getMessage()),
                cause);
    }

    /** As {@link #UnavailableException(String, Duration)}, with a message and what went wrong. */
    public UnavailableException(String store, Duration retryAfter, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.store = store;
        this.retryAfter = retryAfter;
    }

    /** Which store, for people. */
    public String store() {
        return store;
    }

    /** After which to try again. */
    public Duration retryAfter() {
        return retryAfter;
    }
}
