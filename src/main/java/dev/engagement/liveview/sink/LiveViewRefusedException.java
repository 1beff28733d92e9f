package dev.engagement.liveview.sink;

import org.apache.flink.util.FlinkRuntimeException;
import org.jspecify.annotations.Nullable;

/** Redis refuses: somebody has to do something. The message says what. */
public final class LiveViewRefusedException extends FlinkRuntimeException {

    private static final long serialVersionUID = 1L;

    LiveViewRefusedException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
