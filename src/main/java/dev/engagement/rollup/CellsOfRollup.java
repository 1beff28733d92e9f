package dev.engagement.rollup;

import dev.engagement.event.types.EventShards;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import org.apache.flink.metrics.Counter;
import org.jspecify.annotations.Nullable;

/** What a subtask holds of one rollup in the heap. Used by the task thread. */
final class CellsOfRollup {

    /** One pane of one cell. */
    static final class Cell {
        /** Of the cell, what is around the aggregate, and a share of the key and the map's node. */
        private static final int OVERHEAD_BYTES = 150;

        final Aggregate aggregate;

        /** Whether state has it as it is. */
        boolean saved;

        /** Whether its key is among those that changed in its pane. */
        boolean listed;

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

    /** The panes of one key that are in the heap: side by side, as a window adds them up. */
    static final class Row {
        private int size;
        private long[] starts = new long[1];
        private Cell[] cells = new Cell[1];

        int size() {
            return size;
        }

        long start(int at) {
            return starts[at];
        }

        Cell cell(int at) {
            return cells[at];
        }

        @Nullable
        Cell get(long pane) {
            // Most are asked of the pane that came last.
            for (int i = size - 1; i >= 0; i--) {
                if (starts[i] == pane) {
                    return cells[i];
                }
            }
            return null;
        }

        private void add(long pane, Cell cell) {
            if (size == cells.length) {
                starts = Arrays.copyOf(starts, 2 * size);
                cells = Arrays.copyOf(cells, 2 * size);
            }
            starts[size] = pane;
            cells[size++] = cell;
        }

        private void remove(int at) {
            size--;
            System.arraycopy(starts, at + 1, starts, at, size - at);
            System.arraycopy(cells, at + 1, cells, at, size - at);
            cells[size] = null;
        }
    }

    /** One pane of all cells. */
    static final class Pane {
        final long start;

        /** Shards of which state has cells of this pane. */
        final BitSet stored = new BitSet();

        /** Whether state may have cells that the heap lacks. */
        boolean partlyInState;

        /** How many cells of it are in the heap. */
        int held;

        /** Keys that changed here since somebody was last told of open windows. */
        final List<String> changed = new ArrayList<>();

        Pane(long start) {
            this.start = start;
        }
    }

    /** One pane of a cell, with its key. */
    record Held(String key, Cell cell) {}

    /** Which cells leave the heap. */
    interface Leaving {
        boolean leaves(long pane);
    }

    /** Told of what has left the heap. */
    interface Left {
        void left(String key, Cell cell);
    }

    final CompiledRollup rollup;
    final NavigableMap<Long, Pane> panes = new TreeMap<>();

    /** By the shard of the key. */
    private final @Nullable Map<String, Row>[] shards;

    /** Keys of the windows that were closed and have to be told again, by the window's start. */
    final Map<Long, Set<String>> corrected = new LinkedHashMap<>();

    /** Whether anybody is told of open windows. */
    final boolean shown;

    /** Whether anything that was restored may have changed since somebody was last told. */
    boolean changedAtStart;

    /** Before which no window may begin that is told, milliseconds since the epoch. */
    long since;

    final Counter lateEvents;

    @SuppressWarnings({"unchecked", "rawtypes"})
    CellsOfRollup(CompiledRollup rollup, boolean shown, long since, Counter lateEvents) {
        this.rollup = rollup;
        this.shown = shown;
        this.since = since;
        this.lateEvents = lateEvents;
        this.shards = new Map[EventShards.SHARDS];
    }

    /** What the heap has of a shard, by key; not to be written to. */
    Map<String, Row> rows(int shard) {
        Map<String, Row> rows = shards[shard];
        return rows == null ? Map.of() : rows;
    }

    /** Takes a cell that the heap lacks. */
    void hold(int shard, String key, Pane pane, Cell cell) {
        Map<String, Row> rows = shards[shard];
        if (rows == null) {
            rows = new HashMap<>();
            shards[shard] = rows;
        }
        rows.computeIfAbsent(key, any -> new Row()).add(pane.start, cell);
        pane.held++;
    }

    /** The cell's next change is to be listed again. */
    void unlist(Pane pane, String key) {
        Row row = rows(CompiledRollup.shardOf(rollup.name(), key)).get(key);
        Cell cell = row == null ? null : row.get(pane.start);
        if (cell != null) {
            cell.listed = false;
        }
    }

    /** Lets cells go from the heap. */
    void letGo(Leaving which, Left told) {
        for (int shard = 0; shard < shards.length; shard++) {
            Map<String, Row> rows = shards[shard];
            if (rows == null) {
                continue;
            }
            Iterator<Map.Entry<String, Row>> entries = rows.entrySet().iterator();
            while (entries.hasNext()) {
                Map.Entry<String, Row> entry = entries.next();
                Row row = entry.getValue();
                for (int i = row.size - 1; i >= 0; i--) {
                    if (which.leaves(row.starts[i])) {
                        told.left(entry.getKey(), row.cells[i]);
                        row.remove(i);
                    }
                }
                if (row.size == 0) {
                    entries.remove();
                }
            }
            if (rows.isEmpty()) {
                // A map that is empty keeps the room that it had.
                shards[shard] = null;
            }
        }
        for (Pane pane : panes.values()) {
            if (which.leaves(pane.start)) {
                pane.held = 0;
            }
        }
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
