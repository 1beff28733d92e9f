package dev.engagement.backfill;

import java.util.List;
import org.apache.flink.api.common.accumulators.LongCounter;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.util.Collector;

/**
 * Counts what passes, each element once whatever restarts: the count is state, and the accumulator begins with it.
 *
 * @param <T> an element
 */
public final class RowCount<T> extends ProcessFunction<T, T> implements CheckpointedFunction {

    private static final long serialVersionUID = 1L;

    /** Accumulator of events that were read. */
    public static final String READ = "engagement.rows-read";

    /** Accumulator of events that the destinations were given. */
    public static final String GIVEN = "engagement.rows-given";

    /** Accumulator of letters. */
    public static final String LETTERS = "engagement.letters";

    private static final ListStateDescriptor<Long> COUNT = new ListStateDescriptor<>("row-count", Types.LONG);

    private final String name;
    private final LongCounter counter = new LongCounter();
    private transient ListState<Long> state;

    /** @param name of the accumulator */
    public RowCount(String name) {
        this.name = name;
    }

    @Override
    public void initializeState(FunctionInitializationContext context) throws Exception {
        state = context.getOperatorStateStore().getListState(COUNT);
        for (Long before : state.get()) {
            counter.add(before);
        }
    }

    @Override
    public void open(Configuration configuration) {
        getRuntimeContext().addAccumulator(name, counter);
    }

    @Override
    public void processElement(T element, Context context, Collector<T> out) {
        counter.add(1L);
        out.collect(element);
    }

    @Override
    public void snapshotState(FunctionSnapshotContext context) throws Exception {
        state.update(List.of(counter.getLocalValuePrimitive()));
    }
}
