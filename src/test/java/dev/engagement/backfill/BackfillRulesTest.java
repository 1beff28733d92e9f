package dev.engagement.backfill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.engagement.deadletter.Reason;
import dev.engagement.event.EventId;
import dev.engagement.event.types.testing.GoldenBytes;
import dev.engagement.source.ContentRow;
import dev.engagement.source.EventRow;
import dev.engagement.source.IdRange;
import dev.engagement.source.RangeOptions;
import dev.engagement.source.TableRow;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class BackfillRulesTest {

    private static final Instant NINE = Instant.parse("2026-01-08T09:00:00Z");

    @Test
    void aRangeBeginsBeforeItEndsAndEndsInThePast() {
        RangeOptions range = RangeOptions.of(NINE, NINE.plusSeconds(1));

        range.requirePast(NINE.plusSeconds(1));
        assertThat(RangeOptions.of(Instant.parse("0001-01-01T00:00:00Z"), Instant.parse("9999-12-31T23:59:59.999999Z")))
                .hasToString("[0001-01-01T00:00:00.000000Z, 9999-12-31T23:59:59.999999Z)");
        assertThat(range).hasToString("[2026-01-08T09:00:00.000000Z, 2026-01-08T09:00:01.000000Z)");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> range.requirePast(NINE))
                .withMessageContaining("to is 2026-01-08T09:00:01.000000Z, which is in the future");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> RangeOptions.of(NINE, NINE))
                .withMessageContaining("from must be before to");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> RangeOptions.of(null, NINE))
                .withMessageContaining("from is missing; give --from and --to");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> RangeOptions.of(Instant.parse("-0044-03-15T12:00:00Z"), NINE))
                .withMessageContaining("must lie within years 1..9999");
    }

    @Test
    void progressSaysRateAndRemainingTime() {
        assertThat(new Progress(250_000, 1_000_000, Duration.ofSeconds(5)).text())
                .isEqualTo("250,000 of 1,000,000 rows read (25 %), 50,000 rows/s, 15 s left");
        assertThat(new Progress(1, 1_000_000, Duration.ofSeconds(1)).text()).endsWith("(0 %), 1 rows/s, 278 h left");
        assertThat(new Progress(0, 10, Duration.ZERO).text()).endsWith("remaining time unknown");
        assertThat(new Progress(12, 10, Duration.ofSeconds(1)).text())
                .contains("(100 %)")
                .endsWith("at the end");
    }

    @Test
    void samplesCountAllAndShowAFew() {
        Samples some = new Samples();
        for (long id : List.of(3L, 1L, 2L)) {
            some.add(EventId.of(id));
        }
        Samples others = new Samples();
        for (long id = 4; id <= 20; id++) {
            others.add(EventId.of(id));
        }
        assertThat(some.ids()).isEqualTo("ids 1, 2, 3");

        some.addAll(others);

        assertThat(some.count()).isEqualTo(20);
        assertThat(some.ids()).isEqualTo("ids 1, 2, 3, 4, 5, …");
    }

    @Test
    void ofAnEventsLettersTheLastOneCounts() {
        LetterReasons letters = new LetterReasons();
        for (long id : List.of(Long.MIN_VALUE, -1L, 0L, 65_535L, 65_536L, Long.MAX_VALUE)) {
            letters.add(id, Reason.REJECTED);
            assertThat(letters.reasonOf(id)).isEqualTo(Reason.REJECTED);
        }
        letters.add(-1, Reason.UNRESOLVED);

        assertThat(letters.reasonOf(-1)).isEqualTo(Reason.UNRESOLVED);
        assertThat(letters.reasonOf(0)).isEqualTo(Reason.REJECTED);
        for (long none : List.of(Long.MIN_VALUE + 1, -2L, 1L, 65_534L, 65_537L, Long.MAX_VALUE - 1)) {
            assertThat(letters.reasonOf(none)).as("of %d", none).isNull();
        }
    }

    @Test
    void theStreamHasPassedWhatItsOffsetsPassed() {
        Map<Integer, Long> ends = Map.of(0, 10L, 3, 5L);

        assertThat(Backfill.hasPassed(Map.of(0, 10L, 1, 0L, 3, 7L), ends)).isTrue();
        assertThat(Backfill.hasPassed(Map.of(0, 9L, 3, 7L), ends)).isFalse();
        assertThat(Backfill.hasPassed(Map.of(0, 10L), ends))
                .as("a partition that it said nothing of")
                .isFalse();
        assertThat(Backfill.hasPassed(Map.of(), Map.of())).isTrue();
    }

    @Test
    void stateOfARebuildOfVersion1IsRead() throws Exception {
        TableSplit.Serializer splits = new TableSplit.Serializer();
        GoldenBytes.assertThatVersion1IsRead(
                "rebuild-split-of-contents", splits, TableSplit.ofContents("00000003-0000001B-1"));
        GoldenBytes.assertThatVersion1IsRead(
                "rebuild-split-of-events",
                splits,
                TableSplit.ofEvents(new IdRange(Long.MIN_VALUE, Long.MAX_VALUE), null));
        GoldenBytes.assertThatVersion1IsRead(
                "rebuild-split-read",
                splits,
                TableSplit.ofEvents(new IdRange(1, 9), "s").withIds(IdRange.EMPTY));
        RebuildPlan.Serializer plans = new RebuildPlan.Serializer();
        GoldenBytes.assertThatVersion1IsRead("rebuild-plan-unknown", plans, RebuildPlan.UNKNOWN);
        GoldenBytes.assertThatVersion1IsRead(
                "rebuild-plan",
                plans,
                new RebuildPlan(new IdRange(5, 9), List.of(new IdRange(1, 2), new IdRange(3, 3))));
    }

    @Test
    void rowsOutsideOfTheirChainAreReadAsTheyWereWritten() throws Exception {
        TableRowType.Serializer rows = new TableRowType.Serializer();
        for (TableRow row : List.of(
                new EventRow(7, "c", null, "play", "2026-01-08 14:21:52+00", 5, null, "{}"),
                new EventRow(-7, null, "u", null, "infinity", null, "web", null),
                new ContentRow("c", "s", null, "video", 300, null),
                new TableRow.ContentsEnd())) {
            assertThat(rows.copy(row)).isEqualTo(row);
            var out = new org.apache.flink.core.memory.DataOutputSerializer(64);
            rows.serialize(row, out);
            assertThat(rows.deserialize(new org.apache.flink.core.memory.DataInputDeserializer(out.getCopyOfBuffer())))
                    .isEqualTo(row);
        }
    }
}
