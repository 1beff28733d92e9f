package dev.engagement.rollup.sink;

import dev.engagement.event.RollupRow;
import java.io.Serializable;
import java.sql.SQLException;
import java.util.List;

/**
 * A connection to the database with the rollups' tables. Used by one thread at a time; only {@link #abort} may be called by
 * another one.
 */
interface RowConnection {

    /**
     * Brings rows into their tables in one transaction: each one that is newer than what its table has of the same window and
     * key.
     *
     * @param rows no two of one window and key, each of a rollup that there is
     * @param impatient whether somebody else's lock is to be waited for as briefly as possible
     * @return how many of them their tables took; they had the others as new, or newer
     * @throws SQLException if none of them was written; or, after a broken connection, perhaps all
     */
    int write(List<RollupRow> rows, boolean impatient) throws SQLException;

    /**
     * Removes some of a rollup's rows that are older than its retention, those that nobody holds.
     *
     * @return how many; fewer than {@code atMost} if no more are to be removed now
     */
    int removeOld(String rollup, int atMost) throws SQLException;

    /** Asks whether the database is there. */
    void ping() throws SQLException;

    /** Ends it in order. */
    void close();

    /** Closes the socket, so that whatever waits for it fails. Thread-safe; may take a while over TLS. */
    void abort();

    /** Makes connections. */
    @FunctionalInterface
    interface Connector extends Serializable {

        /** A new connection, authenticated. */
        RowConnection connect() throws SQLException;
    }
}
