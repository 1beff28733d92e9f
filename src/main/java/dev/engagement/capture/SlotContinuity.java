package dev.engagement.capture;

import dev.engagement.capture.SourceDatabase.Slot;
import dev.engagement.capture.SourceDatabase.SlotView;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.jspecify.annotations.Nullable;

/**
 * Whether a replication slot still holds everything after a position.
 *
 * <p>A slot has no identity: one that was dropped and created again looks like the old one, but holds the log only from
 * its creation on ({@code restart_lsn}). Capture confirms nothing beyond the position in its state, and the old slot's
 * {@code restart_lsn} is never ahead of what was confirmed; hence a {@code restart_lsn} ahead of the state's position
 * is that of another slot, or the state is older than what the slot has given away.
 */
final class SlotContinuity {

    private SlotContinuity() {}

    /**
     * Where capture wants to continue.
     *
     * @param lsn everything before it is in Kafka; 0 if that is not known
     * @param committedAtMicros what committed before it is in Kafka, microseconds since the epoch; 0 if not known
     */
    record Position(long lsn, long committedAtMicros) {
        static final Position UNKNOWN = new Position(0, 0);
    }

    /** Throws if the slot is missing, lost, or does not reach back to the position. */
    static void require(CaptureOptions options, SlotView view, Position position) {
        require(options, view, position, 0);
    }

    /** The same for a slot that was whole when the log ended at {@code reach}: it may begin anywhere before that. */
    static void require(CaptureOptions options, SlotView view, Position position, long reach) {
        String what = broken(view.slot(), position, reach);
        if (what != null) {
            throw new SlotLostException(message(options, view, position, what));
        }
    }

    private static @Nullable String broken(@Nullable Slot slot, Position position, long reach) {
        if (slot == null) {
            return "does not exist any more";
        }
        if (slot.isLost()) {
            return "is lost: PostgreSQL removed the write-ahead log it had to hold (see max_slot_wal_keep_size)";
        }
        // Without a known position there is nothing to compare.
        if (position.lsn() > 0 && slot.restartLsn() > position.lsn() && slot.restartLsn() >= reach) {
            return "begins at LSN " + Lsns.format(slot.restartLsn())
                    + ", after the position to continue at: it was dropped and created again, or the state is older"
                    + " than what the slot has already given away";
        }
        return null;
    }

    private static String message(CaptureOptions options, SlotView view, Position position, String what) {
        Instant committedAt = position.committedAtMicros() > 0
                ? Instant.EPOCH.plus(position.committedAtMicros(), ChronoUnit.MICROS)
                : null;
        Gap gap = Gap.between(committedAt, view.databaseTime());
        Slot slot = view.slot();
        long end = slot == null || slot.isLost() ? view.currentLsn() : slot.restartLsn();
        String drop = slot != null && slot.isLost()
                ? "First drop the slot: " + SourceDatabase.dropSlot(options.slotName()) + ". "
                : "";
        return "Capture has stopped for good: the replication slot " + options.slotName() + " of database "
                + view.database() + " (publication " + options.publication() + ") " + what
                + ". Rows committed from " + gap.beginning() + " (LSN "
                + (position.lsn() > 0 ? Lsns.format(position.lsn()) : "unknown") + ") to " + gap.to() + " (LSN "
                + Lsns.format(end) + ") were not captured and will not come by themselves.\n"
                + "Fill the gap:\n" + gap.backfill()
                + "Start capture again, without its old state:\n" + Gap.START_AGAIN
                + drop
                + "The gap grows until capture runs again: start it first, and " + Gap.RANGE
                + (options.outbox() == null ? "" : Gap.OUTBOX);
    }
}
