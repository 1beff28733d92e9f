package dev.engagement.rollup;

import dev.engagement.event.RollupRow;
import dev.engagement.event.types.EventShards;
import dev.engagement.rollup.CellsOfRollup.Cell;
import dev.engagement.rollup.CellsOfRollup.Pane;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ScheduledFuture;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.common.typeutils.base.StringSerializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.apache.flink.runtime.state.StateInitializationContext;
import org.apache.flink.runtime.state.StateSnapshotContext;
import org.apache.flink.runtime.state.VoidNamespace;
import org.apache.flink.runtime.state.VoidNamespaceSerializer;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.jspecify.annotations.Nullable;

/**
 * The cells of the shards of one subtask: adds up their panes, tells each window when event time has passed its end, again
 * when events come late for it, and the window that ends next now and then before that.
 *
 * <p>A row is absolute, and its version is the number of events of its cell, which only grows: whoever keeps the row of the
 * greatest version has the right one, whatever is told twice after a restart. A pane leaves state once no event may change
 * any of its windows: {@link RollupOptions#allowedLateness} after the end of the last one. Events that come later are
 * counted.
 *
 * <p>A job that was restored from a state without rollups tells of no window that began before it: of those it has seen a
 * part.
 *
 * <p>State: each pane of each cell, in a namespace of its pane, so that a pane is forgotten as a whole. The subtask works in
 * the heap and brings state up to date when a checkpoint is taken or the heap has too much; panes of which all windows are
 * closed are then held in state alone. Windows of many cells are told in pieces, between which other things get done.
 */
