package dev.engagement.capture;

/** The replication slot no longer holds what capture has yet to read; the message names the gap and what fills it. */
public final class SlotLostException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    SlotLostException(String message) {
        super(message);
    }
}
