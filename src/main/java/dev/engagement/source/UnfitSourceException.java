package dev.engagement.source;

/** The tables cannot be read as they are published; the message says why, and the way out. */
public final class UnfitSourceException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    UnfitSourceException(String message) {
        super(message);
    }
}
