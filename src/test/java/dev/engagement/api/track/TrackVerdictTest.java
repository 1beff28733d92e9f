package dev.engagement.api.track;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TrackVerdictTest {

    @ParameterizedTest
    @CsvSource({
        "08006, AWAY",
        "57P01, AWAY",
        "57P03, AWAY",
        "57014, AWAY",
        "53300, AWAY",
        "53100, AWAY",
        "25006, AWAY",
        "25P03, AWAY",
        "26000, AWAY",
        "0A000, AWAY",
        "58030, AWAY",
        "40001, CONFLICT",
        "40P01, CONFLICT",
        "55P03, LOCKED",
        "28P01, REFUSED",
        "3D000, REFUSED",
        "42501, REFUSED",
        "42P01, REFUSED",
        "XX001, REFUSED",
        "22P02, RECORD",
        "22003, RECORD",
        "23503, RECORD",
        "23514, RECORD",
        "54000, RECORD",
        "P0001, RECORD",
        "ZZ999, RECORD"
    })
    void by_sqlstate(String state, TrackVerdict verdict) {
        assertThat(of(state)).isEqualTo(verdict);
    }

    @Test
    void the_driver_s_own_complaints_are_about_connections() {
        assertThat(of(null)).isEqualTo(TrackVerdict.AWAY);
        assertThat(of("")).isEqualTo(TrackVerdict.AWAY);
    }

    private static TrackVerdict of(@Nullable String state) {
        return TrackVerdict.of(new SQLException("why", state));
    }
}
