package dev.engagement.redrive;

import dev.engagement.connection.PostgresDriver;
import dev.engagement.event.Content;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.Position;
import dev.engagement.event.Timestamps;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/** Single rows of the captured tables, as they are now. Reads only; one connection, made when it is first needed. */
final class SourceRows implements AutoCloseable {

    private static final String SECONDS = "30";

    /** Null for what is no time within years 1..9999, {@code infinity} included. */
    private static final String TIME = "CASE WHEN %1$s >= TIMESTAMPTZ '0001-01-01 00:00:00+00'"
            + " AND %1$s < TIMESTAMPTZ '10000-01-01 00:00:00+00'"
            + " THEN to_char(%1$s AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') END";

    private final RedriveOptions.Database database;
    private @Nullable Connection connection;

    SourceRows(RedriveOptions.Database database) {
        this.database = database;
    }

    /** The row cannot become a record; the message says why. */
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
     * @return null if there is no such row
     */
    @Nullable
    EngagementEvent event(long id, boolean snapshot, long committedAtMillis)
            throws RedriveException, UnusableRowException {
        String sql = "SELECT content_id::text, user_id::text, event_type, " + String.format(TIME, "event_ts")
                + ", duration_ms, device, raw_payload::text FROM " + table(database.eventsTable()) + " WHERE id = ?";
        try (PreparedStatement statement = connect().prepareStatement(sql)) {
            statement.setLong(1, id);
            try (ResultSet row = statement.executeQuery()) {
                if (!row.next()) {
                    return null;
                }
                String contentId = row.getString(1);
                String eventTs = row.getString(4);
                int durationMs = row.getInt(5);
                boolean hasDuration = !row.wasNull();
                if (contentId == null || eventTs == null || hasDuration && durationMs < 0) {
                    throw new UnusableRowException("its row breaks a rule: "
                            + (contentId == null
                                    ? "content_id is missing"
                                    : eventTs == null
                                            ? "event_ts is no time within years 1..9999"
                                            : "duration_ms is negative"));
                }
                return new EngagementEvent(
                        id,
                        contentId,
                        row.getString(2),
                        row.getString(3),
                        Timestamps.parse(eventTs),
                        hasDuration ? durationMs : EngagementEvent.NO_DURATION,
                        row.getString(6),
                        row.getString(7),
                        snapshot,
                        snapshot ? EngagementEvent.UNKNOWN_TIME : committedAtMillis,
                        new Position(-1, -1, -1));
            }
        } catch (SQLException e) {
            throw unreadable(e);
        }
    }

    /**
     * A content's row.
     *
     * @param id its primary key as text
     * @return null if there is no such row
     */
    @Nullable
    Content content(String id) throws RedriveException {
        String sql = "SELECT id::text, slug, title, content_type, length_seconds, " + String.format(TIME, "publish_ts")
                + " FROM " + table(database.contentTable()) + " WHERE id::text = ?";
        try (PreparedStatement statement = connect().prepareStatement(sql)) {
            statement.setString(1, id);
            try (ResultSet row = statement.executeQuery()) {
                if (!row.next()) {
                    return null;
                }
                int length = row.getInt(5);
                Integer lengthSeconds = row.wasNull() ? null : (Integer) length;
                String publishTs = row.getString(6);
                return new Content(
                        row.getString(1),
                        row.getString(2),
                        row.getString(3),
                        row.getString(4),
                        lengthSeconds,
                        publishTs == null ? null : (Long) Timestamps.parse(publishTs));
            }
        } catch (SQLException e) {
            throw unreadable(e);
        }
    }

    private RedriveException unreadable(SQLException e) {
        return new RedriveException(
                "PostgreSQL at postgres.url = " + database.url() + " does not answer, or does not let "
                        + database.username() + " read the rows that letters of capture refer to (" + e.getMessage()
                        + "). Mend that, or leave postgres.username away: letters that need no row go back then",
                e);
    }

    private String table(String name) {
        return '"' + database.schema() + "\".\"" + name + '"';
    }

    private Connection connect() throws SQLException {
        Connection open = connection;
        if (open == null) {
            Properties properties = new Properties();
            properties.setProperty("user", database.username());
            String password = database.password().read();
            if (password != null) {
                properties.setProperty("password", password);
            }
            properties.setProperty("connectTimeout", SECONDS);
            properties.setProperty("socketTimeout", SECONDS);
            properties.setProperty("ApplicationName", "engagement-redrive");
            open = PostgresDriver.connect(database.url(), properties);
            open.setReadOnly(true);
            open.setAutoCommit(true);
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
