package dev.engagement.api.read;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A store does not answer now, or has not got what is asked for yet. The message is for the log: it may name addresses, and no secret. */
public final class UnavailableException extends Exception {

    private static final long serialVersionUID = 1L;

    private final String store;
    private final Duration retryAfter;
    private final String saying;

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
        this(store, retryAfter, store + " does not answer now", message, cause);
    }

    private UnavailableException(
            String store, Duration retryAfter, String saying, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.store = store;
        this.retryAfter = retryAfter;
        this.saying = saying;
    }

    /**
     * A store that answers, and has not got what is asked for.
     *
     * @param saying a sentence for who asked: it names no address
     */
    static UnavailableException saying(String store, Duration retryAfter, String saying, @Nullable Throwable cause) {
        String message = cause == null ? saying : saying + ": " + cause.getMessage();
        return new UnavailableException(store, retryAfter, saying, message, cause);
    }

    /** Which store, for people. */
    public String store() {
        return store;
    }

    /** What is the matter, a sentence for who asked. */
    public String saying() {
        return saying;
    }

    /** After which to try again. */
    public Duration retryAfter() {
        return retryAfter;
    }
}
