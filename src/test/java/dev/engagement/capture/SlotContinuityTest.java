package dev.engagement.capture;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.capture.SlotContinuity.Position;
import dev.engagement.capture.SourceDatabase.Slot;
import dev.engagement.capture.SourceDatabase.SlotView;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class SlotContinuityTest {

    private static final Position POSITION = new Position(0x2_0000_1000L, micros("2026-01-08T14:21:52.9Z"));

    @Test
    void aSlotThatReachesBackToThePositionIsWhole() {
        assertThatCode(() -> require(slot("reserved", 0x2_0000_0F00L), POSITION))
                .doesNotThrowAnyException();
        assertThatCode(() -> require(slot("extended", POSITION.lsn()), POSITION))
                .doesNotThrowAnyException();
        assertThatCode(() -> require(slot("reserved", 0x3_0000_0000L), Position.UNKNOWN))
                .doesNotThrowAnyException();
    }

    @Test
    void aMissingSlotIsAGapUpToNow() {
        assertThatThrownBy(() -> require(null, POSITION))
                .isInstanceOf(SlotLostException.class)
                .hasMessage("""
                        Capture has stopped for good: the replication slot the_slot of database engagement (publication \
                        the_publication) does not exist any more. Rows committed from 2026-01-08T14:21:51Z (LSN \
                        2/1000) to 2026-01-08T15:00:01Z (LSN 2/2000) were not captured and will not come by themselves.
                        Fill the gap:
                          flink run engagement-job.jar backfill --from 2026-01-08T14:21:51Z --to 2026-01-08T15:00:01Z
                        Start capture again, without its old state:
                          flink run -d engagement-job.jar capture --capture.start latest
                        The gap grows until capture runs again: start it first, and let --to reach past that moment. \
                        The range is compared with event_ts: let --from reach back as far as events come late. \
                        Contents that changed in the gap come with the backfill.""");
    }

    @Test
    void aLostSlotIsToBeDroppedFirst() {
        assertThatThrownBy(() -> require(slot("lost", 0), POSITION))
                .isInstanceOf(SlotLostException.class)
                .hasMessageContaining("is lost: PostgreSQL removed the write-ahead log")
                .hasMessageContaining("First drop the slot: SELECT pg_drop_replication_slot('the_slot')");
    }

    @Test
    void aSlotThatBeginsAfterThePositionIsAnotherOne() {
        assertThatThrownBy(() -> require(slot("reserved", 0x2_0000_1001L), POSITION))
                .isInstanceOf(SlotLostException.class)
                .hasMessageContaining("begins at LSN 2/1001, after the position to continue at")
                .hasMessageContaining("(LSN 2/1000) to 2026-01-08T15:00:01Z (LSN 2/1001)");
    }

    @Test
    void aSlotThatWasWholeMayHaveMovedUpToWhereTheLogEndedThen() {
        SlotView view = view(slot("reserved", 0x2_0000_1800L));

        assertThatCode(() -> SlotContinuity.require(CaptureSamples.options(), view, POSITION, 0x2_0000_1801L))
                .doesNotThrowAnyException();
        assertThatThrownBy(() -> SlotContinuity.require(CaptureSamples.options(), view, POSITION, 0x2_0000_1800L))
                .isInstanceOf(SlotLostException.class);
    }

    @Test
    void withoutAKnownTimeTheBackfillBeginsAtTheBeginning() {
        assertThatThrownBy(() -> require(null, Position.UNKNOWN))
                .hasMessageContaining("from an unknown time on (LSN unknown)")
                .hasMessageContaining("--from 1970-01-01T00:00:00Z --to 2026-01-08T15:00:01Z");
    }

    private static Slot slot(String walStatus, long restartLsn) {
        return new Slot("pgoutput", "engagement", walStatus, restartLsn, restartLsn);
    }

    private static void require(@Nullable Slot slot, Position position) {
        SlotContinuity.require(CaptureSamples.options(), view(slot), position);
    }

    private static SlotView view(@Nullable Slot slot) {
        return new SlotView(slot, 0x2_0000_2000L, Instant.parse("2026-01-08T15:00:00.5Z"), "engagement");
    }

    private static long micros(String instant) {
        return Instant.parse(instant).toEpochMilli() * 1000;
    }
}
