package dev.engagement.event;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.util.OptionalLong;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

class IntegersProperties {

    @Property
    void every_long_is_found_and_nothing_beyond(@ForAll BigInteger number) {
        boolean fits = number.bitLength() <= 63;

        assertThat(Integers.parse(number.toString()))
                .isEqualTo(fits ? OptionalLong.of(number.longValue()) : OptionalLong.empty());
    }

    @Property
    void what_is_no_number_is_none(@ForAll String text) {
        boolean number = text.matches("-?[0-9]+");

        assertThat(Integers.parse(text).isPresent() && !number).isFalse();
    }

    @Example
    void the_ends_are_numbers() {
        assertThat(Integers.parse("9223372036854775807")).hasValue(Long.MAX_VALUE);
        assertThat(Integers.parse("-9223372036854775808")).hasValue(Long.MIN_VALUE);
        assertThat(Integers.parse("9223372036854775808")).isEmpty();
        assertThat(Integers.parse("1000000000000000000")).hasValue(1_000_000_000_000_000_000L);
        assertThat(Integers.parse("")).isEmpty();
        assertThat(Integers.parse("-")).isEmpty();
        assertThat(Integers.parse(null)).isEmpty();
    }
}
