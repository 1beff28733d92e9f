package dev.engagement.local.bigquery;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonRuleTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "null",
                "{}",
                " [1, 2.5, -3e2, \"x\", true, {\"a\": null}] ",
                "18446744073709551615",
                "-9223372036854775808",
                "0.1",
                "3.141592653589793",
                "1e20",
                "1e308",
                "100000000000000000000",
                "0.20023864755030019",
                "0.01206",
                "-0.0",
                "1.500e-320",
                "0.00"
            })
    void what_bigquery_holds_is_held(String json) {
        assertThat(JsonRule.violation(json)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "{", "{\"a\":}", "nope", "'x'", "{\"a\": 1,}", "1 2", "{} {}", "NaN", "[1"})
    void what_is_no_json_is_refused(String json) {
        assertThat(JsonRule.violation(json))
                .hasValueSatisfying(why -> assertThat(why).startsWith("Invalid JSON"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "18446744073709551617",
                "-9223372036854775809",
                "3.14159265358979323846",
                "0.1234567890123456789",
                "1e309",
                "1e-400",
                "[1e999999999999]",
                // As BigQuery's relative with the same arithmetic was seen to do.
                "0.2002386475503002",
                "-0.707176497086",
                "0.0928069675519494",
                "0.01207"
            })
    void numbers_that_change_on_their_way_are_refused(String json) {
        assertThat(JsonRule.violation(json))
                .hasValueSatisfying(why -> assertThat(why).contains("cannot round-trip"));
    }

    @Test
    void nesting_has_an_end() {
        assertThat(JsonRule.violation("[".repeat(500) + "]".repeat(500))).isEmpty();
        assertThat(JsonRule.violation("[".repeat(501) + "]".repeat(501)))
                .hasValueSatisfying(why -> assertThat(why).contains("deeper than 500"));
    }
}
