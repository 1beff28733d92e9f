package dev.engagement.redrive;

import dev.engagement.connection.SecretRef.UnreadableSecretException;
import dev.engagement.event.Content;
import dev.engagement.event.ContentChange;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EventId;
import dev.engagement.ingest.DecodedRecord;
import dev.engagement.source.ContentRow;
import dev.engagement.source.EventRow;
import dev.engagement.source.RowDecoder;
import dev.engagement.source.SourceOptions;
import dev.engagement.source.SourceTables;
import dev.engagement.source.UnfitSourceException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Single rows of the captured tables, as they are now. Reads only; one connection, made when it is first needed. */
final class SourceRows implements AutoCloseable {

    private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(30);

    private final SourceOptions database;
    private final SourceTables tables;
    private final RowDecoder decoder;
    private @Nullable Connection connection;

    /** @param clock says when a letter of a bad row would have been written */
    SourceRows(SourceOptions database, RedriveOptions.Topics topics, Clock clock) {
        this.database = database;
        this.tables = new SourceTables(database, "engagement-redrive", ANSWER_TIMEOUT);
        // How large the envelope may be is asked when it is written.
        this.decoder = new RowDecoder(
                topics.events(),
                topics.content(),
                Long.MAX_VALUE,
                database.rules().contentRequired(),
                clock.millis(),
                clock);
    }

    /** There is no such row any more, or it cannot become a record; the message says why. */
    static final class UnusableRowException extends Exception {
        private static final long serialVersionUID = 1L;

        UnusableRowException(String message) {
            super(message);
        }
    }

    /**
     * An event's row.
     *
     * @param snapshot whether it is to be one of a snapshot, {@code op} r
     * @param committedAtMillis when it was committed, milliseconds since the epoch
     */
    EngagementEvent event(EventId id, boolean snapshot, long committedAtMillis)
            throws RedriveException, UnusableRowException {
        EventRow row;
        try {
            row = tables.event(connect(), id);
        } catch (SQLException | UnreadableSecretException | UnfitSourceException e) {
            throw unreadable(e);
        }
        if (row == null) {
            throw new UnusableRowException("PostgreSQL no longer has the row of event " + id);
        }
        DecodedRecord<EngagementEvent> decoded = new DecodedRecord<>();
        decoder.decode(row, decoded);
        if (decoded.kind() == DecodedRecord.Kind.LETTER) {
            throw new UnusableRowException(
                    "its row breaks a rule: " + decoded.letter().error());
        }
        EngagementEvent event = decoded.value();
        return snapshot ? event : event.committedAt(committedAtMillis);
    }

    /**
     * A content's row.
     *
     * @param id its primary key as text
     */
    Content content(String id) throws RedriveException, UnusableRowException {
        ContentRow row;
        try {
            row = tables.content(connect(), id);
        } catch (SQLException | UnreadableSecretException | UnfitSourceException e) {
            throw unreadable(e);
        }
        if (row == null) {
            throw new UnusableRowException("PostgreSQL no longer has the row of content " + id);
        }
        DecodedRecord<ContentChange> decoded = new DecodedRecord<>();
        decoder.decode(row, 0, decoded);
        if (decoded.kind() == DecodedRecord.Kind.VALUE && decoded.value() instanceof ContentChange.Put put) {
            return put.content();
        }
        throw new UnusableRowException(
                "its row breaks a rule: " + decoded.letter().error());
    }

    private RedriveException unreadable(Exception e) {
        return RedriveException.givenUp(
                "PostgreSQL at postgres.url = " + database.postgres().jdbcUrl() + " does not answer, or does not let "
                        + database.postgres().username() + " read the rows that letters of capture refer to ("
                        + e.getMessage()
                        + "). Mend that, or leave postgres.username away: letters that need no row go back then",
                e);
    }

    private Connection connect() throws SQLException {
        Connection open = connection;
        if (open == null) {
            open = tables.connect();
            open.setReadOnly(true);
            connection = open;
        }
        return open;
    }

    @Override
    public void close() throws RedriveException {
        if (connection != null) {
            try {
                connection.close();
            } catch (SQLException e) {
                throw unreadable(e);
            }
        }
    }
}
