package dev.engagement.capture;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.capture.SlotContinuity.Position;
import java.util.Map;
import org.apache.flink.cdc.connectors.base.source.meta.offset.Offset;
import org.apache.flink.cdc.connectors.postgres.source.offset.PostgresOffset;
import org.junit.jupiter.api.Test;

class StreamPositionTest {

    private final Offset start = PostgresOffset.of(Map.of("lsn", 50L, "ts_usec", 0L));
    private final StreamPosition position = new StreamPosition(start, SourceLine.UNKNOWN);

    @Test
    void withinTheFirstTransactionItStaysAtTheStart() {
        assertThat(position.after(Map.of("lsn", 80L, "lsn_proc", 80L, "ts_usec", 1L)))
                .isSameAs(start);
    }

    @Test
    void itStandsJustBeforeTheEndOfTheLastCompleteTransaction() {
        Offset after = position.after(Map.of("lsn", 130L, "lsn_proc", 130L, "lsn_commit", 120L, "ts_usec", 7L));

        assertThat(after.getOffset()).containsOnly(Map.entry("lsn", "119"), Map.entry("ts_usec", "7"));
        assertThat(position.after(Map.of("lsn", 140L, "lsn_proc", 140L, "lsn_commit", 120L, "ts_usec", 7L)))
                .as("the same within the transaction")
                .isSameAs(after);
    }

    @Test
    void aChangeThatIsOlderInTheLogThanTheLastCommitDoesNotMoveItBack() {
        position.after(Map.of("lsn", 130L, "lsn_commit", 120L));

        assertThat(StreamPosition.of(position.after(Map.of("lsn", 90L, "lsn_commit", 120L)))
                        .lsn())
                .isEqualTo(119);
    }

    @Test
    void itSaysWhichLineItIsOn() {
        SourceLine line = new SourceLine(0xF000_0000_0000_0001L, 3);
        Offset after = new StreamPosition(start, line).after(Map.of("lsn", 130L, "lsn_commit", 120L));

        assertThat(StreamPosition.lineOf(after)).isEqualTo(line);
        assertThat(StreamPosition.of(after).lsn()).isEqualTo(119);
        assertThat(StreamPosition.lineOf(start)).as("of a build before").isEqualTo(SourceLine.UNKNOWN);
        assertThat(StreamPosition.lineOf(null)).isEqualTo(SourceLine.UNKNOWN);
    }

    @Test
    void aPositionWithoutATimeIsOfUnknownTime() {
        assertThat(StreamPosition.of(PostgresOffset.of(Map.of("lsn", 50L, "ts_usec", Long.MIN_VALUE))))
                .isEqualTo(new Position(50, 0));
        assertThat(StreamPosition.of(null)).isEqualTo(Position.UNKNOWN);
    }
}
