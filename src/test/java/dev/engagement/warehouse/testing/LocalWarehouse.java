package dev.engagement.warehouse.testing;

import dev.engagement.warehouse.WarehouseOptions;
import dev.engagement.warehouse.WarehouseOptions.JsonNumbers;
import java.net.URI;
import java.time.Duration;
import org.apache.flink.configuration.MemorySize;

/** Options of tests whose warehouse is an emulator and whose subject is not how the job writes into it. */
public final class LocalWarehouse {

    private LocalWarehouse() {}

    /**
     * Of a table in days.
     *
     * @param rest {@code http://host:port}
     * @param grpc {@code http://host:port}
     * @param requirePartitionFilter whether a query must say which days it reads
     */
    public static WarehouseOptions options(
            String rest, String grpc, String table, boolean requirePartitionFilter, JsonNumbers numbers) {
        return new WarehouseOptions(
                "local",
                "analytics",
                table,
                new WarehouseOptions.Endpoints(URI.create(rest), URI.create(grpc)),
                null,
                new WarehouseOptions.Layout(WarehouseOptions.Partition.DAY, null, requirePartitionFilter),
                MemorySize.ofMebiBytes(64),
                MemorySize.ofMebiBytes(1),
                Duration.ofSeconds(1),
                Duration.ofMinutes(1),
                false,
                false,
                numbers);
    }

    /** As that, with numbers that must be held as they are. */
    public static WarehouseOptions options(String rest, String grpc, String table, boolean requirePartitionFilter) {
        return options(rest, grpc, table, requirePartitionFilter, JsonNumbers.EXACT);
    }
}
