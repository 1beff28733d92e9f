package dev.engagement.rollup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.connection.PostgresConnection;
import dev.engagement.connection.SecretRef;
import dev.engagement.event.RollupShape;
import dev.engagement.rollup.definition.RollupDefinition;
import dev.engagement.rollup.definition.RollupDefinitions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.util.InstantiationUtil;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RollupOptionsTest {

    private static final PostgresConnection TARGET =
            new PostgresConnection("jdbc:postgresql://localhost:5432/analytics", "rollups", SecretRef.none());

    @Test
    void they_travel_in_the_job_graph() throws Exception {
        RollupOptions options = options(RollupDefinitions.shipped(), "PT5S", "PT1H", 64, "PT1M", "PT2S");

        RollupOptions arrived = InstantiationUtil.clone(options);

        assertThat(arrived.definitions()).isEqualTo(RollupDefinitions.shipped());
        assertThat(arrived.shapes()).isEqualTo(options.shapes());
    }

    @Test
    void shapes_are_what_rows_hold() {
        List<RollupDefinition> definitions =
                RollupDefinitions.parse(List.of("metrics_30s", "hourly"), Map.of("hourly.live", "false"));

        assertThat(options(definitions, "PT5S", "PT1H", 64, "PT1M", "PT2S").shapes())
                .containsExactly(
                        new RollupShape(
                                "metrics_30s",
                                List.of("event_type"),
                                List.of("count", "total_value", "unique_users"),
                                "30s",
                                true,
                                true),
                        new RollupShape(
                                "hourly",
                                List.of("content_type", "device"),
                                List.of("count", "seconds", "unique_users"),
                                null,
                                true,
                                false));
    }

    @ParameterizedTest
    @CsvSource({
        "PT0.099S, PT1H, 64, PT1M, PT2S, rollup.refresh is PT0.099S; it must be 100 ms to 10 min",
        "PT11M, PT1H, 64, PT1M, PT2S, rollup.refresh is PT11M; it must be 100 ms to 10 min",
        "PT5S, PT-1S, 64, PT1M, PT2S, rollup.allowed-lateness is PT-1S; it must be 0 s to 7 d",
        "PT5S, P8D, 64, PT1M, PT2S, rollup.allowed-lateness is PT192H; it must be 0 s to 7 d",
        "PT5S, PT1H, 0, PT1M, PT2S, rollup.max-pending is 0 bytes; it must be at least 1 mb",
        "PT5S, PT1H, 64, PT-1S, PT2S, ranking.max-clock-skew is PT-1S; it must not be negative",
        "PT5S, PT1H, 64, PT1M, PT-1S, ranking.max-out-of-orderness is PT-1S; it must not be negative",
    })
    void what_makes_no_sense_is_refused(
            String refresh, String lateness, int mebibytes, String skew, String outOfOrderness, String message) {
        assertThatThrownBy(
                        () -> options(RollupDefinitions.shipped(), refresh, lateness, mebibytes, skew, outOfOrderness))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith(message);
    }

    @Test
    void rows_are_kept_for_as_long_as_late_events_correct_them() {
        List<RollupDefinition> definitions =
                RollupDefinitions.parse(List.of("audience", "hourly"), Map.of("hourly.retention", "3 h"));

        assertThat(options(definitions, "PT5S", "PT2H", 64, "PT1M", "PT2S").definitions())
                .hasSize(2);
        assertThatThrownBy(() -> options(definitions, "PT5S", "PT2H1S", 64, "PT1M", "PT2S"))
                .hasMessage(
                        "rollup.hourly.retention is PT3H, and with a window of 1h and rollup.allowed-lateness PT2H1S"
                                + " late events correct rows for longer; it must be at least PT3H1S, or a row that was removed comes"
                                + " back");
    }

    @Test
    void there_is_at_least_one_and_none_is_there_twice() {
        assertThatThrownBy(() -> options(List.of(), "PT5S", "PT1H", 64, "PT1M", "PT2S"))
                .hasMessageStartingWith("rollups is empty");
        RollupDefinition hourly =
                RollupDefinitions.parse(List.of("hourly"), Map.of()).get(0);
        assertThatThrownBy(() -> options(List.of(hourly, hourly), "PT5S", "PT1H", 64, "PT1M", "PT2S"))
                .hasMessage("rollups names 'hourly' twice; leave one");
    }

    private static RollupOptions options(
            List<RollupDefinition> definitions,
            String refresh,
            String lateness,
            int mebibytes,
            String skew,
            String outOfOrderness) {
        return new RollupOptions(
                definitions,
                Duration.parse(refresh),
                Duration.parse(lateness),
                false,
                TARGET,
                MemorySize.ofMebiBytes(mebibytes),
                Duration.parse(skew),
                Duration.parse(outOfOrderness));
    }
}
