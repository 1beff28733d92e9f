package dev.engagement.rollup.sink;

import dev.engagement.connection.Backoff;
import dev.engagement.connection.PostgresConnection;
import dev.engagement.event.RollupRow;
import dev.engagement.rollup.definition.RollupDefinition;
import dev.engagement.writeback.IoThreads;
import dev.engagement.writeback.WriteBackOperatorFactory;
import dev.engagement.writeback.WriterLimits;
import java.util.List;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.streaming.api.operators.StreamOperator;

/** What a {@link RollupTableOperator} is made of. */
final class RollupTableOperatorFactory extends WriteBackOperatorFactory<RollupRow> {

    private static final long serialVersionUID = 1L;

    private final PostgresConnection target;
    private final List<RollupDefinition> definitions;
    private final boolean early;
    private final RowConnection.Connector connector;

    /** @param early whether rows of windows that are still open are written, too */
    RollupTableOperatorFactory(
            PostgresConnection target,
            List<RollupDefinition> definitions,
            boolean early,
            RowConnection.Connector connector,
            WriterLimits limits,
            Backoff backoff,
            IoThreads ioThreads) {
        super(limits, backoff, ioThreads);
        this.target = target;
        this.definitions = List.copyOf(definitions);
        this.early = early;
        this.connector = connector;
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

    @Override
    protected RollupTableOperator create(MailboxExecutor mailbox) {
        return new RollupTableOperator(this, mailbox);
    }

    @Override
    @SuppressWarnings("rawtypes") // Flink's signature
    public Class<? extends StreamOperator> getStreamOperatorClass(ClassLoader classLoader) {
        return RollupTableOperator.class;
    }
}
