package dev.engagement.bench;

import dev.engagement.event.RollupRow;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import org.apache.flink.api.common.functions.FilterFunction;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;

/** Counts the rows of rollups that a job in this process tells, and the events in those of one. One job at a time. */
final class ToldRows implements FilterFunction<RollupRow> {

    private static final long serialVersionUID = 1L;

    /** Has each event in one cell, and few cells. */
    private static final String COUNTED = "category_activity";

    private static final LongAdder TOLD = new LongAdder();

    /** The newest row of each cell. */
    private static final Map<String, RollupRow> CELLS = new ConcurrentHashMap<>();

    /**
     * What was told.
     *
     * @param rows of all rollups, each as often as it was told
     * @param events in the newest rows of {@value #COUNTED}
     */
    record Counts(long rows, long events) {}

    private ToldRows() {}

    /** Ends a stream of rows. */
    static void discard(DataStream<RollupRow> rows) {
        rows.filter(new ToldRows()).name("count rows").sinkTo(new DiscardingSink<>());
    }

    @Override
    public boolean filter(RollupRow row) {
        TOLD.increment();
        if (row.rollup().equals(COUNTED)) {
            CELLS.merge(row.id(), row, (held, other) -> other.version() > held.version() ? other : held);
        }
        return false;
    }

    /** Of what was told since the last call. */
    static Counts take() {
        long events = CELLS.values().stream().mapToLong(RollupRow::version).sum();
        CELLS.clear();
        return new Counts(TOLD.sumThenReset(), events);
    }
}
