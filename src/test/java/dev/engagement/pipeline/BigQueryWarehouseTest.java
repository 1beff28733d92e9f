package dev.engagement.pipeline;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.types.EventTypes;
import dev.engagement.warehouse.WarehouseOptions;
import java.time.Duration;
import java.util.List;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.junit.jupiter.api.Test;

class BigQueryWarehouseTest {

    @Test
    void withoutCheckpointsThereIsNoWarehouse() {
        StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment(new Configuration());
        DataStream<EnrichedEvent> unique = env.fromData(List.of(1L))
                .<EnrichedEvent>map(number -> {
                    throw new IllegalStateException();
                })
                .returns(EventTypes.ENRICHED);
        WarehouseOptions options = new WarehouseOptions(
                "acme",
                "analytics",
                "engagement_events",
                WarehouseOptions.Endpoints.GOOGLE,
                null,
                new WarehouseOptions.Layout(WarehouseOptions.Partition.DAY, null, false),
                MemorySize.ofMebiBytes(64),
                MemorySize.ofMebiBytes(1),
                Duration.ofSeconds(1),
                Duration.ofHours(1),
                false,
                false,
                WarehouseOptions.JsonNumbers.EXACT);

        assertThatThrownBy(() -> new BigQueryWarehouse(options, "events").append(unique))
                .hasMessageContaining("execution.checkpointing.interval")
                .hasMessageContaining("leave warehouse out of destinations");
    }
}
