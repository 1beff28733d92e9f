package dev.engagement.warehouse;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.math.BigInteger;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;

/** What BigQuery's JSON holds, against arithmetic without bounds. */
class WarehouseJsonProperties {

    private static final BigInteger LEAST = BigInteger.valueOf(Long.MIN_VALUE);
    private static final BigInteger MOST = new BigInteger("18446744073709551615");

    @Property
    void integers_of_64_bits_are_held(@ForAll BigInteger number) {
        boolean held = number.compareTo(LEAST) >= 0 && number.compareTo(MOST) <= 0;

        assertThat(WarehouseJson.problem("{\"a\": [1, " + number + "]}") == null)
                .isEqualTo(held);
    }

    @Property
    void what_is_rounded_is_held_and_the_nearest_double(@ForAll("decimals") String number) {
        double nearest = new BigDecimal(number).doubleValue();
        String json = "{\"1e5\": [" + number + ", -1, \"" + number + "\"]}";

        WarehouseJson.Fitted fitted = WarehouseJson.fit(json, WarehouseOptions.JsonNumbers.ROUND);

        if (Double.isInfinite(nearest)) {
            assertThat(fitted.problem()).contains("beyond");
        } else {
            assertThat(fitted.problem()).isNull();
            assertThat(fitted.json()).startsWith("{\"1e5\": [").endsWith(", -1, \"" + number + "\"]}");
            String rounded = fitted.json().substring(9, fitted.json().indexOf(','));
            assertThat(Double.parseDouble(rounded)).isEqualTo(nearest);
            if (WarehouseJson.problem(number) == null) {
                assertThat(fitted.json()).isSameAs(json);
            }
        }
    }

    @Provide
    Arbitrary<String> decimals() {
        Arbitrary<String> digits =
                Arbitraries.strings().numeric().ofMinLength(1).ofMaxLength(22);
        Arbitrary<Integer> exponents = Arbitraries.integers().between(-340, 320);
        return Combinators.combine(digits, exponents, Arbitraries.of("", "-"))
                .as((fraction, exponent, sign) -> sign + "1." + fraction + (exponent == 0 ? "" : "e" + exponent));
    }

    /** One that is computed with takes the task some seconds. */
    @Example
    void an_integer_of_a_megabyte_is_refused() {
        assertThat(WarehouseJson.problem("[" + "9".repeat(1_000_000) + "]")).contains("beyond");
        assertThat(WarehouseJson.problem("[" + "9".repeat(20) + "]")).contains("would change");
    }

    @Property(tries = 50)
    void nesting_is_held_to_500(@ForAll @IntRange(min = 1, max = 1_000) int depth) {
        String json = "[".repeat(depth) + "]".repeat(depth);

        assertThat(WarehouseJson.problem(json) == null).isEqualTo(depth <= 500);
    }

    @Property
    void texts_are_held_whatever_is_in_them(@ForAll String text) {
        String escaped = text.replace("\\", "\\\\").replace("\"", "\\\"");

        assertThat(WarehouseJson.problem("{\"" + escaped + "\": \"" + escaped + "[[1e999\"}"))
                .isNull();
    }

    @Example
    void the_reason_names_the_number() {
        assertThat(WarehouseJson.problem("{\"id\": 922337203685477580701}")).contains("922337203685477580701");
        assertThat(WarehouseJson.problem("[1e400]")).contains("1e400", "beyond");
        assertThat(WarehouseJson.problem("0.01207"))
                .contains("0.01207", "0.012070000000000001", "warehouse.json-numbers=round");
        assertThat(WarehouseJson.problem("[0." + "1".repeat(5_000) + "]")).hasSizeLessThan(200);
    }
}
