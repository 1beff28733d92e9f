package dev.engagement.event.types;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.event.RollupRow;
import dev.engagement.event.types.testing.GoldenBytes;
import java.io.IOException;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.apache.flink.api.common.serialization.SerializerConfigImpl;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class RollupRowTypeTest {

    private static final long START = 1_767_882_110_000L;

    static List<GoldenBytes<?>> cases() {
        return List.of(
                golden(
                        "row",
                        new RollupRow(
                                "metrics_30s",
                                START,
                                START + 30_000,
                                List.of("click"),
                                List.of(BigDecimal.valueOf(3), new BigDecimal("4.50"), BigDecimal.valueOf(2)),
                                true,
                                1,
                                3,
                                false)),
                golden("row-bare", new RollupRow("r", -1, 0, List.of(), List.of(), false, 0, 0, true)),
                golden(
                        "row-extremes",
                        new RollupRow(
                                "ü",
                                START,
                                START + 86_400_000,
                                List.of("", "a/1:b", "ü\u0001"),
                                Arrays.asList(
                                        null,
                                        new BigDecimal("-1E+400"),
                                        new BigDecimal("1234567890123456789012345678901234567890.123"),
                                        BigDecimal.ZERO),
                                true,
                                Long.MAX_VALUE,
                                5_000_000_000_007L,
                                true)));
    }

    private static GoldenBytes<RollupRow> golden(String name, RollupRow row) {
        return new GoldenBytes<>("rollup-" + name, RollupRowType.ROW, row);
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
    void a_row_is_a_few_bytes() throws IOException {
        RollupRow row = new RollupRow(
                "hourly",
                START,
                START + 3_600_000,
                List.of("video", "web"),
                List.of(BigDecimal.TEN),
                true,
                0,
                10,
                true);

        // Version, rollup, start, length, parts of the key, values, flags, skipped, version.
        assertThat(golden("row", row).written()).hasSize(1 + 7 + 8 + 4 + (1 + 6 + 4) + (1 + 2 + 1) + 1 + 1 + 1);
    }

    @Test
    void a_number_without_digits_is_damage() throws IOException {
        RollupRow row = new RollupRow("r", START, START, List.of(), List.of(BigDecimal.ONE), true, 0, 1, true);
        byte[] bytes = golden("row", row).written();
        // Version, rollup, start, length, no key, one value; then its length.
        int length = 1 + 2 + 8 + 1 + 1 + 1;
        assertThat(bytes[length]).isEqualTo((byte) 2);
        bytes[length] = 1;

        assertThatThrownBy(() -> RollupRowType.ROW
                        .createSerializer(new SerializerConfigImpl())
                        .deserialize(new DataInputDeserializer(bytes)))
                .hasMessageContaining("damaged");
    }

    @Test
    void an_id_is_of_one_cell() {
        assertThat(id("r", START, "a", "b"))
                .isEqualTo("r@1767882110000/1:a/1:b")
                .isEqualTo(id("r", START, "a", "b"))
                .isNotEqualTo(id("r", START + 1, "a", "b"))
                .isNotEqualTo(id("s", START, "a", "b"))
                .isNotEqualTo(id("r", START, "a/1:b"))
                .isNotEqualTo(id("r", START, "a", "", "b"));
        assertThat(id("r", START)).isNotEqualTo(id("r", START, ""));
    }

    @Test
    void a_row_cannot_be_changed() {
        List<BigDecimal> values = Arrays.asList(BigDecimal.ONE, null);
        RollupRow row = new RollupRow("r", 0, 1, List.of(), values, true, 0, 1, true);
        values.set(0, BigDecimal.TEN);

        assertThat(row.values()).containsExactly(BigDecimal.ONE, null);
        assertThatThrownBy(() -> Collections.fill(row.values(), BigDecimal.TEN))
                .isInstanceOf(UnsupportedOperationException.class);
    }

    private static String id(String rollup, long start, String... key) {
        return new RollupRow(rollup, start, start + 1, List.of(key), List.of(), true, 0, 1, true).id();
    }
}
