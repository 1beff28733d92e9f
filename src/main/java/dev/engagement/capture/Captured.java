package dev.engagement.capture;

import dev.engagement.event.EventId;
import org.jspecify.annotations.Nullable;

/** What the source makes of a changed row. */
sealed interface Captured {

    /**
     * A record for Kafka; its arrays are not to be written to.
     *
     * @param table which table, hence which topic
     * @param key the primary key as JSON
     * @param value the Debezium envelope as JSON, or null for the tombstone after a delete
     */
    record Row(CapturedTable table, byte[] key, byte @Nullable [] value) implements Captured {}

    /** A row that does not go on: a dead letter refers to it. */
    sealed interface Refused extends Captured {

        /** Schema and name of the table. */
        String table();

        /** The primary key as JSON, as far as it came. */
        String key();

        /** Debezium's op: c, u, d or r. */
        String operation();

        /** Log sequence number of the change; 0 if the row came with the snapshot. */
        long lsn();

        /** Commit time, milliseconds since the epoch; 0 if the row came with the snapshot. */
        long committedAtMillis();

        /** The event's id, or null if it is a content, or not known. */
        @Nullable
        EventId eventId();
    }

    /**
     * A row whose envelope is too large, without the envelope.
     *
     * @param bytes size of the envelope
     */
    record Oversize(
            String table,
            String key,
            String operation,
            int bytes,
            long lsn,
            long committedAtMillis,
            @Nullable EventId eventId)
            implements Refused {}

    /**
     * A row that cannot be read, or that does not say which row it is.
     *
     * @param problem what is wrong
     */
    record Unreadable(
            String table,
            String key,
            String operation,
            String problem,
            long lsn,
            long committedAtMillis,
            @Nullable EventId eventId)
            implements Refused {}

    /**
     * A row of an outbox that is no row of either table.
     *
     * @param problem what is wrong, and what was expected
     * @param payload what was in it, in UTF-8; null if there was nothing, or too much
     */
    record Misfit(
            String table,
            String key,
            String operation,
            String problem,
            byte @Nullable [] payload,
            long lsn,
            long committedAtMillis,
            @Nullable EventId eventId)
            implements Refused {}
}
