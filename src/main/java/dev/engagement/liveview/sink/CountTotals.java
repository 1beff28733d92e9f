package dev.engagement.liveview.sink;

import dev.engagement.liveview.LiveValue;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/** Adds partial counts up: each one leads to its content's new total. Keyed by content id. */
public final class CountTotals extends KeyedProcessFunction<String, CountPartial, LiveValue> {

    private static final long serialVersionUID = 1L;

    /** Distinct events of the content since the beginning. */
    static final ValueStateDescriptor<Long> TOTAL = new ValueStateDescriptor<>("total", Types.LONG);

    private transient ValueState<Long> total;

    @Override
    public void open(OpenContext context) {
        total = getRuntimeContext().getState(TOTAL);
    }

    @Override
    public void processElement(CountPartial partial, Context context, Collector<LiveValue> out) throws Exception {
        Long before = total.value();
        long now = Math.addExact(before == null ? 0 : before, partial.events());
        total.update(now);
        out.collect(new LiveValue.Count(partial.contentId(), now));
    }
}
