package dev.engagement.delivery;

import org.jspecify.annotations.Nullable;

/** How an attempt ended. */
sealed interface Answer {

    /**
     * The receiver answered with a status.
     *
     * @param status the HTTP status
     * @param retryAfter the header {@code Retry-After} as it came, null without one, or if the head broke off before it
     * @param body the first {@code delivery.max-response-bytes} of the body at most
     * @param whole whether that is all of the body
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Answered(int status, @Nullable String retryAfter, byte[] body, boolean whole) implements Answer {

        /** Without the body, which may repeat what it was sent. */
        @Override
        public String toString() {
            return "Answered[" + status + ", " + body.length + (whole ? " bytes]" : " bytes and more]");
        }
    }

    /**
     * There was no status.
     *
     * @param kind what sort of thing happened
     * @param why what happened, for people, bounded
     */
    record Unanswered(NoAnswer kind, String why) implements Answer {

        /** Characters of {@link #why} at most, besides the one that says that there were more. */
        static final int LONGEST_WHY = 300;

        /** That, with what is too long cut off. */
        static Unanswered of(NoAnswer kind, String why) {
            return new Unanswered(kind, why.length() <= LONGEST_WHY ? why : why.substring(0, LONGEST_WHY) + "…");
        }

        @Override
        public String toString() {
            return kind.text() + " (" + why + ")";
        }
    }
}
