package dev.engagement.capture;

import dev.engagement.capture.HandedOut.Tail;
import dev.engagement.capture.SlotContinuity.Position;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Whether a source still holds the history that was captured from it.
 *
 * <p>The rule, of a position that all before it was captured, on a line that was known then:
 *
 * <ul>
 *   <li>another system identifier: another cluster;
 *   <li>a lower timeline: it went back, as numbers only grow;
 *   <li>the same timeline: it went back if its write-ahead log is safe up to less than it was, or its heartbeat row is older
 *       than the one that was seen there;
 *   <li>a higher timeline: whole if the history of that timeline left the known one at the position or behind it, and every
 *       change that stands at the end of capture's topics is committed on it; else what was captured behind the switch is
 *       lost at the source.
 * </ul>
 *
 * <p>Where nothing was known what is there is taken.
 */
final class LineContinuity {

    private LineContinuity() {}

    /** What has to be asked when the timeline is another one. */
    interface Evidence {

        /** Where timelines were left; null if nobody can tell. */
        @Nullable
        TimelineHistory history(int timeline) throws SQLException;

        /** What was handed out last. */
        Tail handedOut() throws IOException;

        /** How many of these transactions are not committed. */
        int uncommitted(Collection<Long> txIds) throws SQLException;
    }

    /**
     * By what was seen at the last heartbeat, without the stream's position. Another timeline is left to whoever has that.
     *
     * @param positioned whether somebody has: the snapshot is over
     * @throws SourceWentBackException if it went back
     */
    static void requireSame(CaptureOptions options, KnownSource known, KnownSource seen, boolean positioned) {
        String what = null;
        Instant knownBeat = known.beatAt();
        Instant seenBeat = seen.beatAt();
        if (known.line().isKnown() && seen.line().isKnown()) {
            what = otherLine(known.line(), seen.line());
            if (what == null
                    && !positioned
                    && seen.line().timeline() != known.line().timeline()
                    && options.acceptTimeline() != seen.line().timeline()) {
                what =
                        "the timeline changed before the snapshot was over, so nobody can tell which of its rows are lost"
                                + accept(seen.line());
            }
        }
        if (what == null && known.line().equals(seen.line())) {
            if (seen.flushedLsn() < known.flushedLsn()) {
                what = "its write-ahead log ends at LSN " + Lsns.format(seen.flushedLsn())
                        + ", and it was safe up to LSN " + Lsns.format(known.flushedLsn())
                        + " before: a copy of its files from before was put back";
            } else if (knownBeat != null && seenBeat != null && seenBeat.isBefore(knownBeat)) {
                what = "its heartbeat row is of " + seenBeat + ", and it was of " + knownBeat
                        + " before: a copy of its data from before was put back";
            }
        }
        if (what != null) {
            throw new SourceWentBackException(message(options, known, seen, Position.UNKNOWN, what));
        }
    }

    /**
     * By the position to continue at.
     *
     * @param known the line that the position is on
     * @throws SourceWentBackException if what was captured before, or handed out behind it, is not all there
     */
    static void require(
            CaptureOptions options, SourceLine known, Position position, KnownSource seen, Evidence evidence)
            throws SQLException, IOException {
        String what = broken(options, known, position, seen, evidence);
        if (what != null) {
            throw new SourceWentBackException(message(
                    options,
                    new KnownSource(known, position.lsn(), null, null, committedAt(position)),
                    seen,
                    position,
                    what));
        }
    }

    private static @Nullable String broken(
            CaptureOptions options, SourceLine known, Position position, KnownSource seen, Evidence evidence)
            throws SQLException, IOException {
        boolean comparable = known.isKnown() && seen.line().isKnown();
        String other = comparable ? otherLine(known, seen.line()) : null;
        if (other != null) {
            return other;
        }
        if (seen.flushedLsn() < position.lsn()) {
            return "its write-ahead log ends at LSN " + Lsns.format(seen.flushedLsn())
                    + ", before the position to continue at";
        }
        int timeline = seen.line().timeline();
        if (!comparable || timeline == known.timeline()) {
            return null;
        }
        TimelineHistory history = evidence.history(timeline);
        if (history == null) {
            return options.acceptTimeline() == timeline
                    ? null
                    : "it has no history file of timeline " + timeline
                            + " any more, so nobody can tell where that one began" + accept(seen.line());
        }
        Long leftAt = history.leftAt(known.timeline());
        if (leftAt == null) {
            return "timeline " + timeline + " did not come from timeline " + known.timeline();
        }
        if (leftAt < position.lsn()) {
            return "it left timeline " + known.timeline() + " at LSN " + Lsns.format(leftAt)
                    + ", before the position to continue at: a server was promoted, or recovered, to before what was"
                    + " captured";
        }
        if (options.acceptTimeline() == timeline) {
            return null;
        }
        return lostBehind(position, leftAt, seen.line(), evidence);
    }

