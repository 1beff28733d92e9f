package dev.engagement.api.live;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What waits for one client: of each subject the newest, in the place of the first that it has not received, so that a
 * subject that changes all the time holds no other one back, nor is held back itself. If too many subjects wait, a
 * snapshot waits in their stead, which holds them all. Not thread-safe.
 *
 * <p>Since a newer message stands in an older one's place, the number of the last one that was sent says nothing of
 * what was sent. {@link #resumePoint} does: whoever goes on behind it misses nothing.
 */
final class Conflation {

    private final int maxPending;

    /** In the order of {@link Pending#since}. */
    private final Map<String, Pending> pending = new LinkedHashMap<>();

    /** Everything up to this number was offered, or is in a snapshot. */
    private long heard;

    private boolean owesSnapshot;

    /**
     * A subject of which something waits.
     *
     * @param since the number of the first change that the client has not received
     * @param newest the last one
     */
    private record Pending(long since, Update newest) {}

    /**
     * What is to be sent now.
     *
     * @param resumePoint once it is sent
     */
    record Due(Update update, long resumePoint) {}

    /**
     * @param maxPending subjects that may wait
     * @param heard the number of the last change that the client knows of
     */
    Conflation(int maxPending, long heard) {
        this.maxPending = maxPending;
        this.heard = heard;
    }

    /**
     * A change. They come in the order of their numbers.
     *
     * @param wanted whether the client is to receive it
     */
    void offer(Update update, boolean wanted) {
        if (update.sequence() <= heard) {
            return;
        }
        heard = update.sequence();
        if (!wanted || owesSnapshot) {
            return;
        }
        Pending before = pending.get(update.subject());
        if (before == null && pending.size() >= maxPending) {
            oweSnapshot();
            return;
        }
        // Put again, a key of such a map keeps its place.
        pending.put(update.subject(), new Pending(before == null ? update.sequence() : before.since(), update));
    }

    /** From now on a snapshot waits, and nothing else. */
    void oweSnapshot() {
        pending.clear();
        owesSnapshot = true;
    }

    /** Whether a snapshot waits; it counts as taken, and {@link #endSnapshot} has to follow. */
    boolean beginSnapshot() {
        boolean owed = owesSnapshot;
        owesSnapshot = false;
        return owed;
    }

    /** The snapshot was made, and holds every change up to that number. Changes may have come since it was begun. */
    void endSnapshot(long sequence) {
        heard = Math.max(heard, sequence);
        pending.values().removeIf(each -> each.newest().sequence() <= sequence);
        pending.replaceAll(
                (subject, each) -> each.since() > sequence ? each : new Pending(sequence + 1, each.newest()));
    }

    /** Takes what waits longest; null if nothing does. */
    @Nullable
    Due take() {
        Iterator<Pending> oldest = pending.values().iterator();
        if (!oldest.hasNext()) {
            return null;
        }
        Update update = oldest.next().newest();
        oldest.remove();
        return new Due(update, resumePoint());
    }

    /** The number behind which the client has to go on, if it goes away once it has received what was taken. */
    long resumePoint() {
        Iterator<Pending> oldest = pending.values().iterator();
        return oldest.hasNext() ? oldest.next().since() - 1 : heard;
    }

    /** How many subjects wait. */
    int size() {
        return pending.size();
    }
}
