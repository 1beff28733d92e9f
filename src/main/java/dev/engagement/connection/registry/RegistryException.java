package dev.engagement.connection.registry;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * A registry did not answer, or not what was asked: nothing is known of the schema, and asking again may help. The message
 * names the registry and what would help, and holds no secret.
 */
public final class RegistryException extends IOException {

    private static final long serialVersionUID = 1L;

    public RegistryException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
