package dev.engagement.backfill;

import dev.engagement.source.EventRow;
import dev.engagement.source.IdRange;
import dev.engagement.source.TableRow;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.flink.api.connector.source.SourceOutput;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.base.source.reader.RecordEmitter;
import org.apache.flink.connector.base.source.reader.SingleThreadMultiplexSourceReaderBase;
import org.apache.flink.connector.base.source.reader.splitreader.SplitReader;
import org.jspecify.annotations.Nullable;

/** The reader of a {@link RebuildSource}: remembers of each split the ids that are left. */
final class RebuildReader
        extends SingleThreadMultiplexSourceReaderBase<TableRow, TableRow, TableSplit, RebuildReader.Position> {

    /** How far a split was read. */
    static final class Position {
        private TableSplit split;

        Position(TableSplit split) {
            this.split = split;
        }

        private void passed(long id) {
            IdRange ids = split.ids();
            if (ids != null) {
                split = split.withIds(ids.after(id));
            }
        }
    }

    RebuildReader(Supplier<SplitReader<TableRow, TableSplit>> readers, SourceReaderContext context) {
        super(readers, new Emitter(), new Configuration(), context);
    }

    @Override
    public void start() {
        if (getNumberOfCurrentlyAssignedSplits() == 0) {
            context.sendSplitRequest();
        }
    }

    @Override
    protected void onSplitFinished(Map<String, Position> finished) {
        // For the contents this says, too, that all of them have been given.
        context.sendSplitRequest();
    }

    /** Without the contents, which are read anew by the next run. */
    @Override
    public List<TableSplit> snapshotState(long checkpoint) {
        return super.snapshotState(checkpoint).stream()
                .filter(split -> split.ids() != null)
                .toList();
    }

    @Override
    protected Position initializedState(TableSplit split) {
        return new Position(split);
    }

    @Override
    protected TableSplit toSplitType(String splitId, Position position) {
        return position.split;
    }

    private static final class Emitter implements RecordEmitter<TableRow, TableRow, @Nullable Position> {
        @Override
        public void emitRecord(TableRow row, SourceOutput<TableRow> output, @Nullable Position position) {
            output.collect(row);
            if (position != null && row instanceof EventRow event) {
                position.passed(event.id());
            }
        }
    }
}
