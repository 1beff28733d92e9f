package dev.engagement.delivery;

import java.util.Optional;

/**
 * A look, from the client, at what delivery needs on the machines where the job runs: a malformed secret is better told to
 * who starts the job than to who reads its logs. The receiver itself is not asked: one that is away keeps no job from
 * starting.
 */
public final class DeliveryPreflight {
    private DeliveryPreflight() {}

    /**
     * Reads secrets and trust store, as far as they are here.
     *
     * @return a warning of one line if one of them cannot be read here: it may be there where the job runs
     * @throws IllegalArgumentException if a secret is malformed; the message names the option and never shows it
     */
    public static Optional<String> check(DeliveryOptions options) {
        try {
            new ReceiverSecrets(options.secrets());
            TrustStores.context(options.security());
            return Optional.empty();
        } catch (IllegalStateException e) {
            return Optional.of("Delivery to " + options.receiver() + " could not be checked from here. "
                    + e.getMessage() + ". The job needs it on every TaskManager");
        }
    }
}
