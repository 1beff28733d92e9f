package dev.engagement.local.receiver;

/** What is asked for or posted does not fit; the message tells the client. */
final class Refused extends Exception {

    private static final long serialVersionUID = 1L;

    private final int status;

    /** @param status of HTTP */
    Refused(int status, String message) {
        super(message);
        this.status = status;
    }

    int status() {
        return status;
    }
}
