package dev.engagement.liveview.sink;

import dev.engagement.connection.Backoff;
import dev.engagement.writeback.IoThreads;
import dev.engagement.writeback.KeyedShownState;
import dev.engagement.writeback.WriteBackOperatorFactory;
import dev.engagement.writeback.WriterLimits;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.streaming.api.operators.StreamOperator;

/**
 * What a {@link LiveViewOperator} is made of.
 *
 * @param <T> element of the stream
 */
final class LiveViewOperatorFactory<T> extends WriteBackOperatorFactory<T> {

    private static final long serialVersionUID = 1L;

    private final String name;
    private final LiveViewMapping<T> mapping;
    private final KeyedShownState.Spread spread;
    private final String keyPrefix;
    private final String server;
    private final RedisConnection.Connector connector;
    private final MemorySize eventCache;
    private final Backoff refusedBackoff;

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
        super(limits, backoff, ioThreads);
        this.name = name;
        this.mapping = mapping;
        this.spread = spread;
        this.keyPrefix = keyPrefix;
        this.server = server;
        this.connector = connector;
        this.eventCache = eventCache;
        this.refusedBackoff = refusedBackoff;
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

    /** Estimated memory of events that wait for the event cache before the oldest are left out. */
    MemorySize eventCache() {
        return eventCache;
    }

    Backoff refusedBackoff() {
        return refusedBackoff;
    }

    @Override
    protected LiveViewOperator<T> create(MailboxExecutor mailbox) {
        return new LiveViewOperator<>(this, mailbox);
    }

    @Override
    @SuppressWarnings("rawtypes") // Flink's signature
    public Class<? extends StreamOperator> getStreamOperatorClass(ClassLoader classLoader) {
        return LiveViewOperator.class;
    }
}
