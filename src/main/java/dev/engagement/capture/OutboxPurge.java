package dev.engagement.capture;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Removes rows of an outbox that a completed checkpoint covers, oldest first and in small steps.
 *
 * <p>Which ones these are nobody has to remember. At one moment all transactions below some number have ended, and their
 * commits stand before the end that the log has a moment later: a {@link Mark}. Once the slot is confirmed up to there, which
 * capture does for completed checkpoints only, all that they wrote is in Kafka. A restart begins with a new mark.
 *
 * <p>A row that is too large for Kafka stays, as its letter does not hold it. One thread at a time; blocking.
 */
final class OutboxPurge {

    static final int STEP_ROWS = 1_000;
    /** Of one call, which is one of a heartbeat's length. */
    static final int MAX_STEPS = 100;

    /** Texts in an envelope take up to twice their size, and some more for its frame. */
    private static final int GROWTH = 2;

    private static final String CONFIRMED = """
            SELECT (confirmed_flush_lsn - '0/0')::bigint FROM pg_replication_slots WHERE slot_name = ? AND active""";

    private final SourceDatabase database;
    private final String slotName;
    private final String rows;
    private final String step;
    private @Nullable Mark mark;

    /**
     * What had been written by some moment.
     *
     * @param transaction all below it had ended; PostgreSQL's number of 32 bits
     * @param lsn behind their commits
     */
    private record Mark(String transaction, long lsn) {}

    OutboxPurge(CaptureOptions options, OutboxOptions outbox, SourceDatabase database) {
        this.database = database;
        this.slotName = options.slotName();
        String table = SourceShape.quote(options.schema()) + '.' + SourceShape.quote(outbox.table());
        String covered = "age(xmin) > age(?::xid) AND coalesce(octet_length("
                + SourceShape.quote(outbox.payloadColumn()) + "::text), 0) <= "
                + options.maxRowBytes().getBytes() / (2 * GROWTH);
        // Oldest first: of one content an older row must not outlive a newer one.
        this.rows = "SELECT ctid::text FROM " + table + " WHERE " + covered + " ORDER BY "
                + SourceShape.quote(outbox.createdAtColumn()) + ", ctid LIMIT " + (long) STEP_ROWS * MAX_STEPS;
        // Where a row stood another may stand by now; it is a younger one.
        this.step = "DELETE FROM " + table + " WHERE ctid = ANY (ARRAY(SELECT ctid FROM " + table
                + " WHERE ctid = ANY (?::tid[]) AND " + covered + " FOR UPDATE SKIP LOCKED))";
    }

    /**
     * Removes what may be removed by now.
     *
     * @return how many rows
     */
    long purge() throws SQLException {
        try (Connection connection = database.connect()) {
            long removed = 0;
            Mark reached = mark;
            if (reached == null) {
                mark = mark(connection);
            } else if (confirmedLsn(connection) >= reached.lsn()) {
                List<String> found = covered(connection, reached);
                for (int from = 0; from < found.size(); from += STEP_ROWS) {
                    removed +=
                            remove(connection, reached, found.subList(from, Math.min(found.size(), from + STEP_ROWS)));
                }
                if (found.size() < STEP_ROWS * MAX_STEPS) {
                    mark = mark(connection);
                }
            }
            return removed;
        }
    }

    /** Two statements: the end of the log is looked at behind the transactions. */
    private static Mark mark(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            String transaction;
            try (ResultSet row = statement.executeQuery("SELECT pg_snapshot_xmin(pg_current_snapshot())::xid::text")) {
                row.next();
                transaction = row.getString(1);
            }
            try (ResultSet row = statement.executeQuery("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint")) {
                row.next();
                return new Mark(transaction, row.getLong(1));
            }
        }
    }

    /** Of a slot that is being read: one that nobody reads may be another one of the same name. */
    private long confirmedLsn(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(CONFIRMED)) {
            statement.setString(1, slotName);
            try (ResultSet row = statement.executeQuery()) {
                return row.next() ? row.getLong(1) : 0;
            }
        }
    }

    private List<String> covered(Connection connection, Mark reached) throws SQLException {
        List<String> found = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement(rows)) {
            statement.setString(1, reached.transaction());
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    found.add(row.getString(1));
                }
            }
        }
        return found;
    }

    private long remove(Connection connection, Mark reached, List<String> places) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(step)) {
            statement.setArray(1, connection.createArrayOf("text", places.toArray()));
            statement.setString(2, reached.transaction());
            return statement.executeUpdate();
        }
    }
}
