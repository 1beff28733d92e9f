package dev.engagement.rollup;

import dev.engagement.event.RollupRow;
import org.apache.flink.streaming.api.operators.AbstractStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.OneInputStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.StreamOperator;
import org.apache.flink.streaming.api.operators.StreamOperatorParameters;

/** Makes {@link RollupCells}, which needs the task's mailbox. */
final class RollupCellsFactory extends AbstractStreamOperatorFactory<RollupRow>
        implements OneInputStreamOperatorFactory<RollupPartial, RollupRow> {

    private static final long serialVersionUID = 1L;

    private final RollupOptions options;
    private final boolean live;
    private final int slice;

    RollupCellsFactory(RollupOptions options, boolean live) {
        this(options, live, RollupCells.SLICE);
    }

    /** @param slice rows told in one go */
    RollupCellsFactory(RollupOptions options, boolean live, int slice) {
        this.options = options;
        this.live = live;
        this.slice = slice;
    }

    @Override
    @SuppressWarnings("unchecked") // Flink's own factories do so: what is asked for is this operator
    public <O extends StreamOperator<RollupRow>> O createStreamOperator(
            StreamOperatorParameters<RollupRow> parameters) {
        RollupCells operator = new RollupCells(options, live, slice, parameters.getMailboxExecutor());
        operator.setup(parameters.getContainingTask(), parameters.getStreamConfig(), parameters.getOutput());
        operator.setProcessingTimeService(parameters.getProcessingTimeService());
        return (O) operator;
    }

    @Override
    @SuppressWarnings("rawtypes") // Flink's signature
    public Class<? extends StreamOperator> getStreamOperatorClass(ClassLoader classLoader) {
        return RollupCells.class;
    }
}
