package dev.engagement.warehouse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.warehouse.WarehouseOptions.Endpoints;
import dev.engagement.warehouse.WarehouseOptions.Layout;
import dev.engagement.warehouse.WarehouseOptions.Partition;
import java.net.URI;
import java.time.Duration;
import org.apache.flink.configuration.MemorySize;
import org.junit.jupiter.api.Test;

class WarehouseOptionsTest {

    @Test
    void hours_need_an_expiration_of_at_most_400_days() {
        assertThatThrownBy(() -> new Layout(Partition.HOUR, null, false))
                .hasMessageContaining("warehouse.partition-expiration is not set")
                .hasMessageContaining("10,000 partitions");
        assertThatThrownBy(() -> new Layout(Partition.HOUR, Duration.ofDays(401), false))
                .hasMessageContaining("401 days");
        assertThat(new Layout(Partition.HOUR, Duration.ofDays(400), false).partition())
                .isEqualTo(Partition.HOUR);
        assertThat(new Layout(Partition.DAY, null, true).partitionExpiration()).isNull();
    }

    @Test
    void both_endpoints_are_googles_or_both_are_local() {
        assertThatThrownBy(() -> new Endpoints(URI.create("http://localhost:9050"), Endpoints.GOOGLE.grpc()))
                .hasMessageContaining("warehouse.grpc-endpoint");
        assertThatThrownBy(() -> new Endpoints(URI.create("localhost:9050"), URI.create("http://localhost:9060")))
                .hasMessageContaining("warehouse.endpoint is not of the form");
        assertThat(Endpoints.GOOGLE.isPlain()).isFalse();
        assertThat(Endpoints.GOOGLE.grpcTarget()).isEqualTo("bigquerystorage.googleapis.com:443");
        assertThat(new Endpoints(URI.create("http://localhost:9050"), URI.create("http://localhost:9060")).grpcTarget())
                .isEqualTo("localhost:9060");
    }

    @Test
    void an_append_fits_into_what_may_be_in_flight_and_into_a_request() {
        assertThatThrownBy(() -> with(MemorySize.ofMebiBytes(1), MemorySize.ofMebiBytes(2)))
                .hasMessageContaining("warehouse.max-in-flight-bytes");
        assertThatThrownBy(() -> with(MemorySize.ofMebiBytes(64), MemorySize.ofMebiBytes(10)))
                .hasMessageContaining("warehouse.flush-size");
    }

    @Test
    void another_table_differs_in_its_name_alone() {
        WarehouseOptions options = with(MemorySize.ofMebiBytes(64), MemorySize.ofMebiBytes(1));
        WarehouseOptions other = options.ofTable("projects/p2/datasets/d2/tables/t2");

        assertThat(other.tableName()).isEqualTo("p2.d2.t2");
        assertThat(other.ofTable(options.tablePath())).isEqualTo(options);
    }

    private static WarehouseOptions with(MemorySize maxInFlight, MemorySize flushSize) {
        WarehouseOptions o = WarehouseTableTest.OPTIONS;
        return new WarehouseOptions(
                o.project(),
                o.dataset(),
                o.table(),
                o.endpoints(),
                null,
                o.layout(),
                maxInFlight,
                flushSize,
                o.flushInterval(),
                o.commitTimeout(),
                false,
                false,
                WarehouseOptions.JsonNumbers.EXACT);
    }
}
