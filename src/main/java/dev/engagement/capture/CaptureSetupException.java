package dev.engagement.capture;

/** PostgreSQL is not set up for capture; the message names what is missing and how to create it. */
public final class CaptureSetupException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    CaptureSetupException(String message) {
        super(message);
    }

    CaptureSetupException(String message, Throwable cause) {
        super(message, cause);
    }
}
