package dev.engagement.local;

import org.jspecify.annotations.Nullable;

/** A local server that does not start, answer or stop; the message holds the end of its log. */
public final class ServerException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    ServerException(String message) {
        super(message);
    }

    ServerException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
