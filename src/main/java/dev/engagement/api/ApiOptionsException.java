package dev.engagement.api;

import java.util.List;

/**
 * The options cannot be used. The message is what the user sees: every problem with the option's name, where its value
 * came from and the way out. It holds no value of a secret. It has no stack trace, which would only hide the text.
 */
public final class ApiOptionsException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** @param problems at least one sentence */
    ApiOptionsException(List<String> problems) {
        super(
                "The options cannot be used; nothing was started:\n  - " + String.join("\n  - ", problems),
                null,
                false,
                false);
    }
}
