package dev.engagement.rollup;

import org.jspecify.annotations.Nullable;

/** PostgreSQL cannot hold the rollups as it is: somebody has to do something. The message says what. */
public final class RollupTablesRefusedException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    RollupTablesRefusedException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
