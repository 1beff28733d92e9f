package dev.engagement.rollup.sink;

import dev.engagement.event.RollupRow;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A database that takes rows as PostgreSQL does, records what it is asked, and fails as it is told. */
final class ScriptedRows implements RowConnection.Connector {

    private static final long serialVersionUID = 1L;

    /** By id, the newest. */
    final transient Map<String, RollupRow> held = new TreeMap<>();

    /** Ids of each transaction, in order, whether it came to something or not. */
    final transient List<List<String>> transactions = new ArrayList<>();

    /** SQLSTATE that a row's transaction ends with, by id. */
    final transient Map<String, String> bad = new HashMap<>();

    /** SQLSTATE that a transaction with rows of a rollup ends with, by name. */
    final transient Map<String, String> badRollups = new HashMap<>();

    /** Rows that are to be removed, by rollup. */
    final transient Map<String, Integer> old = new HashMap<>();

    final transient List<String> removals = new ArrayList<>();
    final transient Set<String> badRemovals = new HashSet<>();
    /** SQLSTATE of every connect and of everything on a connection, or null if all is well. */
    @Nullable
    String away;

    int connects;
    int pings;
    int aborts;
    int closes;
    /** How often somebody waited for a lock for long. */
    int longWaits;

    @Override
    public RowConnection connect() throws SQLException {
        connects++;
        failIfAway();
        return new Recording();
    }

    private void failIfAway() throws SQLException {
        if (away != null) {
            throw new SQLException("as told", away);
        }
    }

    private final class Recording implements RowConnection {

        @Override
        public int write(List<RollupRow> rows, boolean impatient) throws SQLException {
            failIfAway();
            List<String> ids = rows.stream().map(RollupRow::id).toList();
            if (new HashSet<>(ids).size() != ids.size()) {
                throw new SQLException("ON CONFLICT DO UPDATE command cannot affect row a second time", "21000");
            }
            transactions.add(ids);
            for (RollupRow row : rows) {
                String state = bad.getOrDefault(row.id(), badRollups.get(row.rollup()));
                if (state != null) {
                    longWaits += state.equals("55P03") && !impatient ? 1 : 0;
                    throw new SQLException("as told of " + row.id(), state);
                }
            }
            int taken = 0;
            for (RollupRow row : rows) {
                RollupRow before = held.get(row.id());
                if (before == null || before.version() < row.version()) {
                    held.put(row.id(), row);
                    taken++;
                }
            }
            return taken;
        }

        @Override
        public int removeOld(String rollup, int atMost) throws SQLException {
            failIfAway();
            removals.add(rollup);
            if (badRemovals.contains(rollup)) {
                throw new SQLException("permission denied", "42501");
            }
            int removed = Math.min(atMost, old.getOrDefault(rollup, 0));
            old.merge(rollup, -removed, Integer::sum);
            return removed;
        }

        @Override
        public void ping() throws SQLException {
            pings++;
            failIfAway();
        }

        @Override
        public void close() {
            closes++;
        }

        @Override
        public void abort() {
            aborts++;
        }
    }
}
