package dev.engagement.rollup;

import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import org.apache.flink.metrics.Counter;

/** What a subtask holds of one rollup in the heap. Used by the task thread. */
final class CellsOfRollup {

    /** One pane of one cell. */
    static final class Cell {
        /** Of the entry, the map's node and what is around the aggregate. */
        private static final int OVERHEAD_BYTES = 150;

        Aggregate aggregate;
        boolean unsaved;

        Cell(Aggregate aggregate) {
            this.aggregate = aggregate;
        }

        /** About how much memory it takes, with its key. */
        int bytes(String key) {
            return estimatedBytes(key, aggregate);
        }

        static int estimatedBytes(String key, Aggregate aggregate) {
            return OVERHEAD_BYTES + key.length() + aggregate.estimatedBytes();
        }
    }

    /** One pane of all cells. */
    static final class Pane {
        final long start;
        Map<String, Cell> cells = new HashMap<>();

        /** Shards of which state has cells of this pane. */
        final BitSet stored = new BitSet();

        /** Whether state may have cells that {@link #cells} lacks. */
        boolean partlyInState;

        Pane(long start) {
            this.start = start;
        }
    }

    final CompiledRollup rollup;
    final NavigableMap<Long, Pane> panes = new TreeMap<>();

    /** Keys of the windows that were closed and have to be told again, by the window's start. */
    final Map<Long, Set<String>> corrected = new LinkedHashMap<>();

    /** Keys that changed since somebody was last told of open windows, and the newest pane in which they did. */
    final Map<String, Long> changed = new LinkedHashMap<>();

    /** Whether anybody is told of open windows. */
    final boolean shown;

    /** Whether anything that was restored may have changed since somebody was last told. */
    boolean changedAtStart;

    /** Before which no window may begin that is told, milliseconds since the epoch. */
    long since;

    final Counter lateEvents;

    CellsOfRollup(CompiledRollup rollup, boolean shown, long since, Counter lateEvents) {
        this.rollup = rollup;
        this.shown = shown;
        this.since = since;
        this.lateEvents = lateEvents;
    }

    /** The panes that a window covers. */
    NavigableMap<Long, Pane> panesOf(long windowStart) {
        return panes.subMap(windowStart, true, windowStart + rollup.windowMillis(), false);
    }

    /** When a pane's first window is closed. */
    long firstEnd(long pane) {
        return rollup.firstWindow(pane) + rollup.windowMillis();
    }

    /** When a pane's last window is closed. */
    long lastEnd(long pane) {
        return rollup.lastWindow(pane) + rollup.windowMillis();
    }
}
