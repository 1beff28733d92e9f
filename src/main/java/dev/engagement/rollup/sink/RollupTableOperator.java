package dev.engagement.rollup.sink;

import dev.engagement.event.RollupRow;
import dev.engagement.writeback.Keeping;
import dev.engagement.writeback.KeyedShownState;
import dev.engagement.writeback.Place;
import dev.engagement.writeback.WriteBack;
import dev.engagement.writeback.WriteBackOperator;
import dev.engagement.writeback.WriteBackPlan;
import dev.engagement.writeback.WriteBackValue;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;

/**
 * Brings rows of rollups into their tables in PostgreSQL: the end of a branch, built by {@link RollupStreams}.
 *
 * <p><b>Guarantee.</b> Flink state holds every row until PostgreSQL has it. A row is absolute and versioned, and takes the
 * place of an older version only, so a replay, a restart or a zombie leaves the newest. Between two writes only the newest
 * row of a window and key is kept. A checkpoint never waits for PostgreSQL, and neither does anything upstream; when
 * PostgreSQL returns it gets what waited. The end of a bounded input waits until all is written. A row that PostgreSQL can
 * never take is given up, counted and named.
 */
final class RollupTableOperator extends WriteBackOperator<RollupRow, PendingRow> {

    private static final long serialVersionUID = 1L;

    static final MapStateDescriptor<String, PendingRow> PENDING =
            new MapStateDescriptor<>("pending", Types.STRING, PendingRow.TYPE);

    private final RollupTableOperatorFactory parts;

    private transient WriteBack<PendingRow> rows;

    RollupTableOperator(RollupTableOperatorFactory parts, MailboxExecutor mailbox) {
        super(mailbox);
        this.parts = parts;
    }

    @Override
    public void open() throws Exception {
        super.open();
        RollupWriterMetrics metrics = new RollupWriterMetrics(getMetricGroup());
        boolean first = getRuntimeContext().getTaskInfo().getIndexOfThisSubtask() == 0;
        rows = begin(
                new Setting<>(
                        PENDING,
                        // Which subtask has a cell is the stage's affair; each keeps the rows that it is given.
                        KeyedShownState.Spread.WITHIN_SUBTASK,
                        "PostgreSQL at " + parts.target().jdbcUrl(),
                        "the rollups",
                        "rollup-tables",
                        parts.ioThreads()),
                new WriteBackPlan(
                        Keeping.UNTIL_WRITTEN,
                        WriteBackPlan.wholeValues(),
                        parts.limits(),
                        parts.backoff(),
                        WriteBackPlan.REFUSED_BACKOFF),
                new PostgresLink(
                        parts.target(),
                        parts.definitions(),
                        parts.connector(),
                        first ? new OldRows(parts.definitions(), System.nanoTime()) : null,
                        System::nanoTime,
                        metrics),
                metrics.writeBack);
        metrics.show(getMetricGroup(), rows);
    }

    @Override
    public void processElement(StreamRecord<RollupRow> record) throws Exception {
        RollupRow row = record.getValue();
        if (!row.closed() && !parts.early()) {
            return;
        }
        Place<PendingRow> place = rows.place(row.id());
        PendingRow pending = place.value();
        if (pending == null || row.version() > pending.row().version()) {
            rows.put(place, new PendingRow(row), WriteBackValue.ALL_PARTS);
        }
        rows.startIfDue();
    }
}
