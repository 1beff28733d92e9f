package dev.engagement.local.receiver;

import org.jspecify.annotations.Nullable;

/** A receiver that does not start, or whose file cannot be read or written. */
public final class ReceiverException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    ReceiverException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
