package dev.engagement.rollup;

import dev.engagement.rollup.CellsOfRollup.Cell;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What is held of the rollups that have the same key, so that an event looks its key up once for all of them. */
final class HeldPartials {

    /** One pane of one cell, and the panes of that cell that came before it. */
    static final class Held {
        final long pane;
        final Aggregate aggregate;
        final @Nullable Held older;

        /** How many panes the cell has. */
        final int panes;

        Held(long pane, Aggregate aggregate, @Nullable Held older) {
            this.pane = pane;
            this.aggregate = aggregate;
            this.older = older;
            this.panes = older == null ? 1 : older.panes + 1;
        }

        /** Most events are of the pane that came last. */
        static @Nullable Held of(@Nullable Held newest, long pane) {
            Held held = newest;
            while (held != null && held.pane != pane) {
                held = held.older;
            }
            return held;
        }
    }

    /** Where what leaves goes to; the aggregate is no longer written to. */
    interface Leaving {
        void leave(String key, long pane, Aggregate aggregate);
    }

    /** Places among all rollups. */
    final int[] places;

    final CompiledRollup[] rollups;

    /** By key, the newest pane of each of the rollups, or null. */
    private final Map<String, @Nullable Held[]> cells = new HashMap<>();

    private HeldPartials(List<CompiledRollup> all, List<Integer> places) {
        this.places = places.stream().mapToInt(place -> place).toArray();
        this.rollups = places.stream().map(all::get).toArray(CompiledRollup[]::new);
    }

    /** One for each key that rollups have. */
    static HeldPartials[] of(List<CompiledRollup> rollups) {
        Map<List<String>, List<Integer>> byKey = new LinkedHashMap<>();
        for (int place = 0; place < rollups.size(); place++) {
            byKey.computeIfAbsent(rollups.get(place).keySources(), any -> new ArrayList<>())
                    .add(place);
        }
        return byKey.values().stream()
                .map(places -> new HeldPartials(rollups, places))
                .toArray(HeldPartials[]::new);
    }

    /** What is held of a key, to be written to. */
    @Nullable
    Held[] cells(String key) {
        @Nullable Held[] held = cells.get(key);
        if (held == null) {
            held = new Held[rollups.length];
            cells.put(key, held);
        }
        return held;
    }

    /**
     * Lets go what is held of one rollup.
     *
     * @param i its place here
     * @return how many panes left
     */
    int leave(int i, Leaving to) {
        int left = 0;
        Iterator<Map.Entry<String, @Nullable Held[]>> entries = cells.entrySet().iterator();
        while (entries.hasNext()) {
            Map.Entry<String, @Nullable Held[]> entry = entries.next();
            @Nullable Held[] newest = entry.getValue();
            for (Held held = newest[i]; held != null; held = held.older) {
                to.leave(entry.getKey(), held.pane, held.aggregate);
                left++;
            }
            newest[i] = null;
            if (isEmpty(newest)) {
                entries.remove();
            }
        }
        return left;
    }

    private static boolean isEmpty(@Nullable Held[] newest) {
        for (Held held : newest) {
            if (held != null) {
                return false;
            }
        }
        return true;
    }

    /** About how much memory it takes. */
    long estimatedBytes() {
        long bytes = 0;
        for (Map.Entry<String, @Nullable Held[]> entry : cells.entrySet()) {
            for (Held newest : entry.getValue()) {
                for (Held held = newest; held != null; held = held.older) {
                    bytes += Cell.estimatedBytes(entry.getKey(), held.aggregate);
                }
            }
        }
        return bytes;
    }
}
