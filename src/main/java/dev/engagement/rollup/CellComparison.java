package dev.engagement.rollup;

import dev.engagement.event.RollupRow;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The cells of a rollup, as SQL over the source says they are, beside the rows of its table. In steps of some windows, each of
 * which sees one state of the source, and in memory only some rows of either side, however many cells a window has. Blocking;
 * for one thread.
 *
 * <p>Without an index of event_ts there is one step, as each would read the whole table.
 */
public final class CellComparison {

    private static final int FETCH_ROWS = 1_000;

    /**
     * Starts of windows that a step has at least, if their windows are shorter; else it has them for as long as one is, so
     * that an event is read twice at most.
     */
    private static final Duration MIN_STEP = Duration.ofMinutes(10);

    private final Connection source;
    private final RollupSource tables;
    private final RollupDatabase database;

    /** Takes cells. */
    @FunctionalInterface
    public interface Each {

        /**
         * The next cell; at least one side has it.
         *
         * @param expected by SQL, its version the number of its events; null if it has no event
         * @param found in the table; null if there is none
         */
        void take(@Nullable RollupRow expected, @Nullable RollupRow found) throws SQLException;

        /**
         * The cells of some windows follow.
         *
         * @param oldestEventMicros as of {@link #oldestEventMicros()}, in the state of the source that they are of
         */
        default void begins(long oldestEventMicros) {}

        /** All cells of these windows were told. */
        default void told(RollupWindows windows) {}
    }

    /**
     * For any number of rollups.
     *
     * @param source to the database with the source tables, without autocommit
     * @param tables those tables
     * @param database with the rollups' tables
     */
    public CellComparison(Connection source, RollupSource tables, RollupDatabase database) {
        this.source = source;
        this.tables = tables;
        this.database = database;
    }

    /**
     * Tells each cell that either side has, ordered by window and then by key.
     *
     * @param without ids of events that SQL leaves out
     * @throws SQLException if the source does not answer
     * @throws RollupTablesRefusedException if the database with the tables does not
     */
    public void run(RollupWindows windows, long[] without, Each each) throws SQLException {
        RollupSql sql = new RollupSql(windows.rollup(), tables);
        RollupWindows left = windows;
        while (!left.isEmpty()) {
            RollupWindows step = left;
            if (tables.isIndexed()) {
                left = behindTheVoid(sql, left);
                step = left.first(Math.max(windows.rollup().windowMillis(), MIN_STEP.toMillis()));
            }
            if (!step.isEmpty()) {
                compare(sql, step, without, each);
                each.told(step);
            }
            left = left.behind(step);
        }
    }

    /**
     * When the oldest events of the source happened, microseconds since the epoch; {@link Long#MAX_VALUE} if there are none.
     * What was before may have been purged; one event of a clock gone wrong is no proof of the contrary.
     */
    public long oldestEventMicros() throws SQLException {
        long micros = oldest();
        // Whoever asks next sees a newer state, and vacuum is not held up.
        source.rollback();
        return micros;
    }

    private long oldest() throws SQLException {
        try (PreparedStatement statement = source.prepareStatement(RollupSql.oldestEvent(tables));
                ResultSet row = statement.executeQuery()) {
            row.next();
            long micros = row.getLong(1);
            return row.wasNull() ? Long.MAX_VALUE : micros;
        }
    }

    /** Those of the windows that follow the first of which either side has anything. */
    private RollupWindows behindTheVoid(RollupSql sql, RollupWindows windows) throws SQLException {
        Long row = database.firstRow(windows);
        try (PreparedStatement statement = source.prepareStatement(sql.firstEvent(windows));
                ResultSet event = statement.executeQuery()) {
            RollupWindows byEvent = event.next() ? windows.from(event.getLong(1)) : windows.none();
            source.rollback();
            // A row that begins where no window does is still to be told: it is in one that began before.
            return row == null || byEvent.fromMillis() <= row ? byEvent : windows.from(row);
        }
    }

    private void compare(RollupSql sql, RollupWindows windows, long[] without, Each each) throws SQLException {
        try (PreparedStatement statement = source.prepareStatement(sql.cells(windows, without.length > 0))) {
            statement.setFetchSize(FETCH_ROWS);
            if (without.length > 0) {
                Long[] ids = Arrays.stream(without).boxed().toArray(Long[]::new);
                statement.setArray(1, source.createArrayOf("bigint", ids));
            }
            each.begins(oldest());
            try (ResultSet cells = statement.executeQuery();
                    RollupDatabase.Rows rows = database.rows(windows)) {
                RollupRow expected = next(windows, cells);
                RollupRow found = rows.next();
                while (expected != null || found != null) {
                    int order = expected == null ? 1 : found == null ? -1 : compare(expected, found);
                    each.take(order <= 0 ? expected : null, order >= 0 ? found : null);
                    if (order <= 0) {
                        expected = ordered(expected, next(windows, cells));
                    }
                    if (order >= 0) {
                        found = ordered(found, rows.next());
                    }
                }
            }
        }
        source.rollback();
    }

    private static @Nullable RollupRow next(RollupWindows windows, ResultSet cells) throws SQLException {
        if (!cells.next()) {
            return null;
        }
        int column = 1;
        long start = cells.getLong(column++);
        List<String> key = new ArrayList<>();
        for (int i = 0; i < windows.rollup().eventKey().size(); i++) {
            key.add(cells.getString(column++));
        }
        List<@Nullable BigDecimal> values = new ArrayList<>();
        for (int i = 0; i < windows.rollup().measures().size(); i++) {
            values.add(cells.getBigDecimal(column++));
        }
        long skipped = cells.getLong(column++);
        return new RollupRow(
                windows.rollup().name(),
                start,
                start + windows.rollup().windowMillis(),
                key,
                values,
                true,
                skipped,
                cells.getLong(column),
                true);
    }

    /** Two lists are merged only if both have one order. */
    private static @Nullable RollupRow ordered(@Nullable RollupRow before, @Nullable RollupRow next) {
        if (before != null && next != null && compare(before, next) >= 0) {
            throw new IllegalStateException("PostgreSQL tells the cell " + next.id() + " behind " + before.id()
                    + ", which are in no order of code points; is the database's encoding UTF8?");
        }
        return next;
    }

    static int compare(RollupRow one, RollupRow other) {
        int order = Long.compare(one.windowStartMillis(), other.windowStartMillis());
        for (int i = 0; order == 0 && i < one.key().size(); i++) {
            order = compare(one.key().get(i), other.key().get(i));
        }
        return order;
    }

    /** As PostgreSQL's collation C has it in UTF8, and unlike {@link String#compareTo}: by code points. */
    static int compare(String one, String other) {
        int length = Math.min(one.length(), other.length());
        for (int i = 0; i < length; i++) {
            char mine = one.charAt(i);
            char its = other.charAt(i);
            if (mine != its) {
                // Surrogates stand for what is behind all single characters.
                boolean isBehind = Character.isSurrogate(mine);
                return isBehind == Character.isSurrogate(its) ? Character.compare(mine, its) : isBehind ? 1 : -1;
            }
        }
        return Integer.compare(one.length(), other.length());
    }
}
