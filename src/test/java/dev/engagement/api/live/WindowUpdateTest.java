package dev.engagement.api.live;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WindowUpdateTest {

    @Test
    void a_window_by_event_type_and_size_is_a_metric() {
        String json = Samples.window("click", 1, 3);

        WindowUpdate window = WindowUpdate.parse(json);

        assertThat(window).isNotNull();
        assertThat(window.isMetric()).isTrue();
        assertThat(window.eventType()).isEqualTo("click");
        assertThat(window.windowSize()).isEqualTo("30s");
        assertThat(window.rollup()).isNull();
        assertThat(window.endMillis()).isEqualTo(Samples.START + 40_000);
        assertThat(window.json()).isEqualTo(json);
    }

    @Test
    void what_changes_in_a_window_is_no_part_of_its_subject_and_its_key_and_start_are() {
        String subject = subject(Samples.window("click", 1, 3));

        assertThat(subject(Samples.window("click", 1, 4))).isEqualTo(subject);
        assertThat(subject(Samples.window("click", 2, 3))).isNotEqualTo(subject);
        assertThat(subject(Samples.window("play", 1, 3))).isNotEqualTo(subject);
        assertThat(subject(rollup("video", "web"))).isNotEqualTo(subject(rollup("video", "ios")));
    }

    @Test
    void a_message_becomes_a_line() {
        WindowUpdate window = WindowUpdate.parse("{\n\"window_start\":1,\r\n\"window_end\":2}");

        assertThat(window).isNotNull();
        assertThat(window.json()).isEqualTo("{ \"window_start\":1,  \"window_end\":2}");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "hello",
                "[]",
                "null",
                "{}",
                "{\"window_start\":1}",
                "{\"window_start\":1,\"window_end\":\"2\"}",
                "{\"window_start\":1,\"window_end\":2",
                "{\"window_start\":1,\"window_end\":2} {}",
                "{\"window_start\":1,\"window_end\":9223372036854775808}"
            })
    void what_is_no_window_is_none(String text) {
        assertThat(WindowUpdate.parse(text)).isNull();
    }

    @Test
    void what_is_too_long_is_not_read() {
        String text = "{\"window_start\":1,\"window_end\":2,\"x\":\"" + "y".repeat(WindowUpdate.MAX_CHARS) + "\"}";

        assertThat(WindowUpdate.parse(text)).isNull();
    }

    private static String rollup(String contentType, String device) {
        return "{\"window_start\":1,\"window_end\":2,\"count\":1,\"content_type\":\"" + contentType + "\",\"device\":\""
                + device + "\",\"rollup\":\"hourly\"}";
    }

    private static String subject(String json) {
        WindowUpdate window = WindowUpdate.parse(json);
        assertThat(window).isNotNull();
        return window.subject();
    }
}
