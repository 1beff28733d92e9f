package dev.engagement.connection;

/** An option cannot be used as things are; the message names it, its value and the way out. */
public final class RefusedOptionException extends IllegalArgumentException {

    private static final long serialVersionUID = 1L;

    public RefusedOptionException(String message) {
        super(message);
    }
}
