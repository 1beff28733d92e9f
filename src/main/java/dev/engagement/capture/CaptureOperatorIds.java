package dev.engagement.capture;

/** Uids of the capture job's operators. They are part of its savepoints and never change. */
public final class CaptureOperatorIds {

    /** Reads rows out of PostgreSQL; its state is the position in the write-ahead log. */
    public static final String POSTGRES_SOURCE = "capture-postgres-source";

    /** Splits oversize rows off. */
    public static final String OVERSIZE_SPLIT = "capture-oversize-split";

    /** Writes both topics. */
    public static final String KAFKA_SINK = "capture-kafka-sink";

    private CaptureOperatorIds() {}
}
