package dev.engagement.rollup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.rollup.definition.KeyPart;
import dev.engagement.rollup.definition.KeyPart.Source;
import dev.engagement.rollup.definition.Measure;
import dev.engagement.rollup.definition.Measure.Function;
import dev.engagement.rollup.definition.RollupDefinition;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RollupTableTest {

    private static final KeyPart SIZE = new KeyPart("window_size", Source.WINDOW_SIZE, null);
    private static final KeyPart TYPE = new KeyPart("event_type", Source.EVENT_TYPE, null);
    private static final Measure COUNT = new Measure("count", Function.COUNT, null, null);
    private static final Measure SUM = new Measure("total_value", Function.SUM, "value", null);
    private static final Measure USERS = new Measure("unique_users", Function.UNIQUE, null, null);

    @Test
    void columns_have_the_types_of_what_is_written_into_them() {
        assertThat(RollupTable.of(rollup("metrics_30s", 30, List.of(SIZE, TYPE), COUNT, SUM, USERS))
                        .create())
                .isEqualTo("CREATE TABLE IF NOT EXISTS \"metrics\" (\"window_start\" timestamp with time zone NOT NULL,"
                        + " \"window_size\" text NOT NULL, \"event_type\" text NOT NULL,"
                        + " \"window_end\" timestamp with time zone NOT NULL, \"count\" bigint NOT NULL,"
                        + " \"total_value\" numeric NOT NULL, \"unique_users\" bigint NOT NULL,"
                        + " \"unique_users_exact\" boolean NOT NULL, \"skipped\" bigint NOT NULL,"
                        + " \"version\" bigint NOT NULL,"
                        + " PRIMARY KEY (\"window_start\", \"window_size\", \"event_type\"))");
    }

    @Test
    void the_least_and_the_greatest_of_nothing_are_null() {
        Measure least = new Measure("least", Function.MIN, "value", null);
        Measure greatest = new Measure("greatest", Function.MAX, "value", null);

        assertThat(RollupTable.of(rollup("r", 60, List.of(), least, greatest)).create())
                .contains("\"least\" numeric, \"greatest\" numeric, \"skipped\"")
                .endsWith("PRIMARY KEY (\"window_start\"))");
    }

    @Test
    void a_comment_is_read_as_it_was_written() {
        TableMeaning meaning = TableMeaning.of(
                List.of(rollup("b", 60, List.of(SIZE, TYPE), COUNT), rollup("a", 30, List.of(SIZE, TYPE), COUNT)));

        assertThat(meaning.fingerprints()).hasSize(2).isSorted();
        assertThat(TableMeaning.parse(meaning.text())).isEqualTo(meaning);
        assertThat(meaning.plus(meaning)).isEqualTo(meaning);
    }

    @Test
    void what_somebody_else_wrote_is_no_meaning() {
        assertThat(TableMeaning.parse(null)).isNull();
        assertThat(TableMeaning.parse("our metrics")).isNull();
    }

    @Test
    void a_table_has_numbers_of_one_meaning() {
        RollupDefinition views = rollup("views", 120, List.of(TYPE), COUNT);
        TableMeaning meaning = TableMeaning.of(List.of(views));

        assertThat(meaning.conflictWith(views)).isEmpty();
        assertThat(meaning.conflictWith(rollup("renamed", 120, List.of(TYPE), COUNT)))
                .isEmpty();
        assertThat(meaning.conflictWith(rollup("views", 60, List.of(TYPE), COUNT)))
                .isEqualTo(Optional.of(views.fingerprint()));
        assertThat(TableMeaning.NONE.conflictWith(views)).isEmpty();
    }

    @Test
    void sizes_of_windows_may_share_a_table_if_they_differ_in_nothing_else() {
        TableMeaning meaning = TableMeaning.of(List.of(rollup("metrics_30s", 30, List.of(SIZE, TYPE), COUNT)));

        assertThat(meaning.conflictWith(rollup("metrics_1m", 60, List.of(SIZE, TYPE), COUNT)))
                .isEmpty();
        assertThat(meaning.conflictWith(rollup("metrics_1m", 60, List.of(SIZE, TYPE), SUM)))
                .isPresent();
        RollupDefinition otherSlide = new RollupDefinition(
                "metrics_b",
                List.of(SIZE, TYPE),
                null,
                30_000,
                10_000,
                List.of(COUNT),
                "metrics",
                Duration.ofDays(30),
                true);
        assertThat(meaning.conflictWith(otherSlide)).isPresent();
    }

    private static RollupDefinition rollup(String name, int seconds, List<KeyPart> by, Measure... measures) {
        return new RollupDefinition(
                name,
                by,
                null,
                seconds * 1_000L,
                seconds * 1_000L,
                List.of(measures),
                "metrics",
                Duration.ofDays(30),
                true);
    }
}
