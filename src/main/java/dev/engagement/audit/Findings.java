package dev.engagement.audit;

import dev.engagement.audit.AuditReport.Finding;
import dev.engagement.audit.AuditReport.Item;
import dev.engagement.deadletter.Reason;
import dev.engagement.event.EventIdNumbers;
import dev.engagement.event.Timestamps;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Sets of ids as findings: counted as a whole, named up to a limit. */
final class Findings {

    private final int listed;
    private final Repairs repairs;
    private final EventIdNumbers numbers;

    Findings(int listed, Repairs repairs, EventIdNumbers numbers) {
        this.listed = listed;
        this.numbers = numbers;
        this.repairs = repairs;
    }

    /** When events happened, microseconds since the epoch. */
    @FunctionalInterface
    interface Times {
        Map<Long, Long> of(List<Long> ids) throws IOException;
    }

    /** Which of some events happened before a time, microseconds since the epoch. */
    @FunctionalInterface
    interface Older {
        IdSet than(IdSet ids, long micros) throws IOException;
    }

    /** Adds a finding unless there is nothing of it. */
    void add(List<Finding> list, Kind kind, IdSet ids, Times times, @Nullable String note, List<String> commands)
            throws IOException {
        if (!ids.isEmpty()) {
            List<Long> first = ids.first(listed);
            Map<Long, Long> at = first.isEmpty() ? Map.of() : times.of(first);
            List<Item> items = new ArrayList<>();
            for (Long id : first) {
                Long micros = at.get(id);
                items.add(new Item(numbers.id(id).toString(), micros == null ? null : Timestamps.format(micros)));
            }
            list.add(new Finding(kind, ids.size(), items, note, commands));
        }
    }

    /** Adds what dead letters explain, by reason; each id once. */
    void addLetters(List<Finding> list, IdSet missing, Set<Reason> reasons, EventLog.Letters letters, Times times)
            throws IOException {
        IdSet told = new IdSet();
        for (Reason reason : reasons) {
            IdSet those = missing.where(id -> letters.has(Set.of(reason), id) && told.add(id));
            add(list, Kind.DEAD_LETTER, those, times, reason.name(), repairs.letters(reason, those));
        }
    }

    /**
     * Tells what was deleted at the source from what never was there: the events topic has a record of the former. Of
     * events that are older than the topic nobody can tell; they count as deleted, as rows of that age are.
     */
    void sortOut(IdSet extra, Older older, EventLog.Captured captured, IdSet purged, IdSet never) throws IOException {
        IdSet unseen = extra.where(id -> !captured.seen().contains(id));
        purged.addAll(extra.where(captured.seen()::contains));
        if (!unseen.isEmpty()) {
            IdSet before = older.than(unseen, captured.reachesBackTo());
            purged.addAll(before);
            never.addAll(unseen.where(id -> !before.contains(id)));
        }
    }
}
