package dev.engagement.api.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class QueryTest {

    @Test
    void values_are_decoded_once() {
        assertThat(Query.parse("a=1&b=x%26y%3Dz&c=a+b&d=%C3%BC&e&f=&g=%2525&&h=a=b"))
                .containsExactly(
                        entry("a", "1"),
                        entry("b", "x&y=z"),
                        entry("c", "a b"),
                        entry("d", "ü"),
                        entry("e", ""),
                        entry("f", ""),
                        entry("g", "%25"),
                        entry("h", "a=b"));
        assertThat(Query.parse(null)).isEmpty();
        assertThat(Query.parse("")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "limit=1&limit=2",
                "limit=1&l%69mit=2",
                "a=%",
                "a=%4",
                "a=%zz",
                "a=%ff",
                "a=%c0%ae",
                "a=ü",
                "a=b c",
                "a=\u0001",
                "a=%１１"
            })
    void what_is_given_twice_or_malformed_is_refused(String query) {
        assertThatThrownBy(() -> Query.parse(query))
                .isInstanceOfSatisfying(
                        ProblemException.class,
                        refused -> assertThat(refused.problem().status()).isEqualTo(400));
    }

    @Test
    void it_has_a_bounded_size() {
        String many = IntStream.range(0, 33).mapToObj(i -> "p" + i + "=1").collect(Collectors.joining("&"));

        assertThatThrownBy(() -> Query.parse(many)).isInstanceOf(ProblemException.class);
        assertThatThrownBy(() -> Query.parse("a=" + "b".repeat(8_192))).isInstanceOf(ProblemException.class);
    }

    @Test
    void a_name_in_a_message_is_printable() {
        assertThatThrownBy(() -> Query.parse("%0a%1b=1&%0a%1b=2"))
                .isInstanceOfSatisfying(ProblemException.class, refused -> assertThat(
                                refused.problem().detail())
                        .contains("??")
                        .doesNotContain("\n"));
    }
}
