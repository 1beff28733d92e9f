package dev.engagement.rollup.sink;

import dev.engagement.connection.PostgresConnection;
import dev.engagement.event.RollupRow;
import dev.engagement.rollup.PostgresAdvice;
import dev.engagement.rollup.PostgresVerdict;
import dev.engagement.rollup.RollupUpsert;
import dev.engagement.rollup.definition.RollupDefinition;
import dev.engagement.writeback.Item;
import dev.engagement.writeback.Link;
import dev.engagement.writeback.LogThrottle;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What of write-back is PostgreSQL's: connects when needed, brings a batch in one transaction, and, if that fails for the
 * sake of some rows, finds those. One that PostgreSQL can never take is given up alone, once its table has taken another one
 * since: else the fault is the table's, as with a trigger that refuses whatever comes. One that somebody else holds, and all
 * of a table that is refused, rest for a while and keep no other row waiting.
 *
 * <p>Nothing that PostgreSQL does or answers fails the job or slows it: see {@link PostgresVerdict}.
 */
final class PostgresLink implements Link<PendingRow> {

    private static final Logger LOG = LoggerFactory.getLogger(PostgresLink.class);

    /** What PostgreSQL has, it keeps: it has one incarnation. */
    private static final String INCARNATION = "";

    /** How long a row that somebody holds is not tried again. */
    static final Duration ROW_RESTS = Duration.ofSeconds(1);

    /** How long a table that is refused, or of which too much is held, is not tried again. */
    static final Duration TABLE_RESTS = Duration.ofSeconds(5);

    /** How often an idle connection is asked whether the database is there. */
    static final Duration PING_INTERVAL = Duration.ofSeconds(5);

    /**
     * How long a row that its table did not take is not tried again, unless the table has taken another one. Long enough that
     * every row of a batch has its turn, {@link #MAX_SUSPECTS} of them every {@link #TABLE_RESTS}.
     */
    static final Duration SUSPECT_RESTS = Duration.ofMinutes(2);

    /** Locks that are waited for in one attempt before a table is left alone. */
    static final int MAX_LOCK_WAITS = 32;

    /** Rows that a table does not take, and no other, in one attempt before it is left alone. */
    static final int MAX_SUSPECTS = 64;

    private static final Duration COMPLAINT_INTERVAL = Duration.ofMinutes(1);

    private static final Comparator<Row> IN_ORDER = Comparator.<Row, String>comparing(
                    row -> row.row().rollup())
            .thenComparingLong(row -> row.row().windowStartMillis())
            .thenComparing(row -> row.row().key(), PostgresLink::compare);

    /** A row on its way into a table. */
    private record Row(String id, RollupRow row, String table) {}

    /** Something that is not tried before a time, in nanoseconds of the ticker. */
    private record Rest(long until, String why, boolean refused) {}

    private final PostgresConnection target;
    private final Map<String, RollupUpsert> upserts;
    private final RowConnection.Connector connector;
    private final @Nullable OldRows oldRows;
    private final LongSupplier ticker;
    private final RollupWriterMetrics metrics;
    private final LogThrottle givenUpLog = new LogThrottle(COMPLAINT_INTERVAL);
    private final LogThrottle refusedLog = new LogThrottle(COMPLAINT_INTERVAL);

    private volatile @Nullable RowConnection connection;

    /** Of the I/O thread: rows by their ids. */
    private final Map<String, Rest> restingRows = new HashMap<>();

    /** Of the I/O thread: tables by their names, until they have taken something again. */
    private final Map<String, Rest> restingTables = new HashMap<>();

    /** Of the I/O thread: when a row was not taken first, by its id and in nanoseconds of the ticker. */
    private final Map<String, Long> suspects = new HashMap<>();

    /** Of the I/O thread: when a table took a row last, by its name and in nanoseconds of the ticker. */
    private final Map<String, Long> tookAt = new HashMap<>();

    private long usedAt;

    /**
     * @param oldRows removes rows that are older than their retention; null if another subtask does
     * @param ticker nanoseconds, monotonic
     */
    PostgresLink(
            PostgresConnection target,
            List<RollupDefinition> definitions,
            RowConnection.Connector connector,
            @Nullable OldRows oldRows,
            LongSupplier ticker,
            RollupWriterMetrics metrics) {
        this.target = target;
        this.upserts = definitions.stream().collect(Collectors.toMap(RollupDefinition::name, RollupUpsert::new));
        this.connector = connector;
        this.oldRows = oldRows;
        this.ticker = ticker;
        this.metrics = metrics;
    }

    private static int compare(List<String> one, List<String> other) {
        for (int i = 0; i < Math.min(one.size(), other.size()); i++) {
            int order = one.get(i).compareTo(other.get(i));
            if (order != 0) {
                return order;
            }
        }
        return Integer.compare(one.size(), other.size());
    }

