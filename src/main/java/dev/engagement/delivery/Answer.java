package dev.engagement.delivery;

import org.jspecify.annotations.Nullable;

/** How an attempt ended. */
sealed interface Answer {

    /**
     * The receiver answered with a status.
     *
     * @param status the HTTP status
     * @param retryAfter the header {@code Retry-After} as it came, null without one
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
     * There was no status: no connection, no TLS, a reset, a timeout.
     *
     * @param why what happened, for people, bounded
     */
    record Unanswered(String why) implements Answer {}
}
