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
        Aggregate aggregate;
        boolean unsaved;

        Cell(Aggregate aggregate) {
            this.aggregate = aggregate;
        }
    }

    /** One pane of all cells. */
    static final class Pane {
        final long start;
        final Map<String, Cell> cells = new HashMap<>();

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

    /** Whether anything that was restored may have changed since somebody was last told. */
    boolean changedAtStart;

    final Counter lateEvents;

    CellsOfRollup(CompiledRollup rollup, Counter lateEvents) {
        this.rollup = rollup;
        this.lateEvents = lateEvents;
    }

    /** The panes that a window covers. */
    NavigableMap<Long, Pane> panesOf(long windowStart) {
        return panes.subMap(windowStart, true, windowStart + rollup.windowMillis(), false);
    }

    /** When a pane's last window is closed. */
    long lastEnd(long pane) {
        return rollup.lastWindow(pane) + rollup.windowMillis();
    }
}
