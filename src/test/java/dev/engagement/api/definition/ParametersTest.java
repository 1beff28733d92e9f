package dev.engagement.api.definition;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ParametersTest {

    @Test
    void defaults_stand_where_nothing_is_given() {
        Parameters parameters = of("realtime", Map.of("event_type", "click"));

        assertThat(parameters.text("event_type")).isEqualTo("click");
        assertThat(parameters.text("window_size")).isEqualTo("30s");
        assertThat(parameters.integer("limit")).isEqualTo(10);
        assertThat(parameters.text("limit")).isEqualTo("10");
    }

    @Test
    void an_empty_text_of_an_optional_parameter_is_not_given() {
        Parameters parameters = of("leaderboard", Map.of("type", "", "limit", "", "by", ""));

        assertThat(parameters.textOrNull("type")).isNull();
        assertThat(parameters.integer("limit")).isEqualTo(10);
        assertThat(parameters.text("by")).isEqualTo("events");
    }

    @Test
    void an_empty_event_type_is_one() {
        assertThat(of("realtime", Map.of("event_type", "")).text("event_type")).isEmpty();
        assertThatThrownBy(() -> of("content", Map.of("id", ""))).isInstanceOf(InvalidParameterException.class);
    }

    @Test
    void what_is_needed_and_missing_is_named_with_an_example() {
        InvalidParameterException refusal = refusal("realtime", Map.of());

        assertThat(refusal.name()).isEqualTo("event_type");
        assertThat(refusal.value()).isNull();
        assertThat(refusal)
                .hasMessage(
                        "event_type is missing; give it, as in /metrics/realtime?event_type=click&window_size=30s&limit=10");
    }

    @Test
    void what_nobody_knows_is_refused_with_what_is_known() {
        InvalidParameterException refusal = refusal("realtime", Map.of("event_type", "click", "limt", "5"));

        assertThat(refusal)
                .hasMessage("limt is '5'; leave it out: /metrics/realtime knows event_type, window_size, limit");
        assertThat(refusal("stats", Map.of("a", "b"))).hasMessage("a is 'b'; leave it out: /stats has no parameters");
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "101", "-1", "1.5", "1e2", "ten", " 5", "5 ", "+5", "٣", "99999999999999999999"})
    void a_limit_that_would_not_do_is_refused(String limit) {
        InvalidParameterException refusal = refusal("realtime", Map.of("event_type", "click", "limit", limit));

        assertThat(refusal.name()).isEqualTo("limit");
        assertThat(refusal.value()).isEqualTo(limit);
        assertThat(refusal.wayOut()).isEqualTo("give a whole number from 1 to 100");
    }

    @Test
    void an_id_may_have_64_bits() {
        Parameters parameters = of("event", Map.of("id", "9223372036854775807"));

        assertThat(parameters.number("id")).isEqualTo(Long.MAX_VALUE);
        assertThatThrownBy(() -> parameters.integer("id")).isInstanceOf(ArithmeticException.class);
        assertThat(refusal("event", Map.of("id", "-1")).wayOut())
                .isEqualTo("give a whole number from 0 of at most 19 digits");
    }

    @Test
    void a_choice_is_one_of_a_few() {
        assertThat(of("leaderboard", Map.of("by", "trending")).text("by")).isEqualTo("trending");
        assertThat(refusal("leaderboard", Map.of("by", "Trending")))
                .hasMessage("by is 'Trending'; choose one of events, seconds, trending");
    }

    @ParameterizedTest
    @CsvSource({
        "2026-01-08T09:00:00Z,           2026-01-08T09:00:00Z",
        "2026-01-08T10:00:00+01:00,      2026-01-08T09:00:00Z",
        "2026-01-08 09:00:00.123456Z,    2026-01-08T09:00:00.123456Z",
        "1767862800000,                  2026-01-08T09:00:00Z",
        "0,                              1970-01-01T00:00:00Z",
        "-1,                             1969-12-31T23:59:59.999Z",
    })
    void a_moment_is_read_in_both_forms(String text, Instant moment) {
        assertThat(history(text).instantOrNull("start_time")).isEqualTo(moment);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "yesterday",
                "2026-01-08",
                "2026-01-08T09:00:00",
                "2026-02-30T09:00:00Z",
                "2026-01-08T10:00:00 01:00",
                "253402300800000",
                "-9223372036854775808",
                "9999999999999999999",
                "infinity"
            })
    void what_is_no_moment_is_refused(String text) {
        InvalidParameterException refusal = refusal("history", Map.of("event_type", "click", "start_time", text));

        assertThat(refusal.name()).isEqualTo("start_time");
        assertThat(refusal.wayOut()).contains("2026-01-08T09:00:00Z", "%2B", "milliseconds");
    }

    @Test
    void a_moment_that_is_not_given_is_null() {
        assertThat(of("history", Map.of("event_type", "click")).instantOrNull("end_time"))
                .isNull();
    }

    @Test
    void control_characters_and_halves_of_pairs_are_refused_and_not_shown() {
        // Not as parameters of the test: reports of tests are XML, which cannot hold them.
        List<String> texts = List.of("a\0b", "a\r\nSet-Cookie: x", "a\u001bb", "a\u0085b", "\ud800", "a\udc00b");

        for (String text : texts) {
            InvalidParameterException refusal = refusal("realtime", Map.of("event_type", text));

            assertThat(refusal.wayOut()).contains("control characters");
            assertThat(refusal.getMessage().chars()).noneMatch(c -> Character.isISOControl(c) || c == 0xd800);
        }
    }

    @Test
    void a_text_is_bounded_in_bytes() {
        assertThat(of("realtime", Map.of("event_type", "ü".repeat(128))).text("event_type"))
                .hasSize(128);
        InvalidParameterException refusal = refusal("realtime", Map.of("event_type", "ü".repeat(129)));
        assertThat(refusal.wayOut()).isEqualTo("give a text of at most 256 bytes in UTF-8");
        assertThat(refusal.getMessage()).hasSizeLessThan(200);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "'; DROP TABLE content; --",
                "{x}:*",
                "../../etc/passwd",
                "<script>alert(1)</script>",
                "%00",
                "😀"
            })
    void a_text_is_a_text_whatever_it_says(String text) {
        assertThat(of("content", Map.of("id", text)).text("id")).isEqualTo(text);
    }

    @Test
    void a_name_that_the_operation_does_not_have_is_a_mistake_of_the_program() {
        Parameters parameters = of("stats", Map.of());

        assertThatThrownBy(() -> parameters.textOrNull("limit"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("stats")
                .hasMessageContaining("limit");
    }

    private static Parameters history(String startTime) {
        return of("history", Map.of("event_type", "click", "start_time", startTime));
    }

    private static Parameters of(String operation, Map<String, String> given) {
        return Parameters.of(ApiDefinition.get().operation(operation), given::get, given.keySet());
    }

    private static InvalidParameterException refusal(String operation, Map<String, String> given) {
        return catchThrowableOfType(InvalidParameterException.class, () -> of(operation, given));
    }
}
