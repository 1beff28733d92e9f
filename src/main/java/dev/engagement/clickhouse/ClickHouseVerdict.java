package dev.engagement.clickhouse;

import dev.engagement.rowstore.RowVerdict;
import java.util.Set;

/**
 * What an error of ClickHouse means: the one place that decides it.
 *
 * <table>
 * <caption>Verdicts</caption>
 * <tr><th>error</th><th>verdict</th><th>why</th></tr>
 * <tr><td>no answer, or a number that is not below</td><td>TRANSIENT</td><td>an outage, a limit of the moment (memory,
 *   queries at once, too many parts, disk full, read-only), a server that starts; after {@code clickhouse.commit-timeout}
 *   it fails the job</td></tr>
 * <tr><td>60, of the staging table</td><td>STREAM_LOST</td><td>somebody dropped it</td></tr>
 * <tr><td>6, 26, 27, 33, 38, 41, 53, 69, 72, 117, 131, 321, 407</td><td>RECORD of an insert, else TERMINAL</td><td>a value
 *   is not what its column takes; which row it was is found out by trying them</td></tr>
 * <tr><td>16, 47, 62, 115, 122</td><td>TERMINAL</td><td>a column is missing or of another type: the restart, which checks the
 *   table, sees to it</td></tr>
 * <tr><td>81, 192, 193, 194, 492, 497, 516</td><td>TERMINAL</td><td>database, user, password, rights</td></tr>
 * </table>
 */
final class ClickHouseVerdict {

    static final int INCORRECT_DATA = 117;
    static final int UNKNOWN_TABLE = 60;

    private static final Set<Integer> OF_VALUES =
            Set.of(6, 26, 27, 33, 38, 41, 53, 69, 72, INCORRECT_DATA, 131, 321, 407);

    private static final Set<Integer> LASTING = Set.of(16, 47, 62, 81, 115, 122, 192, 193, 194, 492, 497, 516);

    private ClickHouseVerdict() {}

    static RowVerdict of(RowVerdict.Operation operation, int code) {
        if (code == UNKNOWN_TABLE) {
            return operation == RowVerdict.Operation.OPEN ? RowVerdict.TERMINAL : RowVerdict.STREAM_LOST;
        }
        if (OF_VALUES.contains(code)) {
            return operation == RowVerdict.Operation.APPEND ? RowVerdict.RECORD : RowVerdict.TERMINAL;
        }
        return LASTING.contains(code) ? RowVerdict.TERMINAL : RowVerdict.TRANSIENT;
    }
}
