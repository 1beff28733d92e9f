package dev.engagement.rowstore;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** The store does not take rows now; the job restarts from its last checkpoint. The message says what the store said. */
public final class RowStoreException extends IOException {

    private static final long serialVersionUID = 1L;

    /** With what the store said. */
    public RowStoreException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
