package dev.engagement.ingest;

/** What the values and keys of the two topics are. */
public enum IngestFormat {
    /** Each says it itself: one that begins with the magic byte 0 is of a schema registry, any other is JSON. */
    AUTO,
    /** JSON. */
    JSON,
    /** Of a schema registry; anything else is a dead letter. */
    REGISTRY,
    /** Plain events, and envelopes between them; contents are as with {@link #AUTO}. */
    FLAT
}
