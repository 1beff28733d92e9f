package dev.engagement.pipeline;

import dev.engagement.event.EnrichedEvent;
import dev.engagement.warehouse.Warehouse;
import dev.engagement.warehouse.WarehouseOptions;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;

/** The warehouse in BigQuery. */
public final class BigQueryWarehouse implements Destinations.Warehouse {

    private final WarehouseOptions options;
    private final String eventsTopic;

    /**
     * A warehouse at {@code options}.
     *
     * @param eventsTopic named in dead letters
     */
    public BigQueryWarehouse(WarehouseOptions options, String eventsTopic) {
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
                    + " configuration), and without them no row of the warehouse becomes visible; give"
                    + " --checkpoint.interval, or leave warehouse out of destinations");
        }
        return Warehouse.append(
                unique, options, eventsTopic, OperatorIds.WAREHOUSE_APPEND, OperatorIds.WAREHOUSE_COMMIT);
    }
}
