package dev.engagement.backfill;

import dev.engagement.deadletter.Reason;
import java.util.BitSet;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/** Which events became dead letters, and why: a bit for each, wherever its id lies. Not thread-safe. */
final class Letters {

    private static final int PAGE_BITS = 16;
    private static final int PAGE_MASK = (1 << PAGE_BITS) - 1;

    private final Map<Reason, Map<Long, BitSet>> pages = new EnumMap<>(Reason.class);

    void add(long eventId, Reason reason) {
        pages.computeIfAbsent(reason, any -> new HashMap<>())
                .computeIfAbsent(eventId >> PAGE_BITS, any -> new BitSet())
                .set((int) eventId & PAGE_MASK);
    }

    boolean contains(long eventId) {
        return pages.values().stream().anyMatch(ids -> isIn(ids, eventId));
    }

    private static boolean isIn(Map<Long, BitSet> ids, long eventId) {
        BitSet page = ids.get(eventId >> PAGE_BITS);
        return page != null && page.get((int) eventId & PAGE_MASK);
    }

    /** Counts an event under each reason that it has a letter of. */
    void countInto(Map<Reason, Samples> counts, long eventId) {
        pages.forEach((reason, ids) -> {
            if (isIn(ids, eventId)) {
                counts.computeIfAbsent(reason, any -> new Samples()).add(eventId);
            }
        });
    }

    /** {@code REJECTED: id 7; UNRESOLVED: ids 1, 2}. */
    static String text(Map<Reason, Samples> counts) {
        StringBuilder text = new StringBuilder();
        new TreeMap<>(counts).forEach((reason, ids) -> text.append(text.isEmpty() ? "" : "; ")
                .append(reason)
                .append(": ")
                .append(ids.ids()));
        return text.toString();
    }
}