final class RollupCells extends AbstractStreamOperator<RollupRow>
        implements OneInputStreamOperator<RollupPartial, RollupRow> {

    private static final long serialVersionUID = 1L;

    /** By key; the namespace is {@link #namespace}. */
    static final MapStateDescriptor<String, CellState> CELLS =
            new MapStateDescriptor<>("cells", Types.STRING, CellState.TYPE);

    /** The namespaces of {@link #CELLS} that are in use, by their text: rollup and pane. */
    static final MapStateDescriptor<String, Long> PANES = new MapStateDescriptor<>("panes", Types.STRING, Types.LONG);

    /** Up to which event time all windows have been told, milliseconds since the epoch, exclusive. */
    static final ListStateDescriptor<Long> REACHED = new ListStateDescriptor<>("reached", Types.LONG);

    /** Before which no window may begin that is told. */
    static final ListStateDescriptor<Long> SINCE = new ListStateDescriptor<>("since", Types.LONG);

    /** What the rollups mean: name and fingerprint, one after the other. */
    static final ListStateDescriptor<String> MEANINGS = new ListStateDescriptor<>("meanings", Types.STRING);

    /** Estimated memory of cells before state takes them over. */
    static final long MAX_HELD_BYTES = 128L << 20;

    /** Rows told in one go. */
    static final int SLICE = 1_000;

    /** Rows of open windows told at a refresh, of all rollups alike: what is left waits for the next one. */
    static final int MAX_REFRESHED = 10_000;

    /** Corrections that wait for the next refresh. */
    static final int MAX_CORRECTED = 10_000;

    private static final long NOT_REACHED = Long.MIN_VALUE;
    /** {@link #since} is found out when the first watermark comes. */
    private static final long UNKNOWN = Long.MAX_VALUE;

    private static final char AT = '@';

    private final RollupOptions options;
    private final MailboxExecutor mailbox;

    private transient ListState<Long> reachedState;
    private transient ListState<Long> sinceState;
    private transient ListState<String> meanings;
    private transient MapState<String, Long> panesState;
    private transient Map<String, CellsOfRollup> rollups;
    private transient List<Integer> ownedShards;
    private transient ArrayDeque<Closing> closing;
    private transient boolean scheduled;
    private transient int corrections;
    private transient long reached;

    /** What {@link #reached} was before the windows came up that wait to be told. */
    private transient long told;

    private transient long since;
    private transient volatile long heldBytes;
    private transient volatile int heldCells;
    private transient DataOutputSerializer buffer;
    private transient Counter rows;
    private transient Counter partialsOfNone;

    RollupCells(RollupOptions options, MailboxExecutor mailbox) {
        this.options = options;
        this.mailbox = mailbox;
    }

    /** A window whose rows wait to be told. */
    private record Closing(CellsOfRollup of, long start, Iterator<String> keys) {}

    // ---------------------------------------------------------------------------------------------- start and restore

    @Override
    public void initializeState(StateInitializationContext context) throws Exception {
        super.initializeState(context);
        reachedState = context.getOperatorStateStore().getUnionListState(REACHED);
        sinceState = context.getOperatorStateStore().getUnionListState(SINCE);
        meanings = context.getOperatorStateStore().getUnionListState(MEANINGS);
        reached = NOT_REACHED;
        boolean first = true;
        for (Long each : reachedState.get()) {
            reached = first ? each : Math.min(reached, each);
            first = false;
        }
        // A job that begins with nothing begins with the topic; one that goes on without rollups has seen a part of it.
        since = context.isRestored() ? UNKNOWN : Long.MIN_VALUE;
        first = true;
        for (Long each : sinceState.get()) {
            since = first ? each : Math.max(since, each);
            first = false;
        }
    }

    @Override
    public void open() throws Exception {
        super.open();
        panesState = getPartitionedState(VoidNamespace.INSTANCE, VoidNamespaceSerializer.INSTANCE, PANES);
        rollups = new LinkedHashMap<>();
        for (CompiledRollup rollup :
                CompiledRollup.All.of(options.definitions()).rollups()) {
            rollups.put(
                    rollup.name(),
                    new CellsOfRollup(
                            rollup,
                            getMetricGroup().addGroup("rollup", rollup.name()).counter("lateEvents")));
        }
        closing = new ArrayDeque<>();
        buffer = new DataOutputSerializer(256);
        told = reached;
        rows = getMetricGroup().counter("rows");
        partialsOfNone = getMetricGroup().counter("partialsOfNoRollup");
        getMetricGroup().gauge("heldCells", (Gauge<Integer>) () -> heldCells);
        getMetricGroup().gauge("heldBytes", (Gauge<Long>) () -> heldBytes);
        ownedShards = ownedShards();
        refuseOtherMeanings();
        restorePanes();
        scheduleRefresh();
    }

    private List<Integer> ownedShards() {
        int subtasks = getRuntimeContext().getTaskInfo().getNumberOfParallelSubtasks();
        int most = getRuntimeContext().getTaskInfo().getMaxNumberOfParallelSubtasks();
        int here = getRuntimeContext().getTaskInfo().getIndexOfThisSubtask();
        List<Integer> owned = new ArrayList<>();
        for (int shard = 0; shard < EventShards.SHARDS; shard++) {
            if (KeyGroupRangeAssignment.assignKeyToParallelOperator(EventShards.keyOf(shard), most, subtasks) == here) {
                owned.add(shard);
            }
        }
        return owned;
    }

    private void refuseOtherMeanings() throws Exception {
        Iterator<String> known = meanings.get().iterator();
        while (known.hasNext()) {
            String name = known.next();
            String meaning = known.next();
            CellsOfRollup present = rollups.get(name);
            if (present != null && !present.rollup.definition().fingerprint().equals(meaning)) {
                throw new IllegalStateException("The rollup " + name + " was defined as " + meaning + " and is now "
                        + present.rollup.definition().fingerprint()
                        + ": its table would mix two meanings. Give the new definition a new name and table, and leave "
                        + name + " out of rollups if it is no longer wanted");
            }
        }
    }

    private void restorePanes() throws Exception {
        for (int shard : ownedShards) {
            setCurrentKey(EventShards.keyOf(shard));
            List<String> gone = new ArrayList<>();
            for (Map.Entry<String, Long> entry : panesState.entries()) {
                String name = entry.getKey().substring(0, entry.getKey().indexOf(AT));
                CellsOfRollup of = rollups.get(name);
                if (of == null) {
                    gone.add(entry.getKey());
                } else {
                    Pane pane = of.panes.computeIfAbsent(entry.getValue(), Pane::new);
                    pane.stored.set(shard);
                    pane.partlyInState = true;
                    of.changedAtStart = true;
                }
            }
            // Of rollups that are no longer wanted.
            for (String namespace : gone) {
                cells(namespace).clear();
                panesState.remove(namespace);
            }
        }
    }

    /** State is touched when a cell is not at hand: the key is set there, and not for each partial. */
    @Override
    public boolean hasKeyContext1() {
        return false;
    }

    // ---------------------------------------------------------------------------------------------- events

    @Override
    public void processElement(StreamRecord<RollupPartial> record) throws Exception {
        RollupPartial partial = record.getValue();
        CellsOfRollup of = rollups.get(partial.rollup());
        if (of == null) {
            // It was on its way in a checkpoint of a job that had the rollup.
            partialsOfNone.inc();
            return;
        }
        long lastEnd = of.lastEnd(partial.pane());
        if (isOver(lastEnd)) {
            of.lateEvents.inc(partial.aggregate().events);
            return;
        }
        Pane pane = of.panes.computeIfAbsent(partial.pane(), Pane::new);
        Cell cell = cell(of, pane, partial.key());
        if (cell == null) {
            cell = new Cell(partial.aggregate());
            pane.cells.put(partial.key(), cell);
            hold(1, cell.aggregate.estimatedBytes());
        } else {
            int before = cell.aggregate.estimatedBytes();
            cell.aggregate.merge(partial.aggregate(), of.rollup);
            hold(0, cell.aggregate.estimatedBytes() - before);
        }
        cell.unsaved = true;
        of.changed.merge(partial.key(), partial.pane(), Math::max);
        correct(of, partial);
        if (heldBytes > MAX_HELD_BYTES) {
            save();
            release(true);
        }
    }

    private void hold(int moreCells, int moreBytes) {
        heldCells = heldCells + moreCells;
        heldBytes = heldBytes + moreBytes;
    }

    /** Whether nothing may change a window that ends there. */
    private boolean isOver(long end) {
        return reached != NOT_REACHED
                && end <= reached - options.allowedLateness().toMillis();
    }

    /** Windows that have been told and are no longer right. */
    private void correct(CellsOfRollup of, RollupPartial partial) throws Exception {
        long window = of.rollup.windowMillis();
        long first = of.rollup.firstWindow(partial.pane());
        if (reached == NOT_REACHED || first + window > reached) {
            return;
        }
        for (long start = first; start <= of.rollup.lastWindow(partial.pane()); start += of.rollup.slideMillis()) {
            if (start + window <= reached && !isOver(start + window)) {
                if (of.corrected
                        .computeIfAbsent(start, any -> new LinkedHashSet<>())
                        .add(partial.key())) {
                    corrections++;
                }
            }
        }
        if (corrections >= MAX_CORRECTED) {
            tellCorrections();
        }
    }

    // ---------------------------------------------------------------------------------------------- event time

    @Override
    public void processWatermark(Watermark mark) throws Exception {
        long eventTime = mark.equals(Watermark.MAX_WATERMARK) ? Long.MAX_VALUE : mark.getTimestamp() + 1;
        if (eventTime > reached) {
            if (since == UNKNOWN && eventTime != Long.MAX_VALUE) {
                since = eventTime
                        + options.maxOutOfOrderness().toMillis()
                        + options.maxClockSkew().toMillis();
            }
            tellCorrectionsOfWindowsThatEnd(eventTime);
            for (CellsOfRollup of : rollups.values()) {
                close(of, eventTime);
            }
            reached = eventTime;
            if (eventTime == Long.MAX_VALUE) {
                tellAll();
            } else if (!scheduled) {
                tellSlice();
            }
        }
        super.processWatermark(mark);
    }

    private void close(CellsOfRollup of, long eventTime) {
        TreeSet<Long> starts = new TreeSet<>();
        long window = of.rollup.windowMillis();
        // Windows of earlier panes have been told.
        Set<Long> panes = reached == NOT_REACHED
                ? of.panes.keySet()
                : of.panes.tailMap(reached - window - of.rollup.slideMillis()).keySet();
        for (long pane : panes) {
            long first = of.rollup.firstWindow(pane);
            for (long start = first; start <= of.rollup.lastWindow(pane); start += of.rollup.slideMillis()) {
                long end = start + window;
                if (end <= eventTime && (reached == NOT_REACHED || end > reached) && start >= since) {
                    starts.add(start);
                }
            }
        }
        for (long start : starts) {
            closing.add(new Closing(of, start, List.<String>of().iterator()));
        }
    }

    /** Rows of windows that were closed, as many as one go may have; then the next go, behind what waits for the thread. */
    private void tellSlice() throws Exception {
        int left = SLICE;
        while (left > 0 && !closing.isEmpty()) {
            Closing next = closing.remove();
            Iterator<String> keys = next.keys().hasNext() ? next.keys() : null;
            if (keys == null) {
                keys = keysOf(next.of(), next.start()).iterator();
            }
            while (left > 0 && keys.hasNext()) {
                tell(next.of(), next.start(), keys.next(), true);
                left--;
            }
            if (keys.hasNext()) {
                closing.addFirst(new Closing(next.of(), next.start(), keys));
            }
        }
        if (closing.isEmpty()) {
            told = reached;
            forget();
        } else if (!scheduled) {
            scheduled = true;
            mailbox.execute(
                    () -> {
                        scheduled = false;
                        tellSlice();
                    },
                    "rollups: the next rows");
        }
    }

    private void tellAll() throws Exception {
        tellCorrections();
        while (!closing.isEmpty()) {
            tellSlice();
        }
    }

    private Set<String> keysOf(CellsOfRollup of, long start) throws Exception {
        Set<String> keys = new LinkedHashSet<>();
        for (Pane pane : of.panesOf(start).values()) {
            keys.addAll(pane.cells.keySet());
            if (pane.partlyInState) {
                String namespace = namespace(of, pane);
                for (int shard = pane.stored.nextSetBit(0); shard >= 0; shard = pane.stored.nextSetBit(shard + 1)) {
                    setCurrentKey(EventShards.keyOf(shard));
                    for (String key : cells(namespace).keys()) {
                        keys.add(key);
                    }
                }
            }
        }
        return keys;
    }

    private void tell(CellsOfRollup of, long start, String key, boolean closed) throws Exception {
        Aggregate sum = null;
        boolean own = false;
        NavigableMap<Long, Pane> panes = of.panesOf(start);
        for (Pane pane : panes.values()) {
            Cell cell = peek(of, pane, key);
            if (cell == null) {
                continue;
            }
            if (sum == null) {
                sum = cell.aggregate;
            } else {
                if (!own) {
                    Aggregate both = of.rollup.empty();
                    both.merge(sum, of.rollup);
                    sum = both;
                    own = true;
                }
                sum.merge(cell.aggregate, of.rollup);
            }
        }
        if (sum != null && start >= since) {
            rows.inc();
            output.collect(new StreamRecord<>(of.rollup.row(key, start, sum, closed)));
        }
    }

    private void tellCorrections() throws Exception {
        for (CellsOfRollup of : rollups.values()) {
            for (Map.Entry<Long, Set<String>> window : of.corrected.entrySet()) {
                for (String key : window.getValue()) {
                    tell(of, window.getKey(), key, true);
                }
            }
            of.corrected.clear();
        }
        corrections = 0;
    }

    /** A window that nothing may change any more is told as it is then, and not with what comes later for its panes. */
    private void tellCorrectionsOfWindowsThatEnd(long eventTime) throws Exception {
        if (corrections == 0) {
            return;
        }
        long over = eventTime == Long.MAX_VALUE
                ? Long.MAX_VALUE
                : eventTime - options.allowedLateness().toMillis();
        for (CellsOfRollup of : rollups.values()) {
            for (long start : of.corrected.keySet()) {
                if (start + of.rollup.windowMillis() <= over) {
                    tellCorrections();
                    return;
                }
            }
        }
    }

    private void scheduleRefresh() {
        long now = getProcessingTimeService().getCurrentProcessingTime();
        ScheduledFuture<?> unused = getProcessingTimeService()
                .registerTimer(now + options.refresh().toMillis(), time -> {
                    tellCorrections();
                    tellOpen();
                    scheduleRefresh();
                });
    }

    /** The window of each rollup that ends next, of what has changed. */
    private void tellOpen() throws Exception {
        if (reached == NOT_REACHED) {
            return;
        }
        for (CellsOfRollup of : rollups.values()) {
            if (!of.rollup.definition().live() && !options.early()) {
                of.changed.clear();
                continue;
            }
            long start = of.rollup.startOfNextToEnd(reached);
            if (of.changedAtStart) {
                // What a checkpoint had and nobody was told of yet.
                for (String key : keysOf(of, start)) {
                    of.changed.putIfAbsent(key, start);
                }
                of.changedAtStart = false;
            }
            int left = MAX_REFRESHED / rollups.size();
            Iterator<Map.Entry<String, Long>> keys = of.changed.entrySet().iterator();
            while (left > 0 && keys.hasNext()) {
                Map.Entry<String, Long> key = keys.next();
                tell(of, start, key.getKey(), false);
                left--;
                // What changed in a window that ends later is told of when that one is the next.
                if (key.getValue() < start + of.rollup.windowMillis()) {
                    keys.remove();
                }
            }
        }
    }

    /** Panes that nothing may change any more. */
    private void forget() throws Exception {
        for (CellsOfRollup of : rollups.values()) {
            Iterator<Pane> panes = of.panes.values().iterator();
            while (panes.hasNext()) {
                Pane pane = panes.next();
                if (!isOver(of.lastEnd(pane.start))) {
                    // Later panes end later.
                    break;
                }
                String namespace = namespace(of, pane);
                for (int shard = pane.stored.nextSetBit(0); shard >= 0; shard = pane.stored.nextSetBit(shard + 1)) {
                    setCurrentKey(EventShards.keyOf(shard));
                    cells(namespace).clear();
                    panesState.remove(namespace);
                }
                letGo(pane);
                panes.remove();
            }
        }
    }

    // ---------------------------------------------------------------------------------------------- cells and state

    private static String namespace(CellsOfRollup of, Pane pane) {
        return of.rollup.name() + AT + pane.start;
    }

    private MapState<String, CellState> cells(String namespace) throws Exception {
        return getPartitionedState(namespace, StringSerializer.INSTANCE, CELLS);
    }

    /** The cell, brought into the heap. */
    private @Nullable Cell cell(CellsOfRollup of, Pane pane, String key) throws Exception {
        Cell held = pane.cells.get(key);
        if (held == null) {
            held = load(of, pane, key);
            if (held != null) {
                pane.cells.put(key, held);
                hold(1, held.aggregate.estimatedBytes());
            }
        }
        return held;
    }

    /** The cell, which stays where it is. */
    private @Nullable Cell peek(CellsOfRollup of, Pane pane, String key) throws Exception {
        Cell held = pane.cells.get(key);
        return held == null ? load(of, pane, key) : held;
    }

    private @Nullable Cell load(CellsOfRollup of, Pane pane, String key) throws Exception {
        if (!pane.partlyInState) {
            return null;
        }
        int shard = CompiledRollup.shardOf(of.rollup.name(), key);
        if (!pane.stored.get(shard)) {
            return null;
        }
        setCurrentKey(EventShards.keyOf(shard));
        CellState stored = cells(namespace(of, pane)).get(key);
        return stored == null ? null : new Cell(stored.aggregate());
    }

    @Override
    public void prepareSnapshotPreBarrier(long checkpointId) throws Exception {
        // Whoever keeps the rows has them in this checkpoint.
        tellCorrections();
    }

    @Override
    public void snapshotState(StateSnapshotContext context) throws Exception {
        super.snapshotState(context);
        save();
        release(false);
        reachedState.update(told == NOT_REACHED ? List.of() : List.of(told));
        sinceState.update(List.of(since));
        List<String> known = new ArrayList<>();
        for (CellsOfRollup of : rollups.values()) {
            known.add(of.rollup.name());
            known.add(of.rollup.definition().fingerprint());
        }
        meanings.update(known);
    }

    private void save() throws Exception {
        Map<Integer, List<String>> byShard = new HashMap<>();
        for (CellsOfRollup of : rollups.values()) {
            for (Pane pane : of.panes.values()) {
                byShard.clear();
                for (Map.Entry<String, Cell> entry : pane.cells.entrySet()) {
                    if (entry.getValue().unsaved) {
                        byShard.computeIfAbsent(
                                        CompiledRollup.shardOf(of.rollup.name(), entry.getKey()),
                                        any -> new ArrayList<>())
                                .add(entry.getKey());
                    }
                }
                for (Map.Entry<Integer, List<String>> shard : byShard.entrySet()) {
                    save(of, pane, shard.getKey(), shard.getValue());
                }
            }
        }
    }

    private void save(CellsOfRollup of, Pane pane, int shard, List<String> keys) throws Exception {
        setCurrentKey(EventShards.keyOf(shard));
        String namespace = namespace(of, pane);
        MapState<String, CellState> state = cells(namespace);
        for (String key : keys) {
            Cell cell = pane.cells.get(key);
            if (cell != null) {
                state.put(key, encode(cell));
                cell.unsaved = false;
            }
        }
        if (!pane.stored.get(shard)) {
            pane.stored.set(shard);
            panesState.put(namespace, pane.start);
        }
    }

    private CellState encode(Cell cell) throws IOException {
        return CellState.of(cell.aggregate, buffer);
    }

    /** What state has as well leaves the heap: panes whose windows are all closed, or every pane. */
    private void release(boolean every) {
        for (CellsOfRollup of : rollups.values()) {
            for (Pane pane : of.panes.values()) {
                if (every || reached != NOT_REACHED && of.lastEnd(pane.start) <= reached) {
                    pane.partlyInState |= !pane.cells.isEmpty();
                    letGo(pane);
                }
            }
        }
    }

    private void letGo(Pane pane) {
        long bytes = 0;
        for (Cell cell : pane.cells.values()) {
            bytes += cell.aggregate.estimatedBytes();
        }
        heldCells = heldCells - pane.cells.size();
        heldBytes = heldBytes - bytes;
        pane.cells.clear();
    }

    @Override
    public void finish() throws Exception {
        tellAll();
        super.finish();
    }
}
