package dev.engagement.delivery;

import org.jspecify.annotations.Nullable;

/** What an {@link Answer} means for the delivery. */
sealed interface Verdict {

    /** The receiver has it. */
    record Delivered(int status) implements Verdict {}

    /**
     * To be tried again.
     *
     * @param noAnswer why the attempt does not count towards {@code delivery.max-attempts}; null if the receiver did answer
     * @param notBeforeMillis when the receiver wants to be asked again at the earliest, in epoch milliseconds; 0 if it
     *     did not say
     * @param why what the receiver said, for people, bounded
     * @param status the HTTP status, 0 if there was none
     */
    record Retry(@Nullable NoAnswer noAnswer, long notBeforeMillis, String why, int status) implements Verdict {

        /** Whether it counts towards {@code delivery.max-attempts}. */
        boolean answered() {
            return noAnswer == null;
        }
    }

    /**
     * Never to be tried again: a dead letter.
     *
     * @param why what the receiver said, for people, bounded
     */
    record Final(int status, String why) implements Verdict {}
}
