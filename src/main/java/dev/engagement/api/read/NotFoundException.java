package dev.engagement.api.read;

/** There is nothing of the name or id that was asked for; the message says what. */
public final class NotFoundException extends Exception {

    private static final long serialVersionUID = 1L;

    public NotFoundException(String message) {
        super(message);
    }
}
