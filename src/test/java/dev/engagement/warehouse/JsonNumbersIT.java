package dev.engagement.warehouse;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.local.bigquery.EmulatorRule;
import java.math.BigDecimal;
import java.math.BigInteger;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;

/** The numbers that the job sends are those that the emulator takes, which has the rule from its definition. */
class JsonNumbersIT {

    @Property
    void other_numbers_are_held_if_the_emulator_holds_them(@ForAll("decimals") String number) {
        assertThat(WarehouseJson.problem("[" + number + "]") == null).as(number).isEqualTo(EmulatorRule.holds(number));
    }

    @Property
    void what_is_written_for_a_double_is_the_double_and_is_held(@ForAll("doubles") double value) {
        Grisu2.Decimal written = Grisu2.digits(value);
        BigDecimal decimal = new BigDecimal(BigInteger.valueOf(written.digits()), -written.exponent());

        assertThat(decimal.doubleValue()).isEqualTo(value);
        assertThat(decimal).isEqualByComparingTo(EmulatorRule.written(value));
        assertThat(WarehouseJson.problem("[" + decimal + "]")).isNull();
    }

    @Property
    void fractions_of_few_digits_are_held_unless_they_are_written_otherwise(
            @ForAll @LongRange(max = 1_000_000_000L) long digits, @ForAll @IntRange(max = 12) int places) {
        String number = new BigDecimal(BigInteger.valueOf(digits), places).toPlainString() + (places == 0 ? ".0" : "");

        assertThat(WarehouseJson.problem(number) == null).as(number).isEqualTo(EmulatorRule.holds(number));
    }

    @Provide
    Arbitrary<Double> doubles() {
        return Arbitraries.longs()
                .map(bits -> Math.abs(Double.longBitsToDouble(bits)))
                .filter(value -> value > 0 && Double.isFinite(value));
    }

    @Provide
    Arbitrary<String> decimals() {
        Arbitrary<String> digits =
                Arbitraries.strings().numeric().ofMinLength(1).ofMaxLength(22);
        Arbitrary<Integer> exponents = Arbitraries.integers().between(-340, 320);
        return Combinators.combine(digits, exponents, Arbitraries.of("", "-"))
                .as((fraction, exponent, sign) -> sign + "1." + fraction + (exponent == 0 ? "" : "e" + exponent));
    }
}
