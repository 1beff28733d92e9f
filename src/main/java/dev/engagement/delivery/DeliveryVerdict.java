package dev.engagement.delivery;

/** What an answer means: delivered, to be tried again, or final. Written once, here. */
final class DeliveryVerdict {
    private DeliveryVerdict() {}

    static Verdict of(Answer answer, SuccessRule rule, long nowMillis) {
        throw new UnsupportedOperationException();
    }
}
