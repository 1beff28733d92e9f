package dev.engagement.clickhouse;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.rowstore.RowVerdict;
import dev.engagement.rowstore.RowVerdict.Operation;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ClickHouseVerdictTest {

    @ParameterizedTest
    @CsvSource({
        // Nothing was answered; memory, queries at once, too many parts, disk full.
        "0, TRANSIENT, TRANSIENT, TRANSIENT",
        "241, TRANSIENT, TRANSIENT, TRANSIENT",
        "202, TRANSIENT, TRANSIENT, TRANSIENT",
        "252, TRANSIENT, TRANSIENT, TRANSIENT",
        "243, TRANSIENT, TRANSIENT, TRANSIENT",
        // A table that is not there.
        "60, TERMINAL, STREAM_LOST, STREAM_LOST",
        // A value that is none; a column that is not there; a wrong password.
        "117, TERMINAL, RECORD, TERMINAL",
        "16, TERMINAL, TERMINAL, TERMINAL",
        "516, TERMINAL, TERMINAL, TERMINAL",
    })
    void an_error_has_a_verdict(int code, RowVerdict opening, RowVerdict appending, RowVerdict showing) {
        assertThat(ClickHouseVerdict.of(Operation.OPEN, code)).isEqualTo(opening);
        assertThat(ClickHouseVerdict.of(Operation.APPEND, code)).isEqualTo(appending);
        assertThat(ClickHouseVerdict.of(Operation.SHOW, code)).isEqualTo(showing);
    }

    @Test
    void rows_that_are_named_are_letters() {
        ClickHouseFailure failure = ClickHouseFailure.ofRows(new TreeMap<>(Map.of(3, "no JSON")));

        assertThat(failure.verdict(Operation.APPEND)).isEqualTo(RowVerdict.RECORD);
    }
}
