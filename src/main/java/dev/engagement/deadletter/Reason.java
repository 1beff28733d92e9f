package dev.engagement.deadletter;

/** Why a record became a dead letter. The names are part of the letters and never change. */
public enum Reason {
    /** The Kafka value is not a readable Debezium envelope, or capture cannot read the row. */
    UNDECODABLE,
    /** The envelope is readable, but its row breaks a rule: no id, no event_ts, a negative duration. */
    INVALID,
    /** The value is larger than {@code ingest.max-record-bytes}. */
    OVERSIZE,
    /** The event's content did not come within {@code enrichment.content-wait}. */
    UNRESOLVED,
    /** The receiver gave a final answer, or the attempts ran out. */
    UNDELIVERABLE,
    /** The warehouse refused the row. */
    REJECTED,
    /** Its id is known, of an event with other facts: the source has given the id out again. */
    CONFLICT
}
