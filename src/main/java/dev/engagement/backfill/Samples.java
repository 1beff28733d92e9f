package dev.engagement.backfill;

import dev.engagement.event.EventId;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** How many rows there are of a kind, and the ids of the first few. Thread-safe. */
final class Samples {

    private static final int SHOWN = 5;

    private final List<EventId> shown = new ArrayList<>();
    private long count;

    synchronized void add(EventId id) {
        count++;
        if (shown.size() < SHOWN) {
            shown.add(id);
        }
    }

    /** Adds those of another, which nobody else uses. */
    synchronized void addAll(Samples others) {
        count += others.count;
        for (EventId id : others.shown) {
            if (shown.size() < SHOWN) {
                shown.add(id);
            }
        }
    }

    synchronized long count() {
        return count;
    }

    /** {@code ids 1, 2, 3, …}. */
    synchronized String ids() {
        return (count == 1 ? "id " : "ids ")
                + shown.stream().sorted().map(String::valueOf).collect(Collectors.joining(", "))
                + (count > shown.size() ? ", …" : "");
    }
}
