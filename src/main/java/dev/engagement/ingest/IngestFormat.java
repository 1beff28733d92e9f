package dev.engagement.ingest;

/** What the values of the events topic are. */
public enum IngestFormat {
    /** Debezium's envelopes, with or without the Connect wrapper. */
    AUTO,
    /** Plain events, and envelopes between them. */
    FLAT
}
