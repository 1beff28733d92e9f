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

    /** What is held of one key: of each rollup the pane that came last, which most events are of, and those before it. */
    static final class OfKey {
        private final long[] panes;
        private final @Nullable Aggregate[] newest;
        private final @Nullable Older[] older;

        private OfKey(int rollups) {
            panes = new long[rollups];
            newest = new Aggregate[rollups];
            older = new Older[rollups];
        }

        /** The pane of a rollup, or null if it is not held. */
        @Nullable
        Aggregate get(int i, long pane) {
            if (panes[i] == pane) {
                return newest[i];
            }
            for (Older held = older[i]; held != null; held = held.next) {
                if (held.pane == pane) {
                    return held.aggregate;
                }
            }
            return null;
        }

        /**
         * Holds a pane that is not held.
         *
         * @return how many panes of the rollup there are now
         */
        int hold(int i, long pane, Aggregate aggregate) {
            Aggregate before = newest[i];
            if (before != null) {
                older[i] = new Older(panes[i], before, older[i]);
            }
            panes[i] = pane;
            newest[i] = aggregate;
            Older others = older[i];
            return others == null ? 1 : others.count + 1;
        }

        private int leave(int i, String key, Leaving to) {
            int left = 0;
            Aggregate last = newest[i];
            if (last != null) {
                to.leave(key, panes[i], last);
                left++;
            }
            for (Older held = older[i]; held != null; held = held.next) {
                to.leave(key, held.pane, held.aggregate);
                left++;
            }
            newest[i] = null;
            older[i] = null;
            return left;
        }

        private boolean isEmpty() {
            for (Aggregate each : newest) {
                if (each != null) {
                    return false;
                }
            }
            return true;
        }

        private long estimatedBytes(String key) {
            long bytes = 0;
            for (int i = 0; i < newest.length; i++) {
                Aggregate last = newest[i];
                bytes += last == null ? 0 : Cell.estimatedBytes(key, last);
                for (Older held = older[i]; held != null; held = held.next) {
                    bytes += Cell.estimatedBytes(key, held.aggregate);
                }
            }
            return bytes;
        }
    }

    /** A pane that came before another one, and those before it. */
    private static final class Older {
        private final long pane;
        private final Aggregate aggregate;
        private final @Nullable Older next;
        private final int count;

        Older(long pane, Aggregate aggregate, @Nullable Older next) {
            this.pane = pane;
            this.aggregate = aggregate;
            this.next = next;
            this.count = next == null ? 1 : next.count + 1;
        }
    }

    /** Where what leaves goes to; the aggregate is no longer written to. */
    interface Leaving {
        void leave(String key, long pane, Aggregate aggregate);
    }

    /** Places among all rollups. */
    final int[] places;

    final CompiledRollup[] rollups;

    private final Map<String, OfKey> keys = new HashMap<>();

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
    OfKey ofKey(String key) {
        OfKey held = keys.get(key);
        if (held == null) {
            held = new OfKey(rollups.length);
            keys.put(key, held);
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
        Iterator<Map.Entry<String, OfKey>> entries = keys.entrySet().iterator();
        while (entries.hasNext()) {
            Map.Entry<String, OfKey> entry = entries.next();
            left += entry.getValue().leave(i, entry.getKey(), to);
            if (entry.getValue().isEmpty()) {
                entries.remove();
            }
        }
        return left;
    }

    /** About how much memory it takes. */
    long estimatedBytes() {
        long bytes = 0;
        for (Map.Entry<String, OfKey> entry : keys.entrySet()) {
            bytes += entry.getValue().estimatedBytes(entry.getKey());
        }
        return bytes;
    }
}
