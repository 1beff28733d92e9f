package dev.engagement.backfill;

import org.jspecify.annotations.Nullable;

/**
 * A backfill or rebuild did not do what it was to do. The message is what the user sees: what happened, how far it came,
 * and the way out. It has no stack trace, which would only hide the text.
 */
public final class BackfillException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    BackfillException(String message, @Nullable Throwable cause) {
        super(message, cause, false, false);
    }
}
