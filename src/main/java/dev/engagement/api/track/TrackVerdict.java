package dev.engagement.api.track;

import java.sql.SQLException;
import java.util.Set;

/**
 * What a failure of PostgreSQL means for a group of requests: the one place that decides it, by SQLSTATE.
 *
 * <table>
 * <caption>Verdicts</caption>
 * <tr><th>SQLSTATE</th><th>verdict</th><th>why</th></tr>
 * <tr><td>none, 08, 25 (25006: read-only, a failover), 26 and 0A (a pooler, or a table that has changed under prepared
 *   statements), 53 (too many connections, disk full), 57 (shutdown, crash, starting up, too slow),
 *   58</td><td>AWAY</td><td> another connection, or a moment later, may do</td></tr>
 * <tr><td>40 (deadlock, serialization)</td><td>CONFLICT</td><td>the other one went first</td></tr>
 * <tr><td>55 (55P03: a lock)</td><td>LOCKED</td><td>somebody holds something that one of the requests needs; the others
 *   do not wait for it</td></tr>
 * <tr><td>28, 3D, 3F, 42 (42501: right, 42P01: table, 42703: column), XX</td><td>REFUSED</td><td>only a person heals
 * it</td></tr>
 * <tr><td>22, 23 (constraint), 44, 54, P0 (a trigger), any other</td><td>RECORD</td><td>about one event: repeating it
 *   would repeat it</td></tr>
 * </table>
 */
enum TrackVerdict {
    /** On a new connection, or later. */
    AWAY,
    /** Once more, at once. */
    CONFLICT,
    /** Each request by itself. */
    LOCKED,
    /** Later, and somebody has to be told. */
    REFUSED,
    /** Each request by itself, to find the one. */
    RECORD;

    private static final Set<String> PASSING = Set.of("08", "0A", "25", "26", "53", "57", "58");

    private static final Set<String> REFUSING = Set.of("28", "3D", "3F", "42", "XX");

    /** The verdict on what the driver threw. */
    static TrackVerdict of(SQLException failure) {
        String state = failure.getSQLState();
        // The driver's own complaints have none now and then, and are about connections.
        if (state == null || state.length() < 2) {
            return AWAY;
        }
        String kind = state.substring(0, 2);
        if (PASSING.contains(kind)) {
            return AWAY;
        }
        if (REFUSING.contains(kind)) {
            return REFUSED;
        }
        return switch (kind) {
            case "40" -> CONFLICT;
            case "55" -> LOCKED;
            default -> RECORD;
        };
    }
}
