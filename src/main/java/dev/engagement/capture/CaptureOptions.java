package dev.engagement.capture;

import dev.engagement.connection.PostgresConnection;
import java.io.Serializable;
import java.time.Duration;
import java.util.List;
import org.apache.flink.configuration.MemorySize;
import org.jspecify.annotations.Nullable;

/**
 * What is captured, and how.
 *
 * @param postgres the database, by a role with REPLICATION and SELECT on what is captured
 * @param schema schema of both tables
 * @param eventsTable table of events, without the schema
 * @param contentTable table of contents, without the schema
 * @param heartbeatTable table of one row that capture writes to, so that an idle database does not hold the slot back
 * @param slotName logical replication slot
 * @param publication publication with what is captured and the heartbeat table
 * @param start where the first start begins
 * @param heartbeatInterval how often the heartbeat row is written
 * @param maxRowBytes largest value that is written to Kafka; a larger row becomes an OVERSIZE letter
 * @param eventsTopic Kafka topic of events
 * @param contentTopic Kafka topic of contents
 * @param acceptFiltered whether a publication may leave out rows or columns, and a table or payload lack a column in use
 * @param acceptTimeline number of a timeline that is gone on with although what was captured is not all on it; 0 for none
 * @param outbox the table that is captured instead of the two, or null
 * @param registry where the schemas of Avro are kept, or null to write JSON, as an outbox does
 */
public record CaptureOptions(
        PostgresConnection postgres,
        String schema,
        String eventsTable,
        String contentTable,
        String heartbeatTable,
        String slotName,
        String publication,
        Start start,
        Duration heartbeatInterval,
        MemorySize maxRowBytes,
        String eventsTopic,
        String contentTopic,
        boolean acceptFiltered,
        int acceptTimeline,
        @Nullable OutboxOptions outbox,
        @Nullable AvroOptions registry)
        implements Serializable {

    private static final long serialVersionUID = 1L;

    /** What is captured. */
    public enum Source {
        /** The table of events and the table of contents. */
        TABLES,
        /** A table whose payloads are their rows. */
        OUTBOX
    }

    /** Where the first start begins; a restart continues at its state. */
    public enum Start {
        /** With a snapshot of the rows that are there, then changes. */
        INITIAL,
        /** With changes only: at the slot if there is one, else at the present end. */
        LATEST
    }

    public CaptureOptions {
        if (postgres.jdbcUrl().matches("jdbc:postgresql://[^/?]*,.*")) {
            throw new IllegalArgumentException("postgres.url names several hosts; a replication slot lives on one,"
                    + " so name the primary, or an address that follows it");
        }
        if (heartbeatInterval.toMillis() <= 0) {
            throw new IllegalArgumentException("capture.heartbeat-interval is " + heartbeatInterval
                    + "; it must be at least a millisecond, for example 10 s");
        }
        if (maxRowBytes.getBytes() <= 0) {
            throw new IllegalArgumentException(
                    "capture.max-row-bytes is " + maxRowBytes + "; it must be above 0, for example 4 mb");
        }
        if (outbox != null && registry != null) {
            throw new IllegalArgumentException(
                    "capture.format is avro and capture.source is outbox; payloads of an outbox"
                            + " leave as JSON, so set capture.format to json");
        }
        if (!slotName.matches("[a-z0-9_]{1,63}")) {
            throw new IllegalArgumentException("postgres.slot-name is '" + slotName
                    + "'; PostgreSQL allows lower-case letters, digits and underscores, 1 to 63 of them");
        }
    }

    /** What is captured. */
    Source source() {
        return outbox == null ? Source.TABLES : Source.OUTBOX;
    }

    /** The tables that are captured, without the schema. */
    List<String> capturedTables() {
        return outbox == null ? List.of(eventsTable, contentTable) : List.of(outbox.table());
    }

    /** What is read of one of them. */
    ReadColumns columnsOf(String table) {
        if (outbox != null) {
            return outbox;
        }
        return eventsTable.equals(table) ? CapturedTable.EVENTS : CapturedTable.CONTENT;
    }

    /** Whether a captured table may have no column that is read. Without one of an outbox nothing could be read of it. */
    boolean mayLackColumns() {
        return acceptFiltered && outbox == null;
    }
}
