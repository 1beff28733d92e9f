package dev.engagement.ingest;

/** The offset that reading was to continue at is no longer in Kafka. */
public final class MissingOffsetsException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    MissingOffsetsException(String message) {
        super(message);
    }
}
