package dev.engagement.rowstore;

import org.jspecify.annotations.Nullable;

/** A request was not answered, or not as hoped. */
public final class StoreRequestException extends Exception {

    private static final long serialVersionUID = 1L;

    private final boolean passing;
    private final int status;

    /**
     * One without an answer.
     *
     * @param passing whether to repeat it may help
     */
    public StoreRequestException(String message, boolean passing, @Nullable Throwable cause) {
        this(message, passing, 0, cause);
    }

    /**
     * One with an answer.
     *
     * @param passing whether to repeat it may help
     * @param status the HTTP status of the answer; 0 if there was none
     */
    public StoreRequestException(String message, boolean passing, int status, @Nullable Throwable cause) {
        super(message, cause);
        this.passing = passing;
        this.status = status;
    }

    /** The HTTP status of the answer; 0 if there was none. */
    public int status() {
        return status;
    }

    /** Whether to repeat it may help. */
    public boolean isPassing() {
        return passing;
    }
}
