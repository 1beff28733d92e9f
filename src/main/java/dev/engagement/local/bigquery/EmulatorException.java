package dev.engagement.local.bigquery;

import org.jspecify.annotations.Nullable;

/** The emulator itself does not work: a folder, a port, its database. */
public final class EmulatorException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    EmulatorException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
