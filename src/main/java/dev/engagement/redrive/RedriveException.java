package dev.engagement.redrive;

import org.jspecify.annotations.Nullable;

/** Putting letters back was given up before all were looked at. What is marked is back; the others are untouched. */
public final class RedriveException extends Exception {

    private static final long serialVersionUID = 1L;

    RedriveException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }

    /** What every redrive says that was given up in the midst of it. */
    static RedriveException givenUp(String why, Throwable cause) {
        return new RedriveException(why + ". What is marked is back; start again for the others", cause);
    }
}
