package dev.engagement.rollup;

import java.sql.SQLException;
import java.util.Set;

/**
 * What a failure of PostgreSQL means for rows of rollups: the one place that decides it, by SQLSTATE. Nothing that PostgreSQL
 * answers, or does not, fails the job or holds anything else back.
 *
 * <table>
 * <caption>Verdicts</caption>
 * <tr><th>SQLSTATE</th><th>verdict</th><th>why</th></tr>
 * <tr><td>none, 08</td><td>TRANSIENT</td><td>no connection, or a broken one: the usual outage; whoever ends it does not have
 *   to touch the job</td></tr>
 * <tr><td>53 (too many connections, no memory, disk full), 57 (shutdown, crash, starting up, a statement that took too
 *   long), 58 (I/O errors)</td><td>TRANSIENT</td><td>PostgreSQL, or who looks after it, says that it cannot now</td></tr>
 * <tr><td>40 (deadlock, serialization)</td><td>TRANSIENT</td><td>the other one went first; rows are absolute, so the
 *   repetition is harmless</td></tr>
 * <tr><td>26 (a prepared statement that is not there)</td><td>TRANSIENT</td><td>a pooler has given us another connection;
 *   ours is made anew</td></tr>
 * <tr><td>25 (25006: read-only)</td><td>TRANSIENT</td><td>a failover: the same address leads to the new primary soon, and each
 *   retry connects anew</td></tr>
 * <tr><td>55P03</td><td>LOCKED</td><td>somebody else holds a row, or the table: the others do not wait for it</td></tr>
 * <tr><td>55 otherwise</td><td>TRANSIENT</td><td>something else is done with the table at this moment</td></tr>
 * <tr><td>28, 3D, 3F, 42 (42501: right, 42P01: table, 42703: column, 42P10: primary key), 0A</td><td>REFUSED</td><td>only a
 *   person heals it, in PostgreSQL or in the secret, which is read anew at every connect: no restart is needed. The rows are
 *   good, and wait</td></tr>
 * <tr><td>XX</td><td>REFUSED</td><td>damage: a person has to look</td></tr>
 * <tr><td>22 (out of range, a character that no text may have), 23 (constraint), 44, 54 (a key too long for the index), P0 (a
 *   trigger), any other</td><td>RECORD</td><td>about one row, if its table takes others: repeating it would repeat it</td></tr>
 * </table>
 */
public enum PostgresVerdict {
    /** Retry with backoff for as long as it takes, on a new connection. */
    TRANSIENT,
    /** Bring the other rows, and this one a little later. */
    LOCKED,
    /** Retry for as long as it takes, more slowly, and say loudly what somebody has to do. */
    REFUSED,
    /** Find the one row, give it up if its table takes others, count it and name it. */
    RECORD;

    private static final Set<String> PASSING = Set.of("08", "25", "26", "40", "53", "55", "57", "58");

    private static final Set<String> REFUSING = Set.of("0A", "28", "3D", "3F", "42", "XX");

    /** The verdict on what the driver threw. */
    public static PostgresVerdict of(SQLException failure) {
        String state = failure.getSQLState();
        // The driver's own complaints have none now and then, and are about connections.
        if (state == null || state.length() < 2) {
            return TRANSIENT;
        }
        if (state.equals("55P03")) {
            return LOCKED;
        }
        String kind = state.substring(0, 2);
        if (PASSING.contains(kind)) {
            return TRANSIENT;
        }
        return REFUSING.contains(kind) ? REFUSED : RECORD;
    }
}
