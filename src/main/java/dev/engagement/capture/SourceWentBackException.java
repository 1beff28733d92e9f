package dev.engagement.capture;

/**
 * The source is not on the line of history that was captured: it went back in time, or is another one. The message names
 * what was known and what is seen, the range of what may be lost or given again, and the way on.
 */
final class SourceWentBackException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    SourceWentBackException(String message) {
        super(message);
    }
}
