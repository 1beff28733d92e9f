package dev.engagement.clickhouse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.connection.SecretRef;
import dev.engagement.event.EventIdKind;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import org.apache.flink.configuration.MemorySize;
import org.junit.jupiter.api.Test;

class ClickHouseOptionsTest {

    private static final Duration HOUR = Duration.ofHours(1);

    @Test
    void names_are_those_that_need_no_quotes() {
        assertThat(options("http://localhost:8123", "events_2").tableName()).isEqualTo("engagement.events_2");
        for (String name : List.of("", "2nd", "a-b", "a.b", "a b", "é", "a".repeat(101))) {
            assertThatThrownBy(() -> options("http://localhost:8123", name))
                    .hasMessageContaining("clickhouse.table is '" + name + "'");
        }
    }

    @Test
    void an_endpoint_is_http_or_https_without_a_user() {
        for (String url : List.of("clickhouse://localhost:9000", "http://u:p@localhost:8123", "localhost")) {
            assertThatThrownBy(() -> options(url, "events")).hasMessageContaining("clickhouse.url is not of the form");
        }
    }

    @Test
    void an_insert_fits_into_what_may_be_in_flight_and_into_a_block() {
        assertThatThrownBy(() -> limits(MemorySize.ofMebiBytes(1), MemorySize.ofMebiBytes(2), Duration.ofDays(7)))
                .hasMessageContaining("clickhouse.max-in-flight-bytes");
        assertThatThrownBy(() -> limits(MemorySize.ofMebiBytes(128), MemorySize.ofMebiBytes(65), Duration.ofDays(7)))
                .hasMessageContaining("clickhouse.flush-size");
    }

    @Test
    void a_staging_table_is_kept_for_as_long_as_it_may_still_be_shown() {
        assertThatThrownBy(() -> limits(MemorySize.ofMebiBytes(64), MemorySize.ofMebiBytes(8), HOUR))
                .hasMessageContaining(
                        "clickhouse.staging-retention is PT1H, not longer than clickhouse.commit-timeout");
    }

    @Test
    void a_row_is_kept_for_an_hour_at_least() {
        assertThatThrownBy(() -> new ClickHouseOptions.Layout(
                        ClickHouseOptions.Partition.DAY,
                        Duration.ofMinutes(59),
                        ClickHouseOptions.Payload.STRING,
                        true))
                .hasMessageContaining("clickhouse.expiration is PT59M");
    }

    private static ClickHouseOptions.Limits limits(MemorySize inFlight, MemorySize flush, Duration retention) {
        return new ClickHouseOptions.Limits(inFlight, flush, Duration.ofSeconds(1), HOUR, retention);
    }

    private static ClickHouseOptions options(String url, String table) {
        return new ClickHouseOptions(
                List.of(URI.create(url)),
                "default",
                SecretRef.none(),
                "engagement",
                table,
                new ClickHouseOptions.Layout(
                        ClickHouseOptions.Partition.MONTH, null, ClickHouseOptions.Payload.STRING, true),
                limits(MemorySize.ofMebiBytes(64), MemorySize.ofMebiBytes(8), Duration.ofDays(7)),
                false,
                false,
                EventIdKind.LONG);
    }
}
