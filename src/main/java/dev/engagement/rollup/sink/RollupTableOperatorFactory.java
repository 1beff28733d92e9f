package dev.engagement.rollup.sink;

import dev.engagement.connection.Backoff;
import dev.engagement.connection.PostgresConnection;
import dev.engagement.event.RollupRow;
import dev.engagement.rollup.definition.RollupDefinition;
import dev.engagement.writeback.IoThreads;
import dev.engagement.writeback.WriterLimits;
import java.util.List;
import org.apache.flink.streaming.api.operators.AbstractStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.ChainingStrategy;
import org.apache.flink.streaming.api.operators.OneInputStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.StreamOperator;
import org.apache.flink.streaming.api.operators.StreamOperatorParameters;

/** What a {@link RollupTableOperator} is made of. */
final class RollupTableOperatorFactory extends AbstractStreamOperatorFactory<Void>
        implements OneInputStreamOperatorFactory<RollupRow, Void> {

    private static final long serialVersionUID = 1L;

    private final PostgresConnection target;
    private final List<RollupDefinition> definitions;
    private final boolean early;
    private final RowConnection.Connector connector;
    private final WriterLimits limits;
    private final Backoff backoff;
    private final IoThreads ioThreads;

    /** @param early whether rows of windows that are still open are written, too */
    RollupTableOperatorFactory(
            PostgresConnection target,
            List<RollupDefinition> definitions,
            boolean early,
            RowConnection.Connector connector,
            WriterLimits limits,
            Backoff backoff,
            IoThreads ioThreads) {
        this.target = target;
        this.definitions = List.copyOf(definitions);
        this.early = early;
        this.connector = connector;
        this.limits = limits;
        this.backoff = backoff;
        this.ioThreads = ioThreads;
        chainingStrategy = ChainingStrategy.ALWAYS;
    }

    PostgresConnection target() {
        return target;
    }

    List<RollupDefinition> definitions() {
        return definitions;
    }

    boolean early() {
        return early;
    }

    RowConnection.Connector connector() {
        return connector;
    }

    WriterLimits limits() {
        return limits;
    }

    Backoff backoff() {
        return backoff;
    }

    IoThreads ioThreads() {
        return ioThreads;
    }

    @Override
    @SuppressWarnings("unchecked") // Flink's own factories do so: what is asked for is this operator
    public <O extends StreamOperator<Void>> O createStreamOperator(StreamOperatorParameters<Void> parameters) {
        RollupTableOperator operator = new RollupTableOperator(this, parameters.getMailboxExecutor());
        operator.setup(parameters.getContainingTask(), parameters.getStreamConfig(), parameters.getOutput());
        operator.setProcessingTimeService(parameters.getProcessingTimeService());
        return (O) operator;
    }

    @Override
    @SuppressWarnings("rawtypes") // Flink's signature
    public Class<? extends StreamOperator> getStreamOperatorClass(ClassLoader classLoader) {
        return RollupTableOperator.class;
    }
}
