package dev.engagement.ingest;

import java.io.IOException;

/** Bytes are not what their schema says, or the schema is not one that can be read by. The message says which and where. */
final class UnreadableValueException extends IOException {

    private static final long serialVersionUID = 1L;

    UnreadableValueException(String message) {
        super(message);
    }

    UnreadableValueException(String message, Throwable cause) {
        super(message, cause);
    }

    /** Met for each record of a bad producer: its trace would say nothing. */
    @Override
    public synchronized Throwable fillInStackTrace() {
        return this;
    }
}
