package dev.engagement.rollup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.RollupRow;
import dev.engagement.rollup.definition.RollupDefinition;
import dev.engagement.rollup.definition.RollupDefinitions;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CellDifferenceTest {

    private static final RollupDefinition ROLLUP = RollupDefinitions.parse(
                    List.of("mine"),
                    Map.of(
                            "mine.by", "device",
                            "mine.window", "1 min",
                            "mine.measures",
                                    "count,value=sum(raw_payload.value),least=min(raw_payload.value),users=unique(user_id),"
                                            + "played=unique_if(event_type = play)"))
            .get(0);

    private static RollupRow row(boolean exact, long skipped, long version, @Nullable String... values) {
        List<@Nullable BigDecimal> numbers = new ArrayList<>();
        for (String value : values) {
            numbers.add(value == null ? null : new BigDecimal(value));
        }
        return new RollupRow("mine", 60_000, 120_000, List.of("tv"), numbers, exact, skipped, version, true);
    }

    private static @Nullable String difference(@Nullable RollupRow expected, @Nullable RollupRow found) {
        return CellDifference.of(ROLLUP, expected, found);
    }

    @Test
    void equal_numbers_are_equal_however_they_are_written_and_of_whatever_generation() {
        RollupRow expected = row(true, 1, 3, "3", "4.50", null, "2", "1");

        assertThat(difference(expected, row(true, 1, 3, "3", "4.5", null, "2", "1")))
                .isNull();
        assertThat(difference(expected, row(true, 1, RollupVersion.computedAnew(0, 3), "3", "4.500", null, "2", "1")))
                .isNull();
        assertThat(CellDifference.isSame(ROLLUP, expected, expected)).isTrue();
    }

    @Test
    void each_number_that_differs_is_told() {
        RollupRow expected = row(true, 1, 3, "3", "4.5", null, "2", "1");

        assertThat(difference(expected, row(true, 0, 2, "2", "4.50", "7", "2", "0")))
                .isEqualTo("count 2, by SQL 3; least 7, by SQL nothing; played 0, by SQL 1; skipped 0, by SQL 1;"
                        + " of 2 events, by SQL of 3");
        assertThat(difference(expected, null))
                .isEqualTo("no row, and by SQL count 3, value 4.5, least nothing, users 2, played 1");
        assertThat(difference(null, row(true, 0, 1, "1", "0", null, "1", "0")))
                .isEqualTo("count 1, value 0, least nothing, users 1, played 0, and by SQL no event");
        RollupRow elsewhere = new RollupRow("mine", 60_000, 90_000, List.of("tv"), expected.values(), true, 1, 3, true);
        assertThat(difference(expected, elsewhere)).isEqualTo("window_end is not the window's end");
    }

    @ParameterizedTest
    @CsvSource({
        // 5 standard errors of 1.625 % of 2,000 are 162.5.
        "2000, false, 2162, ",
        "2000, false, 1838, ",
        "2000, false, 2163, 'users 2163, by SQL 2000'",
        "2000, true, 2001, 'users 2001, by SQL 2000'",
        "1025, false, 1030, ",
        "1024, false, 1024, 'users are estimated, and are no more than 1024'",
    })
    void an_estimate_may_be_off_by_five_standard_errors(
            String counted, boolean exact, String told, @Nullable String difference) {
        RollupRow expected = row(true, 0, 5_000, "5000", "1", "1", counted, "5");
        RollupRow found = row(exact, 0, 5_000, "5000", "1", "1", told, "5");

        assertThat(difference(expected, found)).isEqualTo(difference);
        assertThat(CellDifference.isSame(ROLLUP, expected, found))
                .as("what is estimated is not what is counted")
                .isFalse();
    }

    @Test
    void beside_an_estimate_the_others_are_counted() {
        RollupRow expected = row(true, 0, 5_000, "5000", "1", "1", "2000", "5");

        assertThat(difference(expected, row(false, 0, 5_000, "5000", "1", "1", "2000", "6")))
                .isEqualTo("played 6, by SQL 5");
    }

    @Test
    void zeros_of_no_events_are_as_good_as_no_row() {
        RollupRow gone = CellDifference.nothing(ROLLUP, row(true, 1, 3, "3", "4.5", "1", "2", "1"));

        assertThat(gone).isEqualTo(row(true, 0, 1_000_000_000_000L, "0", "0", null, "0", "0"));
        assertThat(CellDifference.isNothing(gone)).isTrue();
        assertThat(difference(null, gone)).isNull();
        assertThat(CellDifference.isSame(ROLLUP, null, gone)).isTrue();
        assertThat(CellDifference.isNothing(row(true, 0, 1, "0", "0", null, "0", "0")))
                .isFalse();
    }

    @Test
    void versions_are_a_generation_and_a_number_of_events() {
        long first = RollupVersion.computedAnew(7, 5);
        long second = RollupVersion.computedAnew(first, 2);

        assertThat(first).isEqualTo(1_000_000_000_005L);
        assertThat(second).isEqualTo(2_000_000_000_002L).isGreaterThan(first);
        assertThat(RollupVersion.events(second)).isEqualTo(2);
        assertThat(RollupVersion.generation(second)).isEqualTo(2);
    }

    @Test
    void texts_stand_in_the_order_of_their_code_points() {
        List<String> ordered =
                List.of("", "A", "Aa", "a", "\u00e9", "\ud7ff", "\ufffd", "\ud83d\ude00", "\ud83d\ude01");
        for (int i = 0; i < ordered.size(); i++) {
            for (int j = 0; j < ordered.size(); j++) {
                assertThat(Integer.signum(CellComparison.compare(ordered.get(i), ordered.get(j))))
                        .isEqualTo(Integer.compare(i, j));
            }
        }
    }
}
