package dev.engagement.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.delivery.DeliveryOptions.StatusRange;
import dev.engagement.delivery.DeliveryOptions.Success;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DeliveryVerdictTest {

    private static final long NOW = Instant.parse("2026-01-08T14:21:52.000Z").toEpochMilli();
    private static final long HOUR = 3_600_000;

    private static final SuccessRule BY_FIELD =
            new SuccessRule(new Success(Success.ANY_2XX.statuses(), "status", Set.of("ok", "0", "true", "null")));

    @ParameterizedTest
    @ValueSource(ints = {200, 201, 202, 204, 226, 299})
    void a_2xx_is_delivered(int status) {
        assertThat(of(status)).isEqualTo(new Verdict.Delivered(status));
    }

    @ParameterizedTest
    @ValueSource(ints = {408, 425, 429, 500, 501, 502, 503, 504, 507, 599})
    void what_passes_by_itself_is_tried_again_and_counts(int status) {
        assertThat(of(status)).isEqualTo(new Verdict.Retry(null, 0, "answered " + status, status));
    }

    @ParameterizedTest
    @ValueSource(ints = {300, 400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 424, 426, 428, 431, 451, 499, 600, 999})
    void everything_else_is_final(int status) {
        assertThat(of(status)).isInstanceOfSatisfying(Verdict.Final.class, verdict -> {
            assertThat(verdict.status()).isEqualTo(status);
            assertThat(verdict.why()).startsWith("answered " + status);
        });
    }

    @ParameterizedTest
    @ValueSource(ints = {301, 302, 303, 304, 307, 308})
    void redirects_are_final_and_say_why(int status) {
        assertThat(of(status))
                .isEqualTo(new Verdict.Final(status, "answered " + status + " (redirects are not followed)"));
    }

    @Test
    void no_answer_is_tried_again_and_never_counts() {
        assertThat(DeliveryVerdict.of(
                        new Answer.Unanswered(NoAnswer.CONNECTION_REFUSED, "ConnectException: refused"),
                        SuccessRule.ANY_2XX,
                        NOW))
                .isEqualTo(new Verdict.Retry(NoAnswer.CONNECTION_REFUSED, 0, "ConnectException: refused", 0));
    }

    @Test
    void statuses_that_are_a_success_are_configured() {
        SuccessRule rule = new SuccessRule(
                new Success(List.of(new StatusRange(200, 202), new StatusRange(409, 409)), null, Set.of()));

        assertThat(DeliveryVerdict.of(answered(409, ""), rule, NOW)).isEqualTo(new Verdict.Delivered(409));
        assertThat(DeliveryVerdict.of(answered(202, ""), rule, NOW)).isEqualTo(new Verdict.Delivered(202));
        assertThat(DeliveryVerdict.of(answered(203, ""), rule, NOW)).isEqualTo(new Verdict.Final(203, "answered 203"));
        assertThat(DeliveryVerdict.of(answered(410, ""), rule, NOW)).isInstanceOf(Verdict.Final.class);
    }

    // ---- Retry-After

    @ParameterizedTest
    @CsvSource({
        "'0', 0",
        "'1', 1000",
        "' 120 ', 120000",
        "'3600', 3600000",
        "'3601', 3600000",
        "'999999999', 3600000",
        "'99999999999999999999999999', 3600000",
        "'Thu, 08 Jan 2026 14:22:52 GMT', 60000",
        "'Thursday, 08-Jan-26 14:22:52 GMT', 60000",
        "'Thu Jan  8 14:22:52 2026', 60000",
        "'Thu, 08 Jan 2026 23:00:00 GMT', 3600000",
        "'Fri, 31 Dec 9999 23:59:59 GMT', 3600000",
        "'Thu, 08 Jan 2026 14:21:52 GMT', 0",
        "'Thu, 01 Jan 1970 00:00:00 GMT', 0",
    })
    void retry_after_is_waited_for_up_to_an_hour(String header, long millis) {
        assertThat(notBefore(429, header)).isEqualTo(NOW + millis);
        assertThat(notBefore(503, header)).isEqualTo(NOW + millis);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "-1",
                "+5",
                "1.5",
                "5s",
                "soon",
                "0x10",
                "١٢",
                "2026-01-08T14:22:52Z",
                "Thu, 45 Jan 2026 14:22:52 GMT",
                "Thu, 08 Jan 2026 14:22:52 GMT, 5"
            })
    void what_is_no_retry_after_is_ignored(String header) {
        assertThat(notBefore(429, header)).isZero();
    }

    @Test
    void retry_after_of_an_answer_that_is_not_tried_again_means_nothing() {
        assertThat(DeliveryVerdict.of(new Answer.Answered(404, "60", new byte[0], true), SuccessRule.ANY_2XX, NOW))
                .isEqualTo(new Verdict.Final(404, "answered 404"));
        assertThat(DeliveryVerdict.of(new Answer.Answered(200, "60", new byte[0], true), SuccessRule.ANY_2XX, NOW))
                .isEqualTo(new Verdict.Delivered(200));
    }

    // ---- The field

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"status\":\"ok\"}",
                "{\"status\":0}",
                "{\"status\":true}",
                "{\"status\":null}",
                "  {\"a\":{\"status\":\"error\"},\"b\":[{\"status\":\"error\"}],\"status\":\"ok\"} rubbish",
                "{\"status\":\"error\",\"status\":\"ok\"}",
                "{\"status\":\"ok\" rubbish",
                "{\"st\\u0061tus\":\"o\\u006b\"}",
            })
    void the_last_field_of_that_name_at_the_top_decides(String body) {
        assertThat(byField(body, true)).isEqualTo(new Verdict.Delivered(200));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"status\":\"error\"}",
                "{\"status\":\"OK\"}",
                "{\"status\":\"ok\",\"status\":\"error\"}",
                "{\"status\":00}",
                "{\"status\":0.0}",
                "{\"status\":false}",
                "{\"status\":{\"status\":\"ok\"}}",
                "{\"status\":[\"ok\"]}",
                "{\"data\":{\"status\":\"ok\"}}",
                "{}",
                "[{\"status\":\"ok\"}]",
                "\"ok\"",
                "ok",
                "",
                "<html>ok</html>",
                "{\"status\"",
                "{\"status\":\"ok",
                "{\"status\" \"ok\"}",
            })
    void a_success_whose_body_says_otherwise_is_tried_again_and_counts(String body) {
        assertThat(byField(body, true)).isInstanceOfSatisfying(Verdict.Retry.class, verdict -> {
            assertThat(verdict.answered()).isTrue();
            assertThat(verdict.status()).isEqualTo(200);
            assertThat(verdict.why()).startsWith("answered 200 (its body does not say that all is well)");
        });
    }

    @Test
    void a_body_of_deep_nesting_says_nothing() {
        assertThat(byField("{\"a\":" + "[".repeat(100_000), true))
                .isInstanceOfSatisfying(Verdict.Retry.class, verdict -> assertThat(verdict.answered())
                        .isTrue());
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"status\":\"ok\",\"mess", "{\"status\":\"ok\"", "{\"status\":0,"})
    void a_body_that_was_cut_off_behind_the_field_has_said_enough(String body) {
        assertThat(byField(body, false)).isEqualTo(new Verdict.Delivered(200));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{",
                "{\"status\":\"o",
                "{\"status\":\"ok",
                "{\"status\":0",
                "{\"status\":tru",
                "{\"a\":1",
                "x"
            })
    void a_body_that_was_cut_off_before_is_no_answer(String body) {
        assertThat(byField(body, false)).isInstanceOfSatisfying(Verdict.Retry.class, verdict -> {
            assertThat(verdict.answered()).isFalse();
            assertThat(verdict.why()).contains("cut off");
        });
    }

    @Test
    void the_field_is_asked_only_if_the_status_is_a_success() {
        assertThat(DeliveryVerdict.of(answered(400, "{\"status\":\"ok\"}"), BY_FIELD, NOW))
                .isInstanceOf(Verdict.Final.class);
        assertThat(DeliveryVerdict.of(answered(500, "{\"status\":\"ok\"}"), BY_FIELD, NOW))
                .isInstanceOfSatisfying(Verdict.Retry.class, verdict -> assertThat(verdict.answered())
                        .isTrue());
    }

    // ---- What is told

    @Test
    void the_beginning_of_the_body_is_told_on_one_line() {
        assertThat(DeliveryVerdict.of(answered(400, " {\r\n\t\"error\":\"Zürich\u0000\"}\n"), SuccessRule.ANY_2XX, NOW))
                .isEqualTo(new Verdict.Final(400, "answered 400: {   \"error\":\"Zürich \"}"));
        assertThat(((Verdict.Final) DeliveryVerdict.of(answered(400, "漢".repeat(70_000)), SuccessRule.ANY_2XX, NOW))
                        .why())
                .isEqualTo("answered 400: " + "漢".repeat(300) + "…");
        assertThat(((Verdict.Final) DeliveryVerdict.of(answered(400, "x".repeat(300)), SuccessRule.ANY_2XX, NOW)).why())
                .isEqualTo("answered 400: " + "x".repeat(300));
    }

    @Test
    void answers_and_requests_do_not_print_bodies() {
        assertThat(answered(400, "hunter2")).hasToString("Answered[400, 7 bytes]");
        assertThat(new Request("evt_1", "hunter2".getBytes(StandardCharsets.UTF_8)))
                .hasToString("Request[evt_1, 7 bytes]");
    }

    private static Verdict of(int status) {
        return DeliveryVerdict.of(answered(status, ""), SuccessRule.ANY_2XX, NOW);
    }

    private static Verdict byField(String body, boolean whole) {
        return DeliveryVerdict.of(
                new Answer.Answered(200, null, body.getBytes(StandardCharsets.UTF_8), whole), BY_FIELD, NOW);
    }

    private static long notBefore(int status, @Nullable String header) {
        Verdict verdict =
                DeliveryVerdict.of(new Answer.Answered(status, header, new byte[0], true), SuccessRule.ANY_2XX, NOW);
        assertThat(NOW + HOUR).isGreaterThanOrEqualTo(((Verdict.Retry) verdict).notBeforeMillis());
        return ((Verdict.Retry) verdict).notBeforeMillis();
    }

    private static Answer answered(int status, String body) {
        return new Answer.Answered(status, null, body.getBytes(StandardCharsets.UTF_8), true);
    }
}
