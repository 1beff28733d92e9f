package dev.engagement.liveview.sink;

import dev.engagement.connection.Backoff;
import dev.engagement.writeback.IoThreads;
import dev.engagement.writeback.KeyedShownState;
import dev.engagement.writeback.WriterLimits;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.streaming.api.operators.AbstractStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.ChainingStrategy;
import org.apache.flink.streaming.api.operators.OneInputStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.StreamOperator;
import org.apache.flink.streaming.api.operators.StreamOperatorParameters;

/**
 * What a {@link LiveViewOperator} is made of.
 *
 * @param <T> element of the stream
 */
final class LiveViewOperatorFactory<T> extends AbstractStreamOperatorFactory<Void>
        implements OneInputStreamOperatorFactory<T, Void> {

    private static final long serialVersionUID = 1L;

    private final String name;
    private final LiveViewMapping<T> mapping;
    private final KeyedShownState.Spread spread;
    private final String keyPrefix;
    private final String server;
    private final RedisConnection.Connector connector;
    private final WriterLimits limits;
    private final MemorySize eventCache;
    private final Backoff backoff;
    private final Backoff refusedBackoff;
    private final IoThreads ioThreads;

    LiveViewOperatorFactory(
            String name,
            LiveViewMapping<T> mapping,
            KeyedShownState.Spread spread,
            String keyPrefix,
            String server,
            RedisConnection.Connector connector,
            WriterLimits limits,
            MemorySize eventCache,
            Backoff backoff,
            Backoff refusedBackoff,
            IoThreads ioThreads) {
        this.name = name;
        this.mapping = mapping;
        this.spread = spread;
        this.keyPrefix = keyPrefix;
        this.server = server;
        this.connector = connector;
        this.limits = limits;
        this.eventCache = eventCache;
        this.backoff = backoff;
        this.refusedBackoff = refusedBackoff;
        this.ioThreads = ioThreads;
        chainingStrategy = ChainingStrategy.ALWAYS;
    }

    String name() {
        return name;
    }

    LiveViewMapping<T> mapping() {
        return mapping;
    }

    KeyedShownState.Spread spread() {
        return spread;
    }

    String keyPrefix() {
        return keyPrefix;
    }

    String server() {
        return server;
    }

    RedisConnection.Connector connector() {
        return connector;
    }

    WriterLimits limits() {
        return limits;
    }

    /** Estimated memory of events that wait for the event cache before the oldest are left out. */
    MemorySize eventCache() {
        return eventCache;
    }

    Backoff backoff() {
        return backoff;
    }

    Backoff refusedBackoff() {
        return refusedBackoff;
    }

    IoThreads ioThreads() {
        return ioThreads;
    }

    @Override
    @SuppressWarnings("unchecked") // Flink's own factories do so: what is asked for is this operator
    public <O extends StreamOperator<Void>> O createStreamOperator(StreamOperatorParameters<Void> parameters) {
        LiveViewOperator<T> operator = new LiveViewOperator<>(this, parameters.getMailboxExecutor());
        operator.setup(parameters.getContainingTask(), parameters.getStreamConfig(), parameters.getOutput());
        operator.setProcessingTimeService(parameters.getProcessingTimeService());
        return (O) operator;
    }

    @Override
    @SuppressWarnings("rawtypes") // Flink's signature
    public Class<? extends StreamOperator> getStreamOperatorClass(ClassLoader classLoader) {
        return LiveViewOperator.class;
    }
}
