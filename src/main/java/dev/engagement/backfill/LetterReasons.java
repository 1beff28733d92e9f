package dev.engagement.backfill;

import dev.engagement.deadletter.Reason;
import java.util.BitSet;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Which events became dead letters, and why the last time: a bit for each, wherever its id lies. Not thread-safe. */
final class LetterReasons {

    private static final int PAGE_BITS = 16;
    private static final int PAGE_MASK = (1 << PAGE_BITS) - 1;

    private final Map<Reason, Map<Long, BitSet>> pages = new EnumMap<>(Reason.class);

    void add(long eventId, Reason reason) {
        pages.values().forEach(ids -> {
            BitSet page = ids.get(eventId >> PAGE_BITS);
            if (page != null) {
                page.clear((int) eventId & PAGE_MASK);
            }
        });
        pages.computeIfAbsent(reason, any -> new HashMap<>())
                .computeIfAbsent(eventId >> PAGE_BITS, any -> new BitSet())
                .set((int) eventId & PAGE_MASK);
    }

    /** Null if it became none. */
    @Nullable
    Reason reasonOf(long eventId) {
        for (var each : pages.entrySet()) {
            BitSet page = each.getValue().get(eventId >> PAGE_BITS);
            if (page != null && page.get((int) eventId & PAGE_MASK)) {
                return each.getKey();
            }
        }
        return null;
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
