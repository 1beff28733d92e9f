package dev.engagement.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TimestampsTest {

    @ParameterizedTest
    @CsvSource({
        "2026-01-08T14:21:52Z, 2026-01-08T14:21:52.000000Z",
        "2026-01-08T14:21:52.5Z, 2026-01-08T14:21:52.500000Z",
        "2026-01-08T14:21:52.678901Z, 2026-01-08T14:21:52.678901Z",
        "2026-01-08T14:21:52.678901999Z, 2026-01-08T14:21:52.678901Z",
        "2026-01-08T16:21:52+02:00, 2026-01-08T14:21:52.000000Z",
        "2026-01-08 14:21:52+00, 2026-01-08T14:21:52.000000Z",
        "2024-02-29T00:00:00Z, 2024-02-29T00:00:00.000000Z",
        "0001-01-01T00:00:00Z, 0001-01-01T00:00:00.000000Z",
        "9999-12-31T23:59:59.999999Z, 9999-12-31T23:59:59.999999Z",
        "1969-12-31T23:59:59.999999Z, 1969-12-31T23:59:59.999999Z",
    })
    void reads(String text, String canonical) {
        assertThat(Timestamps.format(Timestamps.parse(text))).isEqualTo(canonical);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "infinity",
                "-infinity",
                "2026-01-08",
                "2026-01-08T14:21:52",
                "2026-01-08T14:21:52.Z",
                "2026-01-08T14:21:52.1234567890Z",
                "2026-01-08T24:00:00Z",
                "2026-01-08T14:60:00Z",
                "2026-01-08T14:21:60Z",
                "2025-02-29T00:00:00Z",
                "0000-01-01T00:00:00Z",
                "10000-01-01T00:00:00Z",
                "+10000-01-01T00:00:00Z",
                "0001-01-01T00:00:00+00:01",
                "9999-12-31T23:59:59-00:01",
                "2026-01-08T14:21:52+19:00",
                "2026-01-08T14:21:52+0200",
                "2026-01-08T14:21:52Zx",
                "2026-01-08T14:21:52Z ",
                "0044-03-15T00:00:00Z BC",
            })
    void refuses(String text) {
        assertThat(Timestamps.parse(text)).isEqualTo(Timestamps.INVALID);
    }

    @Test
    void does_not_format_what_it_could_not_read() {
        assertThatThrownBy(() -> Timestamps.format(Timestamps.MAX_MICROS + 1)).hasMessageContaining("years 1..9999");
    }
}
