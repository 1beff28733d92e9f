package dev.engagement.capture;

import io.debezium.connector.postgresql.PostgresOffsetContext;
import io.debezium.connector.postgresql.PostgresPartition;
import io.debezium.pipeline.EventDispatcher;
import io.debezium.pipeline.spi.SnapshotResult;
import io.debezium.relational.Column;
import io.debezium.relational.SnapshotChangeRecordEmitter;
import io.debezium.relational.Table;
import io.debezium.relational.TableId;
import io.debezium.util.Clock;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.StringJoiner;
import org.apache.flink.cdc.connectors.base.source.meta.split.SnapshotSplit;
import org.apache.flink.cdc.connectors.base.source.reader.external.FetchTask;
import org.apache.flink.cdc.connectors.postgres.source.fetch.PostgresScanFetchTask;
import org.apache.flink.cdc.connectors.postgres.source.fetch.StoppableChangeEventSourceContext;
import org.apache.flink.cdc.connectors.postgres.source.utils.PostgresQueryUtils;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGStatement;
import org.postgresql.core.Oid;

/**
 * Reads a split of the snapshot: of the columns in use and the key's, PostgreSQL's text of each value, which is what the
 * log has too. So a row is the same both ways.
 */
final class SnapshotTask extends PostgresScanFetchTask {

    private static final String ALL_COLUMNS = "SELECT *";

    SnapshotTask(SnapshotSplit split) {
        super(split);
    }

    @Override
    protected void executeDataSnapshot(FetchTask.Context context) throws Exception {
        CaptureContext capture = (CaptureContext) context;
        SnapshotResult<PostgresOffsetContext> result = new Reading(capture, snapshotSplit)
                .execute(new StoppableChangeEventSourceContext(), capture.getPartition(), capture.getOffsetContext());
        if (!result.isCompletedOrSkipped()) {
            throw new IllegalStateException("The snapshot of split " + snapshotSplit.splitId() + " ended as " + result);
        }
    }

    private static final class Reading extends PostgresSnapshotSplitReadTask {

        private final CaptureContext context;
        private final SnapshotSplit split;

        Reading(CaptureContext context, SnapshotSplit split) {
            super(
                    context.getConnection(),
                    context.getDbzConnectorConfig(),
                    context.getDatabaseSchema(),
                    context.getOffsetContext(),
                    context.getEventDispatcher(),
                    context.getSnapshotChangeEventSourceMetrics(),
                    split);
            this.context = context;
            this.split = split;
        }

        @Override
        protected SnapshotResult<PostgresOffsetContext> doExecute(
                ChangeEventSourceContext running,
                PostgresOffsetContext previous,
                SnapshotContext<PostgresPartition, PostgresOffsetContext> snapshot,
                SnapshottingTask task)
                throws SQLException, InterruptedException {
            snapshot.offset = context.getOffsetContext();
            TableId id = split.getTableId();
            Table table = context.getDatabaseSchema()
                    .refreshColumns(context.getConnection().connection(), id);
            List<Column> columns = new ArrayList<>();
            ReadColumns captured = context.getDatabaseSchema().captured(id);
            for (Column column : table.columns()) {
                if (captured.columns().contains(column.name()) || table.isPrimaryKeyColumn(column.name())) {
                    columns.add(column);
                }
            }
            EventDispatcher.SnapshotReceiver<PostgresPartition> receiver =
                    context.getEventDispatcher().getSnapshotChangeEventReceiver();
            try (PreparedStatement statement = statement(table, columns);
                    ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    @Nullable Object[] row = new Object[table.columns().size()];
                    for (int i = 0; i < columns.size(); i++) {
                        row[columns.get(i).position() - 1] = rows.getString(i + 1);
                    }
                    snapshot.offset.event(id, Clock.SYSTEM.currentTime());
                    context.getEventDispatcher()
                            .dispatchSnapshotEvent(
                                    snapshot.partition,
                                    id,
                                    new SnapshotChangeRecordEmitter<>(
                                            snapshot.partition, snapshot.offset, row, Clock.SYSTEM),
                                    receiver);
                }
            }
            // No transaction stays open for as long as the connection is kept.
            context.getConnection().commit();
            receiver.completeSnapshot();
            return SnapshotResult.completed(snapshot.offset);
        }

        private PreparedStatement statement(Table table, List<Column> columns) throws SQLException {
            boolean first = split.getSplitStart() == null;
            boolean last = split.getSplitEnd() == null;
            List<String> keys = split.getSplitKeyType().getFieldNames();
            List<String> uuids = keys.stream()
                    .filter(key ->
                            Objects.requireNonNull(table.columnWithName(key)).nativeType() == Oid.UUID)
                    .toList();
            String all = PostgresQueryUtils.buildSplitScanQuery(
                    split.getTableId(), split.getSplitKeyType(), first, last, uuids);
            if (!all.startsWith(ALL_COLUMNS)) {
                throw new IllegalStateException("Flink CDC's query does not begin with " + ALL_COLUMNS + ": " + all);
            }
            StringJoiner names = new StringJoiner(", ", "SELECT ", "");
            columns.forEach(column -> names.add(PostgresQueryUtils.quote(column.name())));
            String order = context.getDatabaseSchema().order(table);
            PreparedStatement statement = PostgresQueryUtils.readTableSplitDataStatement(
                    context.getConnection(),
                    names + all.substring(ALL_COLUMNS.length()) + order,
                    first,
                    last,
                    split.getSplitStart(),
                    split.getSplitEnd(),
                    keys.size(),
                    context.getDbzConnectorConfig().getSnapshotFetchSize());
            // A statement that is not kept on the server gives text, never the driver's binary forms.
            statement.unwrap(PGStatement.class).setPrepareThreshold(0);
            return statement;
        }
    }
}
