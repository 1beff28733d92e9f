package dev.engagement.pipeline;

import dev.engagement.clickhouse.ClickHouse;
import dev.engagement.clickhouse.ClickHouseOptions;
import dev.engagement.event.EnrichedEvent;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;

/** The warehouse in ClickHouse. */
public final class ClickHouseWarehouse implements Destinations.Warehouse {

    private final ClickHouseOptions options;
    private final String eventsTopic;

    /**
     * A warehouse at {@code options}.
     *
     * @param eventsTopic named in dead letters
     */
    public ClickHouseWarehouse(ClickHouseOptions options, String eventsTopic) {
        this.options = options;
        this.eventsTopic = eventsTopic;
    }

    /**
     * {@inheritDoc}
     *
     * @throws IllegalStateException if the job takes no checkpoints, with which rows become visible
     */
    @Override
    public SingleOutputStreamOperator<?> append(DataStream<EnrichedEvent> unique) {
        if (!unique.getExecutionEnvironment().getCheckpointConfig().isCheckpointingEnabled()) {
            throw new IllegalStateException("Checkpoints are switched off (execution.checkpointing.interval in Flink's"
                    + " configuration), and without them no row of ClickHouse becomes visible; give"
                    + " --checkpoint.interval, or leave clickhouse out of destinations");
        }
        return ClickHouse.append(
                unique, options, eventsTopic, OperatorIds.CLICKHOUSE_APPEND, OperatorIds.CLICKHOUSE_COMMIT);
    }
}
