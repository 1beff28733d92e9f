package dev.engagement.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RollupShapeTest {

    @Test
    void a_metric_is_by_event_type_and_window_size_and_by_nothing_else() {
        assertThat(shape("30s", "event_type").isMetric()).isTrue();
        assertThat(shape(null, "event_type").isMetric()).isFalse();
        assertThat(shape("30s").isMetric()).isFalse();
        assertThat(shape("30s", "device").isMetric()).isFalse();
        assertThat(shape("30s", "event_type", "device").isMetric()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"window_start", "window_end", "window_size", "unique_users_exact", "rollup"})
    void a_column_called_as_a_field_of_every_window_is_refused(String name) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> shape(null, "a", name))
                .withMessageContaining("rollup.r has a column " + name)
                .withMessageContaining("give the column another one");
    }

    @Test
    void a_column_that_is_key_and_measure_is_refused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> shape(null, "count"))
                .withMessageContaining("has a column count");
    }

    private static RollupShape shape(@Nullable String windowSize, String... keyColumns) {
        return new RollupShape("r", List.of(keyColumns), List.of("count"), windowSize, false, true);
    }
}
