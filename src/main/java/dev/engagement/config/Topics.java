package dev.engagement.config;

import java.util.List;

/**
 * The names of the topics.
 *
 * @param events engagement events, written by capture
 * @param content contents, written by capture, compacted
 * @param deadLetters what could not be processed
 * @param deadLettersRedriven which of them were put back, compacted
 * @param deliveryRetry deliveries that were diverted from the live path
 * @param deliveryReceipts what was delivered, compacted
 */
public record Topics(
        String events,
        String content,
        String deadLetters,
        String deadLettersRedriven,
        String deliveryRetry,
        String deliveryReceipts) {

    public Topics {
        List<String> all = List.of(events, content, deadLetters, deadLettersRedriven, deliveryRetry, deliveryReceipts);
        for (int i = 0; i < all.size(); i++) {
            for (int j = 0; j < i; j++) {
                if (all.get(i).equals(all.get(j))) {
                    throw new IllegalArgumentException("kafka.topics." + NAMES.get(j) + " and kafka.topics."
                            + NAMES.get(i) + " are both '" + all.get(i) + "'; each needs a topic of its own");
                }
            }
        }
    }

    private static final List<String> NAMES = List.of(
            "events", "content", "dead-letters", "dead-letters-redriven", "delivery-retry", "delivery-receipts");
}
