package dev.engagement.event;

/** What the primary keys of {@code engagement_events} are. A job reads one kind; savepoints of the two are apart. */
public enum EventIdKind {
    /** Whole numbers of 64 bits, as BIGSERIAL makes them. */
    LONG,
    /** Texts as {@link EventId#isText} wants them: UUIDs, ULIDs and the like, as a column of type uuid or text holds them. */
    TEXT
}