    /** What was handed out behind a position that is whole. */
    private static @Nullable String lostBehind(Position position, long leftAt, SourceLine seen, Evidence evidence)
            throws SQLException, IOException {
        Tail tail = evidence.handedOut();
        if (!tail.readable()) {
            return "nobody can tell from the topics, which are in the form of a schema registry, whether what was"
                    + " captured behind LSN " + Lsns.format(leftAt) + ", where timeline " + seen.timeline()
                    + " begins, is there" + accept(seen);
        }
        long lost =
                tail.changes().stream().filter(change -> change.lsn() >= leftAt).count();
        if (lost == 0) {
            Set<Long> txIds = tail.changes().stream()
                    .filter(change -> change.lsn() >= position.lsn())
                    .map(HandedOut.Change::txId)
                    .collect(Collectors.toSet());
            lost = evidence.uncommitted(txIds);
        }
        return lost == 0
                ? null
                : "changes that were captured are behind LSN " + Lsns.format(leftAt) + ", where timeline "
                        + seen.timeline() + " begins, and are not on it; the position to continue at is" + accept(seen);
    }

    private static String accept(SourceLine seen) {
        return ". If that is accepted, capture goes on at its state with --accept-timeline " + seen.timeline();
    }

    private static @Nullable String otherLine(SourceLine known, SourceLine seen) {
        if (known.systemId() != seen.systemId()) {
            return "it is another cluster: a restored dump, a new server, or another one under the same address";
        }
        return seen.timeline() < known.timeline()
                ? "its timeline is an older one: a server of before is under the address again"
                : null;
    }

    private static @Nullable Instant committedAt(Position position) {
        return position.committedAtMicros() > 0
                ? Instant.EPOCH.plus(position.committedAtMicros(), ChronoUnit.MICROS)
                : null;
    }

    private static String message(
            CaptureOptions options, KnownSource known, KnownSource seen, Position position, String what) {
        String table = SourceShape.quote(options.schema()) + '.' + SourceShape.quote(options.eventsTable());
        Instant to = seen.at() == null ? Instant.EPOCH : seen.at();
        Gap gap = Gap.between(earlier(seen.beatAt(), known.at()), to);
        Long id = known.greatestId();
        Long idNow = seen.greatestId();
        return "Capture has stopped for good: PostgreSQL at "
                + options.postgres().jdbcUrl() + " is not the source that was captured so far: " + what + ".\n"
                + "- Known: " + known.line() + ", "
                + (position.lsn() > 0 ? "captured" : "seen") + " up to LSN " + lsn(known.flushedLsn())
                + (known.at() == null ? "" : " at " + known.at())
                + (id == null ? "" : ", greatest id of " + table + " " + id) + "\n"
                + "- Seen: " + seen.line() + ", up to LSN " + lsn(seen.flushedLsn()) + " at " + seen.at()
                + (seen.beatAt() == null ? "" : ", last heartbeat of capture there at " + seen.beatAt())
                + (idNow == null ? "" : ", greatest id of " + table + " " + idNow) + "\n"
                + "What was committed from " + gap.beginning() + " to " + gap.to() + " (LSN "
                + lsn(Math.min(known.flushedLsn(), seen.flushedLsn())) + " to "
                + lsn(Math.max(known.flushedLsn(), seen.flushedLsn()))
                + ") may be lost at the source and still be in every destination, or be new there and not captured."
                + " Ids "
                + (id != null && idNow != null && idNow < id ? "from " + (idNow + 1) + " to " + id : "of that time")
                + " may be given out again; an event under an id that the stream knows is dropped as a duplicate.\n"
                + "If this is not the source that is meant, put the right one under the address and start capture again"
                + " with its state. If it is:\n"
                + "1. Let it give no id out again: SELECT setval(pg_get_serial_sequence('" + table + "', 'id'), "
                + (id == null ? "…" : "greatest(" + id + ", …)")
                + ") with the greatest id that any destination has\n"
                + "2. Start capture again, without its old state:\n" + Gap.START_AGAIN
                + "3. Fill the gap:\n" + gap.backfill()
                + "4. Let audit name what is lost at the source, and the rows under an id of another (CONFLICT):\n"
                + "  flink run engagement-job.jar audit --from "
                + (gap.from() == null ? Instant.EPOCH : gap.from()) + " --to " + gap.to() + "\n"
                + "The gap grows until capture runs again: " + Gap.RANGE;
    }

    private static String lsn(long lsn) {
        return lsn > 0 ? Lsns.format(lsn) : "unknown";
    }

    private static @Nullable Instant earlier(@Nullable Instant one, @Nullable Instant other) {
        if (one == null || other == null) {
            return one == null ? other : one;
        }
        return one.isBefore(other) ? one : other;
    }
}