    @Override
    public Attempt attempt(List<Item<PendingRow>> items, long nowMillis) {
        return new Batch(items);
    }

    @Override
    public void abort() {
        RowConnection open = connection;
        if (open != null) {
            open.abort();
        }
    }

    @Override
    public void close() {
        RowConnection open = connection;
        connection = null;
        if (open != null) {
            open.close();
        }
    }

    private void drop() {
        RowConnection broken = connection;
        connection = null;
        if (broken != null) {
            broken.abort();
        }
    }

    private boolean isOver(@Nullable Rest rest) {
        return rest == null || ticker.getAsLong() - rest.until() >= 0;
    }

    private Rest rest(Duration duration, String why, boolean refused) {
        return new Rest(ticker.getAsLong() + duration.toNanos(), why, refused);
    }

    /** Whether its table has taken another row since it did not take this one, which is then what is at fault. */
    private boolean isAtFault(Row row) {
        Long first = suspects.get(row.id());
        Long took = tookAt.get(row.table());
        return first != null && took != null && took - first >= 0;
    }

    private static String held(Row row) {
        return "somebody else holds the row " + row.id() + ", or others with it";
    }

    /** A batch on its way. Of several rows of one window and key only the newest is sent. */
    private final class Batch implements Attempt {

        private final String[] ids;
        private final long[] parts;

        /** What PostgreSQL still lacks, by id. */
        private final Map<String, RollupRow> left = new HashMap<>();

        private final List<String> givenUp = new ArrayList<>();
        private @Nullable String error;
        private boolean refused;
        private boolean reached;
        private long began;
        private int sent;
        private long taken;
        private long superseded;
        private long removed;
        private int lockWaits;
        private @Nullable String refusal;

        /** Rows of this attempt that their tables did not take, with what was said. */
        private final Map<Row, String> notTaken = new LinkedHashMap<>();

        Batch(List<Item<PendingRow>> items) {
            ids = new String[items.size()];
            parts = new long[items.size()];
            for (int i = 0; i < ids.length; i++) {
                Item<PendingRow> item = items.get(i);
                ids[i] = item.value().id();
                parts[i] = item.parts();
                left.merge(ids[i], item.value().row(), (one, other) -> other.version() > one.version() ? other : one);
            }
        }

        @Override
        public void send() {
            try {
                RowConnection open = connection;
                if (open == null) {
                    open = connector.connect();
                    connection = open;
                    usedAt = ticker.getAsLong();
                }
                send(open);
                reached = true;
            } catch (SQLException e) {
                failed(e);
            } catch (RuntimeException e) {
                // The driver's, or ours: told loudly, and never the end of the job.
                failed(new SQLException("the driver failed: " + e, "XX000", e));
            }
            refusal = Stream.concat(restingTables.values().stream(), restingRows.values().stream())
                    .filter(Rest::refused)
                    .map(Rest::why)
                    .findFirst()
                    .orElse(null);
        }

        /** As a whole, whatever was done before. */
        private void failed(SQLException e) {
            drop();
            refused = PostgresVerdict.of(e) == PostgresVerdict.REFUSED;
            error = refused ? PostgresAdvice.text(target, e, null) : PostgresAdvice.said(e);
        }

        private void send(RowConnection open) throws SQLException {
            began = ticker.getAsLong();
            restingRows.values().removeIf(PostgresLink.this::isOver);
            List<Row> rows = rows();
            rows.sort(IN_ORDER);
            sent = rows.size();
            if (sent > 0) {
                write(open, rows, false);
                judge();
            }
            long now = ticker.getAsLong();
            if (oldRows != null) {
                removed = oldRows.removeSome(open, now);
            }
            if (sent == 0 && removed == 0 && now - usedAt >= PING_INTERVAL.toNanos()) {
                open.ping();
                usedAt = now;
            }
        }

        /** Those that are tried now. */
        private List<Row> rows() {
            List<Row> rows = new ArrayList<>(left.size());
            for (Map.Entry<String, RollupRow> each : List.copyOf(left.entrySet())) {
                RollupRow row = each.getValue();
                RollupUpsert upsert = upserts.get(row.rollup());
                if (upsert == null || !upsert.fits(row)) {
                    giveUp(each.getKey(), "it is of a rollup that is not defined, or no longer so");
                    continue;
                }
                String table = upsert.table().name();
                Rest rest = restingTables.get(table);
                Row tried = new Row(each.getKey(), row, table);
                if (isOver(rest) && !isAtFault(tried)) {
                    rest = restingRows.get(each.getKey());
                }
                if (isOver(rest)) {
                    rows.add(tried);
                } else {
                    error = rest.why();
                }
            }
            return rows;
        }

