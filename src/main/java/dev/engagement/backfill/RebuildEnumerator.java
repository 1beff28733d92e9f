package dev.engagement.backfill;

import dev.engagement.source.IdRange;
import dev.engagement.source.RangeOptions;
import dev.engagement.source.SourceTables;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives out the contents to one reader, and when that one has given them all, ranges of ids to whoever asks. It keeps a
 * transaction open whose snapshot the readers share, so that all of a run is read as of one moment.
 *
 * <p>After a restart the contents are read once more, as they change nothing by being repeated; only ranges of ids are
 * remembered. The snapshot of a run that failed is gone, and what is left is read by a new one: events never change, so the
 * two differ by rows that were added in the meantime.
 */
final class RebuildEnumerator implements SplitEnumerator<TableSplit, RebuildPlan> {

    private static final Logger LOG = LoggerFactory.getLogger(RebuildEnumerator.class);

    /** Nobody. */
    private static final int NONE = -1;

    private final SplitEnumeratorContext<TableSplit> context;
    private final SourceTables database;
    private final RangeOptions range;
    private final long splitIds;

    private final Deque<IdRange> returned;
    private @Nullable IdRange left;
    private boolean ready;
    /** Whether {@link #left} begins with an id that there is. */
    private boolean placed;

    private boolean looking;
    private @Nullable String snapshot;
    private @Nullable Connection keepsSnapshot;

    private int contentReader = NONE;
    private boolean contentsGiven;
    private final Set<Integer> waiting = new LinkedHashSet<>();

    RebuildEnumerator(
            SplitEnumeratorContext<TableSplit> context,
            SourceTables database,
            RangeOptions range,
            long splitIds,
            RebuildPlan plan) {
        this.context = context;
        this.database = database;
        this.range = range;
        this.splitIds = splitIds;
        this.left = plan.left();
        this.returned = new ArrayDeque<>(plan.returned());
    }

    private record Look(Connection connection, String snapshot, SourceTables.@Nullable Extent extent) {}

    @Override
    public void start() {
        boolean counted = left != null;
        context.callAsync(() -> look(counted), this::looked);
    }

    private Look look(boolean counted) throws SQLException {
        Connection connection = database.connect();
        try {
            SourceTables.begin(connection);
            String exported = SourceTables.exportSnapshot(connection);
            return new Look(connection, exported, counted ? null : database.extent(connection, range, null));
        } catch (SQLException e) {
            connection.close();
            throw e;
        }
    }

    private void looked(@Nullable Look look, @Nullable Throwable failure) {
        if (look == null) {
            throw failed(failure);
        }
        keepsSnapshot = look.connection;
        snapshot = look.snapshot;
        if (look.extent != null) {
            left = look.extent.ids();
            LOG.info("{} rows with event_ts in {} are to be read", look.extent.rows(), range);
        }
        ready = true;
        serve();
    }

    @Override
    public void addReader(int subtask) {
        if (subtask == contentReader) {
            // It was started again, as all are then. What it gave may be behind the checkpoint that all went back to.
            contentReader = NONE;
            contentsGiven = false;
        }
        waiting.remove(subtask);
    }

    @Override
    public void handleSplitRequest(int subtask, @Nullable String host) {
        if (subtask == contentReader && !contentsGiven) {
            contentsGiven = true;
        }
        waiting.add(subtask);
        serve();
    }

    private void serve() {
        if (!ready) {
            return;
        }
        for (Integer subtask : List.copyOf(waiting)) {
            if (!context.registeredReaders().containsKey(subtask)) {
                waiting.remove(subtask);
            } else if (contentReader == NONE) {
                contentReader = subtask;
                waiting.remove(subtask);
                context.assignSplit(TableSplit.ofContents(snapshot), subtask);
            } else if (contentsGiven && !serveEvents(subtask)) {
                break;
            }
        }
    }

    /** Whether the reader has its answer; if not it waits for the ids to be looked up. */
    private boolean serveEvents(int subtask) {
        IdRange next = returned.poll();
        IdRange rest = left;
        if (next == null && rest != null && !rest.isEmpty()) {
            if (!placed) {
                lookUp(rest);
                return false;
            }
            next = rest.head(splitIds);
            left = rest.after(next.last());
            placed = false;
        }
        waiting.remove(subtask);
        if (next == null) {
            context.signalNoMoreSplits(subtask);
        } else {
            context.assignSplit(TableSplit.ofEvents(next, snapshot), subtask);
        }
        return true;
    }

    private void lookUp(IdRange rest) {
        Connection connection = keepsSnapshot;
        if (looking || connection == null) {
            return;
        }
        looking = true;
        context.callAsync(() -> database.fromNextId(connection, rest), (found, failure) -> {
            looking = false;
            if (found == null) {
                throw failed(failure);
            }
            left = found;
            placed = true;
            serve();
        });
    }

    private IllegalStateException failed(@Nullable Throwable failure) {
        String why = failure instanceof SQLException sql ? database.explain(sql, null) : String.valueOf(failure);
        return new IllegalStateException(why, failure);
    }

    @Override
    public void addSplitsBack(List<TableSplit> splits, int subtask) {
        for (TableSplit split : splits) {
            IdRange ids = split.ids();
            if (ids != null) {
                if (!ids.isEmpty()) {
                    returned.add(ids);
                }
            } else if (!contentsGiven && contentReader == subtask) {
                contentReader = NONE;
            }
        }
        serve();
    }

    @Override
    public RebuildPlan snapshotState(long checkpoint) {
        return new RebuildPlan(left, new ArrayList<>(returned));
    }

    @Override
    public void close() {
        Connection connection = keepsSnapshot;
        if (connection != null) {
            try {
                connection.close();
            } catch (SQLException e) {
                LOG.debug("The connection that kept the snapshot is gone already", e);
            }
        }
    }
}
