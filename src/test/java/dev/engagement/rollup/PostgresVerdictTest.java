package dev.engagement.rollup;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PostgresVerdictTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "08000", "08001", "08003", "08006", "08P01", "25006", "25P02", "40001", "40P01", "53100", "53200",
                "53300", "55000", "55006", "57014", "57P01", "57P02", "57P03", "57P05", "58000", "58030"
            })
    void what_passes_by_itself_is_transient(String state) {
        assertThat(verdict(state)).isEqualTo(PostgresVerdict.TRANSIENT);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "0A000", "28000", "28P01", "3D000", "3F000", "42501", "42601", "42703", "42804", "42883", "42P01",
                "42P10", "428C9", "XX000", "XX001", "XX002"
            })
    void what_needs_a_person_is_refused(String state) {
        assertThat(verdict(state)).isEqualTo(PostgresVerdict.REFUSED);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "21000", "22001", "22003", "22021", "22P02", "23502", "23503", "23505", "23514", "23P01", "44000",
                "54000", "P0001", "ZZZZZ"
            })
    void what_is_about_a_row_is_about_that_row(String state) {
        assertThat(verdict(state)).isEqualTo(PostgresVerdict.RECORD);
    }

    @Test
    void a_lock_that_was_waited_for_in_vain_is_somebody_elses() {
        assertThat(verdict("55P03")).isEqualTo(PostgresVerdict.LOCKED);
    }

    @Test
    void a_failure_of_the_driver_without_a_state_is_about_the_connection() {
        assertThat(verdict(null)).isEqualTo(PostgresVerdict.TRANSIENT);
        assertThat(verdict("")).isEqualTo(PostgresVerdict.TRANSIENT);
    }

    private static PostgresVerdict verdict(String state) {
        return PostgresVerdict.of(new SQLException("as told", state));
    }
}
