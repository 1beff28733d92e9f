package dev.engagement.warehouse;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** The warehouse does not take rows now; the job restarts from its last checkpoint. The message says what BigQuery said. */
final class WarehouseException extends IOException {

    private static final long serialVersionUID = 1L;

    WarehouseException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
