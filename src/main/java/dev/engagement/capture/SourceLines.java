package dev.engagement.capture;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.Collection;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Asks PostgreSQL on which line of history it is. By functions that every role may call; where a server does not let it, by
 * the replication protocol, which the role is allowed as capture needs it anyway. Blocking.
 */
final class SourceLines {

    private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(30);

    /** Refused to the role, not there, or not there on this kind of server. */
    private static final Set<String> REFUSED = Set.of("42501", "42883", "0A000");

    private static final String NO_SUCH_FILE = "58P01";

    private static final Map<String, String> REPLICATION =
            Map.of("replication", "database", "preferQueryMode", "simple", "assumeMinServerVersion", "13");

    /** The timeline that is written to, which the control file does not have before the next checkpoint. */
    private static final String LINE = """
            SELECT system_identifier,
                   ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int
            FROM pg_control_system()""";

    private static final String HEARTBEAT = """
            SELECT (%s() - '0/0')::bigint, clock_timestamp(),
                   (SELECT beat_at FROM %s WHERE id = 1)""";

    private static final String FLUSHED = "pg_current_wal_flush_lsn";

    /** Where a server refuses the other: one that has no log of its own to flush. */
    private static final String WRITTEN = "pg_current_wal_lsn";

    /** An index that begins with a whole number, in a table that the role may read, gives its greatest at once. */
    private static final String IDS_ARE_CHEAP = """
            SELECT EXISTS (
                SELECT FROM pg_class AS c
                JOIN pg_namespace AS n ON n.oid = c.relnamespace
                JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'id' AND NOT a.attisdropped
                JOIN pg_index AS i ON i.indrelid = c.oid AND i.indkey[0] = a.attnum AND i.indisvalid
                JOIN pg_class AS x ON x.oid = i.indexrelid
                JOIN pg_am AS m ON m.oid = x.relam AND m.amname = 'btree'
                WHERE n.nspname = ? AND c.relname = ? AND i.indpred IS NULL
                  AND a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
                  AND has_table_privilege(c.oid, 'SELECT'))""";

    private final CaptureOptions options;

    SourceLines(CaptureOptions options) {
        this.options = options;
    }

    /** A look at the source over a connection that is there, before anything is written. */
    KnownSource look(Connection connection) throws SQLException {
        SourceLine line = line(connection);
        try {
            return look(connection, line, FLUSHED);
        } catch (SQLException e) {
            if (!REFUSED.contains(e.getSQLState())) {
                throw e;
            }
            return look(connection, line, WRITTEN);
        }
    }

    private KnownSource look(Connection connection, SourceLine line, String end) throws SQLException {
        String heartbeat = SourceShape.quote(options.schema()) + '.' + SourceShape.quote(options.heartbeatTable());
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(String.format(HEARTBEAT, end, heartbeat))) {
            row.next();
            OffsetDateTime beatAt = row.getObject(3, OffsetDateTime.class);
            return new KnownSource(
                    line,
                    row.getLong(1),
                    beatAt == null ? null : beatAt.toInstant(),
                    null,
                    row.getObject(2, OffsetDateTime.class).toInstant());
        }
    }

    private SourceLine line(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(LINE)) {
            row.next();
            return new SourceLine(row.getLong(1), row.getInt(2));
        } catch (SQLException e) {
            if (!REFUSED.contains(e.getSQLState())) {
                throw e;
            }
        }
        try (Connection replication = replication();
                Statement statement = replication.createStatement();
                ResultSet row = statement.executeQuery("IDENTIFY_SYSTEM")) {
            row.next();
            return identified(row);
        }
    }

    /** By a row of IDENTIFY_SYSTEM, over whatever connection. */
    static SourceLine identified(ResultSet row) throws SQLException {
        return new SourceLine(Long.parseUnsignedLong(row.getString(1)), row.getInt(2));
    }

    /** Where the timelines before that one were left; null if the server has no such file any more. */
    @Nullable
    TimelineHistory history(int timeline) throws SQLException {
        try (Connection replication = replication();
                Statement statement = replication.createStatement();
                ResultSet row = statement.executeQuery("TIMELINE_HISTORY " + timeline)) {
            row.next();
            return TimelineHistory.parse(row.getString(2));
        } catch (SQLException e) {
            if (NO_SUCH_FILE.equals(e.getSQLState())) {
                return null;
            }
            throw e;
        }
    }

    private Connection replication() throws SQLException {
        return options.postgres().open("engagement-capture", ANSWER_TIMEOUT, REPLICATION);
    }

    /**
     * Greatest id of an event; null if it is not a number, or not to be had at once: nobody waits for a lock, and a
     * heartbeat does not fail for it.
     */
    @Nullable
    Long greatestId(Connection connection) {
        try (PreparedStatement cheap = connection.prepareStatement(IDS_ARE_CHEAP);
                Statement statement = connection.createStatement()) {
            cheap.setString(1, options.schema());
            cheap.setString(2, options.eventsTable());
            try (ResultSet row = cheap.executeQuery()) {
                row.next();
                if (!row.getBoolean(1)) {
                    return null;
                }
            }
            statement.execute("SET lock_timeout = '100ms'");
            try (ResultSet row = statement.executeQuery("SELECT max(id) FROM " + SourceShape.quote(options.schema())
                    + '.' + SourceShape.quote(options.eventsTable()))) {
                row.next();
                long id = row.getLong(1);
                return row.wasNull() ? null : id;
            }
        } catch (SQLException e) {
            return null;
        }
    }

    /**
     * How many of these transactions are not committed here, if all of them were begun here: their ids are no other
     * transaction's then.
     *
     * @param txIds their lower 32 bits, of transactions of late
     */
    int uncommitted(Collection<Long> txIds) throws SQLException {
        if (txIds.isEmpty()) {
            return 0;
        }
        // The nearest transaction below the next one that has these lower bits.
        String sql = """
                SELECT count(*) FROM unnest(?::bigint[]) AS low,
                     LATERAL (SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next) AS n,
                     LATERAL (SELECT next - 1 - ((next - 1 - low) & 4294967295) AS id) AS wide
                WHERE id > 0 AND pg_xact_status(id::text::xid8) IS DISTINCT FROM 'committed'""";
        try (Connection connection = options.postgres().open("engagement-capture", ANSWER_TIMEOUT);
                PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setArray(1, connection.createArrayOf("bigint", txIds.toArray()));
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                return row.getInt(1);
            }
        }
    }
}
