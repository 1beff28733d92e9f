package dev.engagement.writeback;

import dev.engagement.connection.Backoff;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.streaming.api.operators.AbstractStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.ChainingStrategy;
import org.apache.flink.streaming.api.operators.OneInputStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.StreamOperator;
import org.apache.flink.streaming.api.operators.StreamOperatorParameters;

/**
 * Makes a {@link WriteBackOperator}, which needs its task's mailbox.
 *
 * @param <T> element of the stream
 */
public abstract class WriteBackOperatorFactory<T> extends AbstractStreamOperatorFactory<Void>
        implements OneInputStreamOperatorFactory<T, Void> {

    private static final long serialVersionUID = 1L;

    private final WriterLimits limits;
    private final Backoff backoff;
    private final IoThreads ioThreads;

    /** @param backoff between attempts while the store is away */
    protected WriteBackOperatorFactory(WriterLimits limits, Backoff backoff, IoThreads ioThreads) {
        this.limits = limits;
        this.backoff = backoff;
        this.ioThreads = ioThreads;
        chainingStrategy = ChainingStrategy.ALWAYS;
    }

    /** A new operator of that task. */
    protected abstract WriteBackOperator<T, ?> create(MailboxExecutor mailbox);

    public final WriterLimits limits() {
        return limits;
    }

    public final Backoff backoff() {
        return backoff;
    }

    public final IoThreads ioThreads() {
        return ioThreads;
    }

    @Override
    @SuppressWarnings("unchecked") // Flink's own factories do so: what is asked for is this operator
    public final <O extends StreamOperator<Void>> O createStreamOperator(StreamOperatorParameters<Void> parameters) {
        WriteBackOperator<T, ?> operator = create(parameters.getMailboxExecutor());
        operator.setup(parameters.getContainingTask(), parameters.getStreamConfig(), parameters.getOutput());
        operator.setProcessingTimeService(parameters.getProcessingTimeService());
        return (O) operator;
    }
}
