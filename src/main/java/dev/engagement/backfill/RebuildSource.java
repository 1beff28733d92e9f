package dev.engagement.backfill;

import dev.engagement.source.RangeOptions;
import dev.engagement.source.SourceOptions;
import dev.engagement.source.SourceTables;
import dev.engagement.source.TableRow;
import java.io.Serializable;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.connector.source.Boundedness;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.api.java.typeutils.ResultTypeQueryable;
import org.apache.flink.core.io.SimpleVersionedSerializer;

/**
 * The two tables by JDBC, bounded: all contents, then the events of a range of event_ts, in ranges of ids that readers take
 * one after the other.
 *
 * <p>Ours and not the JDBC connector's, for what that one does not do: its splits share no snapshot, all of them stand in
 * memory at once, a split is continued by reading what was read before, and nothing says that one table has been read before
 * another is begun.
 *
 * <p>Guarantee: each row of the range is given once along one line of checkpoints, all as of one moment unless the job had
 * to restart; then what was left is as of that later moment. No event is read before the last content has been given.
 * Memory: a fetch of {@value SourceTables#FETCH_ROWS} rows for each reader, and some in its queue, whatever the range. The
 * password is read where the connection is made.
 */
final class RebuildSource
        implements Source<TableRow, TableSplit, RebuildPlan>, ResultTypeQueryable<TableRow>, Serializable {

    private static final long serialVersionUID = 1L;

    /** Ids of a split: enough rows that opening it costs nothing, and so few that all readers end at about one time. */
    static final long SPLIT_IDS = 50_000;

    private final SourceOptions options;
    private final RangeOptions range;
    private final long splitIds;

    RebuildSource(SourceOptions options, RangeOptions range) {
        this(options, range, SPLIT_IDS);
    }

    RebuildSource(SourceOptions options, RangeOptions range, long splitIds) {
        this.options = options;
        this.range = range;
        this.splitIds = splitIds;
    }

    @Override
    public Boundedness getBoundedness() {
        return Boundedness.BOUNDED;
    }

    @Override
    public SourceReader<TableRow, TableSplit> createReader(SourceReaderContext context) {
        return new RebuildReader(
                () -> new TableSplitReader(new SourceTables(options, "engagement-rebuild"), range), context);
    }

    @Override
    public SplitEnumerator<TableSplit, RebuildPlan> createEnumerator(SplitEnumeratorContext<TableSplit> context) {
        return restoreEnumerator(context, RebuildPlan.UNKNOWN);
    }

    @Override
    public SplitEnumerator<TableSplit, RebuildPlan> restoreEnumerator(
            SplitEnumeratorContext<TableSplit> context, RebuildPlan plan) {
        return new RebuildEnumerator(context, new SourceTables(options, "engagement-rebuild"), range, splitIds, plan);
    }

    @Override
    public SimpleVersionedSerializer<TableSplit> getSplitSerializer() {
        return new TableSplit.Serializer();
    }

    @Override
    public SimpleVersionedSerializer<RebuildPlan> getEnumeratorCheckpointSerializer() {
        return new RebuildPlan.Serializer();
    }

    @Override
    public TypeInformation<TableRow> getProducedType() {
        return TableRowType.ROWS;
    }
}
