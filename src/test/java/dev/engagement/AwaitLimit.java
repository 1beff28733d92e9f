package dev.engagement;

import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * How long a test waits that says nothing of its own: minutes, since that is a guard against hanging and no verdict on how
 * fast the machine is; and it looks often, so that nobody waits for longer than what he waits for. Of every test, by
 * {@code META-INF/services}.
 */
public final class AwaitLimit implements BeforeAllCallback {

    /** What passes at all passes within a small part of it. */
    static final Duration LIMIT = Duration.ofMinutes(5);

    private static final Duration POLL = Duration.ofMillis(50);

    @Override
    public void beforeAll(ExtensionContext test) {
        Awaitility.setDefaultTimeout(LIMIT);
        Awaitility.setDefaultPollInterval(POLL);
        Awaitility.setDefaultPollDelay(Duration.ZERO);
    }
}
