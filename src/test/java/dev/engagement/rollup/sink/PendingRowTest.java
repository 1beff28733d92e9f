package dev.engagement.rollup.sink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.types.testing.GoldenBytes;
import java.io.IOException;
import java.math.BigDecimal;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class PendingRowTest {

    static List<GoldenBytes<?>> cases() {
        return List.of(
                new GoldenBytes<>(
                        "rollup-pending",
                        PendingRow.TYPE,
                        new PendingRow(SampleRows.metrics(SampleRows.METRICS, "play", 3, "4.50"))),
                new GoldenBytes<>(
                        "rollup-pending-of-nothing",
                        PendingRow.TYPE,
                        new PendingRow(SampleRows.extremes(1, null, new BigDecimal("1E+3")))));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void version_1_is_read(GoldenBytes<?> one) throws IOException {
        one.assertThatVersion1IsRead();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void a_newer_version_is_refused_with_the_way_out(GoldenBytes<?> one) throws IOException {
        one.assertThatANewerVersionIsRefused();
    }

    @Test
    void it_waits_for_ever_and_grows_with_its_key() {
        PendingRow one = new PendingRow(SampleRows.views("a", 1));

        assertThat(one.aliveAt(Long.MAX_VALUE)).isSameAs(one);
        assertThat(new PendingRow(SampleRows.views("a".repeat(100), 1)).estimatedBytes())
                .isGreaterThan(one.estimatedBytes() + 200);
    }
}
