package dev.engagement.capture;

/** The source is no longer what capture began with; the message says what changed, what is missing and the way on. */
final class SourceChangedException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    SourceChangedException(String message) {
        super(message);
    }
}
