package dev.engagement.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.capture.HandedOut.Change;
import dev.engagement.capture.HandedOut.Tail;
import dev.engagement.capture.SlotContinuity.Position;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class LineContinuityTest {

    private static final SourceLine LINE = new SourceLine(0xF000_0000_0000_0001L, 2);
    private static final SourceLine NEXT = new SourceLine(LINE.systemId(), 3);
    private static final Position POSITION =
            new Position(0x2_0000_1000L, Instant.parse("2026-01-08T14:21:52Z").toEpochMilli() * 1000);
    private static final Instant BEAT = Instant.parse("2026-01-08T14:21:50Z");
    private static final Instant NOW = Instant.parse("2026-01-08T15:00:00.5Z");

    /** Answers that were written down before, and what was asked. */
    private static final class Script implements LineContinuity.Evidence {
        private @Nullable TimelineHistory history = TimelineHistory.parse("1\t1/0\tbefore\n\n2\t2/2000\tno target\n");
        private Tail tail = new Tail(List.of(), true);
        private int uncommitted;
        private final List<String> asked = new ArrayList<>();

        @Override
        public @Nullable TimelineHistory history(int timeline) {
            asked.add("history of " + timeline);
            return history;
        }

        @Override
        public Tail handedOut() {
            asked.add("handed out");
            return tail;
        }

        @Override
        public int uncommitted(Collection<Long> txIds) {
            asked.add("transactions " + txIds);
            return uncommitted;
        }
    }

    private final Script script = new Script();

    @Test
    void theSameLineWhoseLogHasGoneOnIsWholeAndNothingIsAsked() {
        assertThatCode(() -> require(LINE, seen(LINE, POSITION.lsn()), 0)).doesNotThrowAnyException();
        assertThat(script.asked).isEmpty();
    }

    @Test
    void aPositionThatKnowsNoLineTakesTheOneThatIsThere() {
        assertThatCode(() -> require(SourceLine.UNKNOWN, seen(NEXT, POSITION.lsn()), 0))
                .doesNotThrowAnyException();
        assertThat(script.asked).isEmpty();
        assertThatThrownBy(() -> require(SourceLine.UNKNOWN, seen(NEXT, POSITION.lsn() - 1), 0))
                .hasMessageContaining("its write-ahead log ends at LSN 2/FFF, before the position to continue at");
    }

    @Test
    void aLogThatEndsBeforeThePositionSaysWhatIsKnownAndSeenAndWhatToDo() {
        assertThatThrownBy(() -> require(LINE, seen(LINE, 0x2_0000_0800L), 0))
                .isInstanceOf(SourceWentBackException.class)
                .hasMessage("""
                        Capture has stopped for good: PostgreSQL at jdbc:postgresql://db:5433/engagement?sslmode=require \
                        is not the source that was captured so far: its write-ahead log ends at LSN 2/800, before the \
                        position to continue at.
                        - Known: system 17293822569102704641, timeline 2, captured up to LSN 2/1000 at \
                        2026-01-08T14:21:52Z
                        - Seen: system 17293822569102704641, timeline 2, up to LSN 2/800 at 2026-01-08T15:00:00.500Z, \
                        last heartbeat of capture there at 2026-01-08T14:21:50Z, greatest id of \
                        public.engagement_events 4600
                        What was committed from 2026-01-08T14:21:49Z to 2026-01-08T15:00:01Z (LSN 2/800 to 2/1000) may \
                        be lost at the source and still be in every destination, or be new there and not captured. Ids \
                        of that time may be given out again; an event under an id that the stream knows is dropped as \
                        a duplicate.
                        If this is not the source that is meant, put the right one under the address and start capture \
                        again with its state. If it is:
                        1. Let it give no id out again: SELECT \
                        setval(pg_get_serial_sequence('public.engagement_events', 'id'), …) with the greatest id that \
                        any destination has
                        2. Start capture again, without its old state:
                          flink run -d engagement-job.jar capture --capture.start latest
                        3. Fill the gap:
                          flink run engagement-job.jar backfill --from 2026-01-08T14:21:49Z --to 2026-01-08T15:00:01Z
                        4. Let audit name what is lost at the source, and the rows under an id of another (CONFLICT):
                          flink run engagement-job.jar audit --from 2026-01-08T14:21:49Z --to 2026-01-08T15:00:01Z
                        The gap grows until capture runs again: let --to reach past that moment. The range is compared \
                        with event_ts: let --from reach back as far as events come late. Contents that changed in the \
                        gap come with the backfill.""");
    }

    @Test
    void anotherClusterAndAnOlderTimelineAreToldWithoutAsking() {
        assertThatThrownBy(() -> require(LINE, seen(new SourceLine(7, 2), Long.MAX_VALUE), 2))
                .hasMessageContaining("it is another cluster")
                .hasMessageContaining("- Seen: system 7, timeline 2");
        assertThatThrownBy(() -> require(NEXT, seen(LINE, Long.MAX_VALUE), 2))
                .hasMessageContaining("its timeline is an older one");
        assertThat(script.asked).isEmpty();
    }

    @Test
    void aStandbyThatWasPromotedAheadOfAllThatWasHandedOutIsGoneOnWith() {
        script.tail = new Tail(
                List.of(new Change(0x1FFF_FFFFL, 6), new Change(0x2_0000_1000L, 7), new Change(0x2_0000_1FFFL, 8)),
                true);

        assertThatCode(() -> require(LINE, seen(NEXT, 0x2_0000_3000L), 0)).doesNotThrowAnyException();
        assertThat(script.asked)
                .as("of transactions before the position the position itself says that they are there")
                .containsExactly("history of 3", "handed out", "transactions [7, 8]");
    }

    @Test
    void aSwitchAtThePositionIsBehindAllThatIsBeforeIt() {
        script.history = TimelineHistory.parse("2\t2/1000\tno target");
        assertThatCode(() -> require(LINE, seen(NEXT, 0x2_0000_3000L), 0)).doesNotThrowAnyException();
        script.history = TimelineHistory.parse("2\t2/FFF\tno target");
        assertThatThrownBy(() -> require(LINE, seen(NEXT, 0x2_0000_3000L), 3))
                .as("accepted or not")
                .hasMessageContaining("it left timeline 2 at LSN 2/FFF, before the position to continue at");
    }

    @Test
    void whatWasHandedOutBehindTheSwitchIsLostAndMayBeAccepted() {
        script.tail = new Tail(List.of(new Change(0x2_0000_2000L, 9)), true);
        assertThatThrownBy(() -> require(LINE, seen(NEXT, 0x2_0000_3000L), 0))
                .hasMessageContaining("changes that were captured are behind LSN 2/2000, where timeline 3 begins")
                .hasMessageContaining("goes on at its state with --accept-timeline 3");
        assertThatThrownBy(() -> require(LINE, seen(NEXT, 0x2_0000_3000L), 2))
                .as("another one was accepted")
                .isInstanceOf(SourceWentBackException.class);
        assertThatCode(() -> require(LINE, seen(NEXT, 0x2_0000_3000L), 3)).doesNotThrowAnyException();
    }

    @Test
    void aChangeBeforeTheSwitchWhoseCommitIsBehindItIsLostToo() {
        script.tail = new Tail(List.of(new Change(0x2_0000_1FFFL, 9)), true);
        script.uncommitted = 1;
        assertThatThrownBy(() -> require(LINE, seen(NEXT, 0x2_0000_3000L), 0))
                .hasMessageContaining("changes that were captured are behind LSN 2/2000");
    }

    @Test
    void whatNobodyCanTellStopsUnlessItIsAccepted() {
        script.tail = new Tail(List.of(), false);
        assertThatThrownBy(() -> require(LINE, seen(NEXT, 0x2_0000_3000L), 0))
                .hasMessageContaining("in the form of a schema registry");
        script.history = null;
        assertThatThrownBy(() -> require(LINE, seen(NEXT, 0x2_0000_3000L), 0))
                .hasMessageContaining("it has no history file of timeline 3 any more");
        assertThatCode(() -> require(LINE, seen(NEXT, 0x2_0000_3000L), 3)).doesNotThrowAnyException();
        script.history = TimelineHistory.parse("1\t1/0\tbefore");
        assertThatThrownBy(() -> require(LINE, seen(NEXT, 0x2_0000_3000L), 3))
                .hasMessageContaining("timeline 3 did not come from timeline 2");
    }

    @Test
    void aHeartbeatTellsACopyThatHasOvertakenWhatWasKnown() {
        KnownSource known = new KnownSource(LINE, 0x2_0000_1000L, BEAT, 4711L, BEAT);
        KnownSource same = new KnownSource(LINE, 0x2_0000_1000L, BEAT, 4600L, NOW);
        KnownSource older = new KnownSource(LINE, 0x9_0000_0000L, BEAT.minusMillis(1), 4600L, NOW);
        KnownSource withoutRow = new KnownSource(LINE, 0x9_0000_0000L, null, 4600L, NOW);

        assertThatCode(() -> requireSame(known, same, false)).doesNotThrowAnyException();
        assertThatCode(() -> requireSame(known, withoutRow, false)).doesNotThrowAnyException();
        assertThatCode(() -> requireSame(KnownSource.NOTHING, older, false)).doesNotThrowAnyException();
        assertThatThrownBy(() -> requireSame(known, older, true))
                .isInstanceOf(SourceWentBackException.class)
                .hasMessageContaining("its heartbeat row is of 2026-01-08T14:21:49.999Z, and it was of "
                        + "2026-01-08T14:21:50Z before")
                .hasMessageContaining("greatest id of public.engagement_events 4711")
                .hasMessageContaining("Ids from 4601 to 4711 may be given out again")
                .hasMessageContaining("greatest(4711, …)");
        assertThatThrownBy(() -> requireSame(known, seen(LINE, 0x2_0000_0FFFL), true))
                .hasMessageContaining("its write-ahead log ends at LSN 2/FFF, and it was safe up to LSN 2/1000");
    }

    @Test
    void anotherTimelineIsLeftToWhoHasThePositionUnlessTheSnapshotIsNotOver() {
        KnownSource known = new KnownSource(LINE, 0x2_0000_1000L, BEAT, null, BEAT);
        KnownSource promotedBehind = new KnownSource(NEXT, 0x1_0000_0000L, BEAT.minusSeconds(1), null, NOW);

        assertThatCode(() -> requireSame(known, promotedBehind, true)).doesNotThrowAnyException();
        assertThatThrownBy(() -> requireSame(known, promotedBehind, false))
                .hasMessageContaining("the timeline changed before the snapshot was over");
        assertThatThrownBy(() -> requireSame(known, seen(new SourceLine(7, 9), 0), true))
                .hasMessageContaining("it is another cluster");
    }

    @Test
    void aHistoryIsReadAsPostgresWritesIt() {
        TimelineHistory history = TimelineHistory.parse("""
                1\t0/16B3740\tno recovery target specified

                # a comment
                2\t16/B374D848\tbefore transaction 4711
                """);
        assertThat(history.leftAt(1)).isEqualTo(0x16B3740L);
        assertThat(history.leftAt(2)).isEqualTo(0x16_B374_D848L);
        assertThat(history.leftAt(3)).isNull();
        assertThat(Lsns.format(Lsns.parse("FFFFFFFF/B374D848"))).isEqualTo("FFFFFFFF/B374D848");
        assertThatThrownBy(() -> TimelineHistory.parse("1 nonsense"))
                .hasMessage("'1 nonsense' is no line of a timeline's history");
    }

    @Test
    void aChangeOfTheLogIsToldFromARowOfASnapshotAndFromAnythingElse() {
        assertThat(change("{\"op\":\"c\",\"source\":{\"lsn\":77,\"txId\":4294967296}}"))
                .isEqualTo(new Change(77, 0));
        assertThat(change("{\"schema\":{},\"payload\":{\"op\":\"d\",\"source\":{\"lsn\":78,\"txId\":5}}}"))
                .isEqualTo(new Change(78, 5));
        assertThat(change("{\"op\":\"r\",\"source\":{\"lsn\":0}}")).isNull();
        assertThat(change("[1]")).isNull();
        assertThat(change("")).isNull();
        assertThat(change("\u0000\u0001")).isNull();
    }

    private static @Nullable Change change(String value) {
        return HandedOut.change(value.getBytes(StandardCharsets.UTF_8));
    }

    private void require(SourceLine known, KnownSource seen, int accepted) throws Exception {
        LineContinuity.require(CaptureSamples.accepting(accepted), known, POSITION, seen, script);
    }

    private static void requireSame(KnownSource known, KnownSource seen, boolean positioned) {
        LineContinuity.requireSame(CaptureSamples.options(), known, seen, positioned);
    }

    private static KnownSource seen(SourceLine line, long flushedLsn) {
        return new KnownSource(line, flushedLsn, BEAT, 4600L, NOW);
    }
}
