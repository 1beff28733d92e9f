package dev.engagement.rowstore;

import org.apache.flink.runtime.throwable.ThrowableAnnotation;
import org.apache.flink.runtime.throwable.ThrowableType;
import org.jspecify.annotations.Nullable;

/** Going on would lose or double rows, or cannot succeed: somebody has to do something, and no restart helps. */
@ThrowableAnnotation(ThrowableType.NonRecoverableError)
public final class RowStoreRefusedException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** With what is to be done. */
    public RowStoreRefusedException(String message) {
        super(message);
    }

    /** With what is to be done, and why. */
    public RowStoreRefusedException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
