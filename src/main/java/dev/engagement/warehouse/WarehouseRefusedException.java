package dev.engagement.warehouse;

import org.apache.flink.runtime.throwable.ThrowableAnnotation;
import org.apache.flink.runtime.throwable.ThrowableType;
import org.jspecify.annotations.Nullable;

/** Going on would lose or double rows, or cannot succeed: somebody has to do something, and no restart helps. */
@ThrowableAnnotation(ThrowableType.NonRecoverableError)
public final class WarehouseRefusedException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    WarehouseRefusedException(String message) {
        super(message);
    }

    WarehouseRefusedException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
