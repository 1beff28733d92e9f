package dev.engagement.backfill;

import dev.engagement.source.IdRange;
import dev.engagement.source.RangeOptions;
import dev.engagement.source.RowCursor;
import dev.engagement.source.SourceTables;
import dev.engagement.source.TableRow;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import org.apache.flink.connector.base.source.reader.RecordsWithSplitIds;
import org.apache.flink.connector.base.source.reader.splitreader.SplitReader;
import org.apache.flink.connector.base.source.reader.splitreader.SplitsAddition;
import org.apache.flink.connector.base.source.reader.splitreader.SplitsChange;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads splits one after the other over one connection, a fetch at a time; on the fetcher thread. */
final class TableSplitReader implements SplitReader<TableRow, TableSplit> {

    private static final Logger LOG = LoggerFactory.getLogger(TableSplitReader.class);

    private final SourceTables database;
    private final RangeOptions range;
    private final Deque<TableSplit> splits = new ArrayDeque<>();

    private @Nullable Connection connection;
    private @Nullable TableSplit current;
    private @Nullable RowCursor<? extends TableRow> cursor;

    TableSplitReader(SourceTables database, RangeOptions range) {
        this.database = database;
        this.range = range;
    }

    @Override
    public void handleSplitsChanges(SplitsChange<TableSplit> change) {
        if (!(change instanceof SplitsAddition)) {
            throw new IllegalArgumentException("Unknown change of splits: " + change);
        }
        splits.addAll(change.splits());
    }

    @Override
    public RecordsWithSplitIds<TableRow> fetch() throws IOException {
        try {
            TableSplit split = current;
            RowCursor<? extends TableRow> rows = cursor;
            if (split == null || rows == null) {
                split = splits.poll();
                if (split == null) {
                    return Batch.nothing();
                }
                IdRange ids = split.ids();
                if (ids != null && ids.isEmpty()) {
                    return new Batch(split.splitId(), List.of(), true);
                }
                rows = open(split);
                current = split;
                cursor = rows;
            }
            List<TableRow> batch = new ArrayList<>(SourceTables.FETCH_ROWS + 1);
            boolean more = rows.next(batch, SourceTables.FETCH_ROWS);
            if (!more) {
                rows.close();
                current = null;
                cursor = null;
                if (split.ids() == null) {
                    batch.add(new TableRow.ContentsEnd());
                }
            }
            return new Batch(split.splitId(), batch, !more);
        } catch (SQLException e) {
            throw new IOException(database.explain(e, null), e);
        }
    }

    private RowCursor<? extends TableRow> open(TableSplit split) throws SQLException {
        Connection open = connection;
        if (open == null) {
            open = database.connect();
            connection = open;
        }
        begin(open, split.snapshot());
        IdRange ids = split.ids();
        return ids == null ? database.contents(open) : database.events(open, ids, range, null);
    }

    private static void begin(Connection connection, @Nullable String snapshot) throws SQLException {
        if (snapshot == null) {
            SourceTables.begin(connection);
            return;
        }
        try {
            SourceTables.begin(connection, snapshot);
        } catch (SQLException e) {
            connection.rollback();
            if (!SourceTables.isSnapshotGone(e)) {
                throw e;
            }
            // Of a run that failed. Events never change, so what is left of this split is the same now.
            LOG.info("The snapshot {} is gone; reading on by a new one", snapshot);
            SourceTables.begin(connection);
        }
    }

    @Override
    public void wakeUp() {
        // A fetch ends by itself.
    }

    @Override
    public void close() throws SQLException {
        Connection open = connection;
        if (open != null) {
            open.close();
        }
    }

    /** Rows of one split. */
    private static final class Batch implements RecordsWithSplitIds<TableRow> {

        private final @Nullable String splitId;
        private final Iterator<TableRow> rows;
        private final boolean finished;
        private boolean given;

        Batch(@Nullable String splitId, List<TableRow> rows, boolean finished) {
            this.splitId = splitId;
            this.rows = rows.iterator();
            this.finished = finished;
        }

        static Batch nothing() {
            return new Batch(null, List.of(), false);
        }

        @Override
        public @Nullable String nextSplit() {
            if (given) {
                return null;
            }
            given = true;
            return splitId;
        }

        @Override
        public @Nullable TableRow nextRecordFromSplit() {
            return rows.hasNext() ? rows.next() : null;
        }

        @Override
        public Set<String> finishedSplits() {
            return finished && splitId != null ? Set.of(splitId) : Set.of();
        }
    }
}
