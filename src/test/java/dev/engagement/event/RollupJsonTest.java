package dev.engagement.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class RollupJsonTest {

    private static final RollupShape METRICS = new RollupShape(
            "metrics_30s", List.of("event_type"), List.of("count", "total_value", "unique_users"), "30s", true, true);
    private static final RollupShape HOURLY =
            new RollupShape("hourly", List.of("category", "device"), List.of("count"), null, false, true);

    @Test
    void a_metric_is_bounds_values_event_type_size_and_whether_users_are_exact() {
        assertThat(json(row(METRICS, true, List.of("click"), "3", "4.50", "2"), METRICS))
                .isEqualTo(
                        "{\"window_start\":1,\"window_end\":30001,\"count\":3,\"total_value\":4.50,\"unique_users\":2,"
                                + "\"event_type\":\"click\",\"window_size\":\"30s\",\"unique_users_exact\":true}");
        assertThat(json(row(METRICS, false, List.of("click"), "3", "4.50", "2"), METRICS))
                .endsWith("\"unique_users_exact\":false}");
    }

    @Test
    void any_other_rollup_is_named_and_says_nothing_of_users_that_it_does_not_count() {
        assertThat(json(row(HOURLY, true, List.of("video", ""), "7"), HOURLY))
                .isEqualTo(
                        "{\"window_start\":1,\"window_end\":30001,\"count\":7,\"category\":\"video\",\"device\":\"\","
                                + "\"rollup\":\"hourly\"}");
    }

    @Test
    void a_rollup_without_a_key_has_its_values_alone() {
        RollupShape total = new RollupShape("total", List.of(), List.of("count"), null, false, true);

        assertThat(json(row(total, true, List.of(), "7"), total))
                .isEqualTo("{\"window_start\":1,\"window_end\":30001,\"count\":7,\"rollup\":\"total\"}");
    }

    @Test
    void numbers_are_plain_decimals_with_their_scale_and_the_least_of_nothing_is_null() {
        assertThat(json(row(METRICS, true, List.of("click"), "1E+3", "-0.0000001", null), METRICS))
                .contains("\"count\":1000,\"total_value\":-0.0000001,\"unique_users\":null,");
        assertThat(json(
                        row(METRICS, true, List.of("click"), "12345678901234567890123456789012345678.90", "0.00", "0"),
                        METRICS))
                .contains("\"count\":12345678901234567890123456789012345678.90,\"total_value\":0.00,");
    }

    @Test
    void a_key_is_whatever_text_it_was() throws IOException {
        for (String text : List.of("\"},{\"", "\\", "\0\r\n\u007F", "é\uD83D\uDE00", "\uD83D", "\u2028", "")) {
            byte[] json = RollupJson.window(row(METRICS, true, List.of(text), "1", "1", "1"), METRICS);

            assertThat(new ObjectMapper().readTree(json).get("event_type").textValue())
                    .isEqualTo(text);
        }
    }

    @Test
    void a_row_of_another_shape_is_refused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> RollupJson.window(row(HOURLY, true, List.of("video"), "7"), HOURLY))
                .withMessageContaining("A row of the rollup hourly has 1 parts of a key and 1 values")
                .withMessageContaining("[category, device]");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> RollupJson.window(row(METRICS, true, List.of("click"), "7"), METRICS));
    }

    private static String json(RollupRow row, RollupShape shape) {
        return new String(RollupJson.window(row, shape), StandardCharsets.UTF_8);
    }

    private static RollupRow row(RollupShape shape, boolean exact, List<String> key, @Nullable String... values) {
        return new RollupRow(
                shape.rollup(),
                1,
                30_001,
                key,
                Arrays.stream(values)
                        .map(value -> value == null ? null : new BigDecimal(value))
                        .toList(),
                exact,
                0,
                1,
                true);
    }
}