        private void write(RowConnection open, List<Row> rows, boolean impatient) throws SQLException {
            usedAt = ticker.getAsLong();
            try {
                int written = open.write(rows.stream().map(Row::row).toList(), impatient);
                taken += written;
                superseded += rows.size() - written;
                for (Row row : rows) {
                    left.remove(row.id());
                    suspects.remove(row.id());
                    restingTables.remove(row.table());
                    tookAt.put(row.table(), usedAt);
                }
            } catch (SQLException e) {
                switch (PostgresVerdict.of(e)) {
                    case TRANSIENT -> throw e;
                    case RECORD -> {
                        if (rows.size() == 1) {
                            notTaken(rows.get(0), PostgresAdvice.said(e));
                        } else {
                            writeInPieces(open, rows);
                        }
                    }
                    case LOCKED -> locked(open, rows);
                    case REFUSED -> {
                        if (tables(rows).size() == 1) {
                            String table = rows.get(0).table();
                            String why = PostgresAdvice.text(
                                    target,
                                    e,
                                    upserts.get(rows.get(0).row().rollup()).table());
                            restingTables.put(table, rest(TABLE_RESTS, why, true));
                            error = why;
                        } else {
                            writeInPieces(open, rows);
                        }
                    }
                }
            }
        }

        private void notTaken(Row row, String said) {
            suspects.putIfAbsent(row.id(), began);
            notTaken.put(row, said);
            long others = notTaken.keySet().stream()
                    .filter(each -> each.table().equals(row.table()) && !isAtFault(each))
                    .count();
            if (others >= MAX_SUSPECTS) {
                restingTables.put(row.table(), rest(TABLE_RESTS, untaken(row, said), true));
            }
        }

        /** Of the rows that were not taken: whether they are to blame, or their tables. */
        private void judge() {
            notTaken.forEach((row, said) -> {
                if (isAtFault(row)) {
                    suspects.remove(row.id());
                    restingRows.remove(row.id());
                    giveUp(row.id(), said);
                } else {
                    error = untaken(row, said);
                    restingRows.put(row.id(), rest(SUSPECT_RESTS, error, true));
                }
            });
        }

        private static String untaken(Row row, String said) {
            return "The table " + row.table() + " does not take the row " + row.id() + ": " + said
                    + ". If it takes no other row either, put the table right; once it takes one, this row is given up";
        }

        private void locked(RowConnection open, List<Row> rows) throws SQLException {
            lockWaits++;
            Row first = rows.get(0);
            if (rows.size() == 1) {
                restingRows.put(first.id(), rest(ROW_RESTS, held(first), false));
                error = held(first);
            } else if (lockWaits < MAX_LOCK_WAITS || tables(rows).size() > 1) {
                writeInPieces(open, rows);
            } else {
                restingTables.put(first.table(), rest(TABLE_RESTS, held(first), false));
                error = held(first);
            }
        }

        /** By table, so that those that are well are done with; rows of one table by halves. */
        private void writeInPieces(RowConnection open, List<Row> rows) throws SQLException {
            Map<String, List<Row>> tables = tables(rows);
            List<List<Row>> pieces = new ArrayList<>(tables.values());
            if (pieces.size() == 1) {
                int half = rows.size() / 2;
                pieces = List.of(rows.subList(0, half), rows.subList(half, rows.size()));
            }
            for (List<Row> piece : pieces) {
                if (isOver(restingTables.get(piece.get(0).table()))) {
                    write(open, piece, true);
                }
            }
        }

        private static Map<String, List<Row>> tables(List<Row> rows) {
            return rows.stream().collect(Collectors.groupingBy(Row::table, TreeMap::new, Collectors.toList()));
        }

        private void giveUp(String id, String why) {
            left.remove(id);
            givenUp.add(id + ": " + why);
        }

        @Override
        public Outcome outcome(long nowMillis) {
            metrics.rowsWritten.inc(taken);
            metrics.superseded.inc(superseded);
            metrics.rowsGivenUp.inc(givenUp.size());
            metrics.rowsRemoved.inc(removed);
            metrics.tableRefused(refusal != null);
            if (sent > 0 && error == null) {
                metrics.batchSize.update(sent);
            }
            if (!givenUp.isEmpty() && givenUpLog.isDue(nowMillis)) {
                LOG.error(
                        "PostgreSQL at {} can never take a row of the rollups, which is given up, and others like it: {}",
                        target.jdbcUrl(),
                        givenUp.get(0));
            }
            if (refusal != null && refusedLog.isDue(nowMillis)) {
                LOG.error("{}. Its rows wait in state, and are written when it is put right", refusal);
            }
            long[] missing = new long[ids.length];
            for (int i = 0; i < ids.length; i++) {
                missing[i] = left.containsKey(ids[i]) ? parts[i] : 0;
            }
            // What rests is no reason to wait for longer with the rest.
            boolean someDone = reached || taken + superseded > 0;
            return new Outcome(missing, error, refused, someDone, reached ? INCARNATION : null);
        }
    }
}
