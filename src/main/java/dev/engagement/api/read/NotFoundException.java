package dev.engagement.api.read;

/** There is nothing of the name or id that was asked for; the message says what. */
public final class NotFoundException extends Exception {

    private static final long serialVersionUID = 1L;

    private final String wayOut;

    /** @param wayOut what would do, for the one who asks */
    public NotFoundException(String message, String wayOut) {
        super(message);
        this.wayOut = wayOut;
    }

    /** What would do. */
    public String wayOut() {
        return wayOut;
    }
}
