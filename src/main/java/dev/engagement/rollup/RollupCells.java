package dev.engagement.rollup;

import dev.engagement.event.RollupRow;
import dev.engagement.event.types.EventShards;
import dev.engagement.rollup.CellsOfRollup.Cell;
import dev.engagement.rollup.CellsOfRollup.Held;
import dev.engagement.rollup.CellsOfRollup.Leaving;
import dev.engagement.rollup.CellsOfRollup.Pane;
import dev.engagement.rollup.CellsOfRollup.Row;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
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
import org.apache.flink.api.java.tuple.Tuple2;
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
 * <p>A rollup that a job was restored without is told of in windows that begin later only: of the others a part has been
 * seen. When that is, is decided at the first watermark, on the safe side: behind all that the job without it can have read.
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

    /** Up to which end of a window everything has been forgotten, milliseconds since the epoch. */
    static final ListStateDescriptor<Long> FORGOTTEN = new ListStateDescriptor<>("forgotten", Types.LONG);

    /** By rollup, before which no window may begin that is told, milliseconds since the epoch. */
    static final ListStateDescriptor<Tuple2<String, Long>> SINCE =
            new ListStateDescriptor<>("since", Types.TUPLE(Types.STRING, Types.LONG));

    /** What the rollups mean: name and fingerprint, one after the other. The plan of a deployment reads it, too. */
    static final ListStateDescriptor<String> MEANINGS = new ListStateDescriptor<>("meanings", Types.STRING);

    /** Estimated memory of cells before state takes them over. */
    static final long MAX_HELD_BYTES = 128L << 20;

    /** Rows told in one go, or somewhat more. */
    static final int SLICE = 1_000;

    /** Shards of panes that are forgotten in one go. */
    static final int FORGOTTEN_IN_ONE_GO = 16;

    /** Rows of open windows told at a refresh, of all rollups alike: what is left waits for the next one. */
    static final int MAX_REFRESHED = 10_000;

    /** Corrections that wait for the next refresh. */
    static final int MAX_CORRECTED = 10_000;

    private static final long NOT_REACHED = Long.MIN_VALUE;

    /** A job that begins with nothing begins with the topic. */
    private static final long ALWAYS = Long.MIN_VALUE;

    /** Since when a rollup is told of is found out when the next watermark comes. */
    private static final long UNKNOWN = Long.MAX_VALUE;

    private static final char AT = '@';

    private final RollupOptions options;
    private final boolean live;
    private final int slice;
    private final MailboxExecutor mailbox;

    private transient ListState<Long> reachedState;
    private transient ListState<Long> forgottenState;
    private transient ListState<Tuple2<String, Long>> sinceState;
    private transient ListState<String> meanings;
    private transient MapState<String, Long> panesState;
    private transient Map<String, CellsOfRollup> rollups;
    private transient List<Integer> ownedShards;
    private transient ArrayDeque<Telling> telling;
    private transient boolean scheduled;
    private transient int corrections;
    private transient long reached;

    /** What {@link #reached} was before the windows came up that wait to be told. */
    private transient long told;

    private transient long forgotten;
    private transient long openedAt;
    private transient volatile long heldBytes;
    private transient volatile int heldCells;
    private transient DataOutputSerializer buffer;
    private transient Sum sum;
    private transient Counter rows;
    private transient Counter partialsOfNone;

    /**
     * @param live whether a live view shows rollups
     * @param slice rows told in one go
     */
    RollupCells(RollupOptions options, boolean live, int slice, MailboxExecutor mailbox) {
        this.options = options;
        this.live = live;
        this.slice = slice;
        this.mailbox = mailbox;
    }

    /** A window whose rows wait to be told, shard by shard. */
    private static final class Telling {
        private final CellsOfRollup of;
        private final long start;
        private final boolean closed;

        /** The next of the owned shards. */
        private int next;

        Telling(CellsOfRollup of, long start, boolean closed) {
            this.of = of;
            this.start = start;
            this.closed = closed;
        }
    }

    /** What the panes of one cell come to in one window. One object for all. */
    private static final class Sum {
        private @Nullable Aggregate first;
        private @Nullable Aggregate all;

        void add(Aggregate pane, CompiledRollup rollup) {
            if (first == null) {
                first = pane;
                return;
            }
            if (all == null) {
                all = rollup.empty();
                all.merge(first, rollup);
            }
            all.merge(pane, rollup);
        }

        /** The sum, which is not to be written to, or null of nothing; the next one begins. */
        @Nullable
        Aggregate take() {
            Aggregate taken = all == null ? first : all;
            first = null;
            all = null;
            return taken;
        }
    }

    // ---------------------------------------------------------------------------------------------- start and restore

    @Override
    public void initializeState(StateInitializationContext context) throws Exception {
        super.initializeState(context);
        reachedState = context.getOperatorStateStore().getUnionListState(REACHED);
        forgottenState = context.getOperatorStateStore().getUnionListState(FORGOTTEN);
        sinceState = context.getOperatorStateStore().getUnionListState(SINCE);
        meanings = context.getOperatorStateStore().getUnionListState(MEANINGS);
        reached = NOT_REACHED;
        boolean first = true;
        for (Long each : reachedState.get()) {
            reached = first ? each : Math.min(reached, each);
            first = false;
        }
        forgotten = Long.MIN_VALUE;
        for (Long each : forgottenState.get()) {
            forgotten = Math.max(forgotten, each);
        }
    }

    @Override
    public void open() throws Exception {
        super.open();
        panesState = getPartitionedState(VoidNamespace.INSTANCE, VoidNamespaceSerializer.INSTANCE, PANES);
        openedAt = getProcessingTimeService().getCurrentProcessingTime();
        Map<String, Long> since = new HashMap<>();
        for (Tuple2<String, Long> each : sinceState.get()) {
            since.merge(each.f0, each.f1, Math::max);
        }
        rollups = new LinkedHashMap<>();
        for (CompiledRollup rollup :
                CompiledRollup.All.of(options.definitions()).rollups()) {
            rollups.put(
                    rollup.name(),
                    new CellsOfRollup(
                            rollup,
                            options.early() || live && rollup.definition().live(),
                            since.getOrDefault(rollup.name(), ALWAYS),
                            getMetricGroup().addGroup("rollup", rollup.name()).counter("lateEvents")));
        }
        telling = new ArrayDeque<>();
        sum = new Sum();
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
        if (partial.beganLate() && of.since == ALWAYS) {
            of.since = UNKNOWN;
        }
        if (isOver(of.firstEnd(partial.pane()))) {
            of.lateEvents.inc(partial.aggregate().events);
        }
        if (isOver(of.lastEnd(partial.pane()))) {
            return;
        }
        Pane pane = of.panes.computeIfAbsent(partial.pane(), Pane::new);
        int shard = CompiledRollup.shardOf(of.rollup.name(), partial.key());
        Cell cell = cell(of, pane, shard, partial.key());
        if (cell == null) {
            cell = new Cell(partial.aggregate());
            hold(of, pane, shard, partial.key(), cell);
        } else {
            int before = cell.aggregate.estimatedBytes();
            cell.aggregate.merge(partial.aggregate(), of.rollup);
            heldBytes = heldBytes + cell.aggregate.estimatedBytes() - before;
        }
        cell.saved = false;
        if (of.shown && !cell.listed) {
            cell.listed = true;
            pane.changed.add(partial.key());
        }
        correct(of, partial);
        if (heldBytes > MAX_HELD_BYTES) {
            save();
            release(true);
        }
    }

    private void hold(CellsOfRollup of, Pane pane, int shard, String key, Cell cell) {
        of.hold(shard, key, pane, cell);
        heldCells = heldCells + 1;
        heldBytes = heldBytes + cell.bytes(key);
    }

    /** Whether nothing may change a window that ends there. */
    private boolean isOver(long end) {
        return end <= forgotten
                || reached != NOT_REACHED
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
        if (mark.equals(Watermark.MAX_WATERMARK)) {
            // Event time itself stays where it is: whoever goes on from a savepoint that drained the job goes on from
            // there.
            tellCorrections();
            close(Long.MAX_VALUE);
            tellAll();
        } else if (mark.getTimestamp() + 1 > reached) {
            long eventTime = mark.getTimestamp() + 1;
            beginAt(eventTime);
            tellCorrectionsOfWindowsThatEnd(eventTime);
            close(eventTime);
            reached = eventTime;
            if (!scheduled) {
                tellSlice();
            }
        }
        super.processWatermark(mark);
    }

    /** Of rollups that the job was restored without. */
    private void beginAt(long eventTime) {
        for (CellsOfRollup of : rollups.values()) {
            if (of.since == UNKNOWN) {
                // What was read before is neither newer than event time allows nor stamped further ahead of its
                // arrival.
                of.since = Math.max(eventTime + options.maxOutOfOrderness().toMillis(), openedAt)
                        + options.maxClockSkew().toMillis();
            }
        }
    }

    private void close(long eventTime) {
        for (CellsOfRollup of : rollups.values()) {
            close(of, eventTime);
        }
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
                if (end <= eventTime && (reached == NOT_REACHED || end > reached) && start >= of.since) {
                    starts.add(start);
                }
            }
        }
        for (long start : starts) {
            telling.add(new Telling(of, start, true));
        }
    }

    /** Rows that wait to be told, as many as one go may have; then the next go, behind what waits for the thread. */
    private void tellSlice() throws Exception {
        int left = slice;
        while (left > 0 && !telling.isEmpty()) {
            Telling next = telling.element();
            while (left > 0 && next.next < ownedShards.size()) {
                left -= tellShard(next, ownedShards.get(next.next++));
            }
            if (next.next == ownedShards.size()) {
                telling.remove();
            }
        }
        boolean done = telling.isEmpty();
        if (done) {
            told = reached;
            done = forget();
        }
        if (!done && !scheduled) {
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
        while (!telling.isEmpty()) {
            tellSlice();
        }
    }

    /** Tells what a shard has of a window, and how many rows that was. */
    private int tellShard(Telling window, int shard) throws Exception {
        CellsOfRollup of = window.of;
        if (window.start < of.since) {
            return 0;
        }
        boolean closed = window.closed || window.start + of.rollup.windowMillis() <= reached;
        Map<String, Row> rows = of.rows(shard);
        Map<String, List<Aggregate>> onlyInState = onlyInState(of, window.start, shard);
        int count = 0;
        for (Map.Entry<String, Row> entry : rows.entrySet()) {
            Row row = entry.getValue();
            for (int i = 0; i < row.size(); i++) {
                if (row.start(i) >= window.start && row.start(i) < window.start + of.rollup.windowMillis()) {
                    sum.add(row.cell(i).aggregate, of.rollup);
                }
            }
            count += tell(of, window.start, entry.getKey(), onlyInState.remove(entry.getKey()), closed);
        }
        for (Map.Entry<String, List<Aggregate>> entry : onlyInState.entrySet()) {
            count += tell(of, window.start, entry.getKey(), entry.getValue(), closed);
        }
        return count;
    }

    /** What state has of a window in a shard and the heap has not, by key. Reads each pane once. */
    private Map<String, List<Aggregate>> onlyInState(CellsOfRollup of, long start, int shard) throws Exception {
        Map<String, Row> rows = of.rows(shard);
        Map<String, List<Aggregate>> onlyInState = new LinkedHashMap<>(0);
        for (Pane pane : of.panesOf(start).values()) {
            if (!pane.partlyInState || !pane.stored.get(shard)) {
                continue;
            }
            setCurrentKey(EventShards.keyOf(shard));
            for (Map.Entry<String, CellState> entry : cells(namespace(of, pane)).entries()) {
                Row row = rows.get(entry.getKey());
                if (row == null || row.get(pane.start) == null) {
                    onlyInState
                            .computeIfAbsent(entry.getKey(), any -> new ArrayList<>())
                            .add(entry.getValue().aggregate());
                }
            }
        }
        return onlyInState;
    }

    /** Tells of one cell; whether there was anything to tell. */
    private boolean tell(CellsOfRollup of, long start, String key, boolean closed) throws Exception {
        if (start < of.since) {
            return false;
        }
        int shard = CompiledRollup.shardOf(of.rollup.name(), key);
        Row row = of.rows(shard).get(key);
        for (Pane pane : of.panesOf(start).values()) {
            Cell held = row == null ? null : row.get(pane.start);
            Cell cell = held == null ? load(of, pane, shard, key) : held;
            if (cell != null) {
                sum.add(cell.aggregate, of.rollup);
            }
        }
        return tell(of, start, key, null, closed) > 0;
    }

    /** Tells of what has been added up, with what comes to it; how many rows that was. */
    private int tell(CellsOfRollup of, long start, String key, @Nullable List<Aggregate> more, boolean closed) {
        if (more != null) {
            for (Aggregate each : more) {
                sum.add(each, of.rollup);
            }
        }
        Aggregate all = sum.take();
        if (all == null) {
            return 0;
        }
        rows.inc();
        output.collect(new StreamRecord<>(of.rollup.row(key, start, all, closed)));
        return 1;
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
        int left = MAX_REFRESHED;
        int others = rollups.size();
        for (CellsOfRollup of : rollups.values()) {
            long start = of.rollup.startOfNextToEnd(reached);
            if (of.changedAtStart) {
                // What a checkpoint had and nobody was told of yet.
                telling.add(new Telling(of, start, false));
                of.changedAtStart = false;
            }
            // What one does not need the others have.
            left -= tellOpen(of, start, left / others--);
        }
        if (!telling.isEmpty() && !scheduled) {
            tellSlice();
        }
    }

    private int tellOpen(CellsOfRollup of, long start, int most) throws Exception {
        for (Pane pane : of.panes.headMap(start).values()) {
            // All its windows were told of when they were closed.
            pane.changed.clear();
        }
        Set<String> told = new HashSet<>();
        int rowsTold = 0;
        for (Pane pane : of.panesOf(start).values()) {
            int seen = 0;
            while (seen < pane.changed.size() && rowsTold < most) {
                String key = pane.changed.get(seen++);
                of.unlist(pane, key);
                if (told.add(key) && tell(of, start, key, false)) {
                    rowsTold++;
                }
            }
            pane.changed.subList(0, seen).clear();
        }
        return rowsTold;
    }

    /** Some of the panes that nothing may change any more; false if there are others. */
    private boolean forget() throws Exception {
        if (reached != NOT_REACHED) {
            forgotten = Math.max(forgotten, reached - options.allowedLateness().toMillis());
        }
        int left = FORGOTTEN_IN_ONE_GO;
        for (CellsOfRollup of : rollups.values()) {
            letGo(of, pane -> isOver(of.lastEnd(pane)));
            Iterator<Pane> panes = of.panes.values().iterator();
            while (panes.hasNext()) {
                Pane pane = panes.next();
                if (!isOver(of.lastEnd(pane.start))) {
                    // Later panes end later.
                    break;
                }
                String namespace = namespace(of, pane);
                for (int shard = pane.stored.nextSetBit(0); shard >= 0; shard = pane.stored.nextSetBit(shard + 1)) {
                    if (left-- == 0) {
                        return false;
                    }
                    setCurrentKey(EventShards.keyOf(shard));
                    cells(namespace).clear();
                    panesState.remove(namespace);
                    pane.stored.clear(shard);
                }
                panes.remove();
            }
        }
        return true;
    }

    // ---------------------------------------------------------------------------------------------- cells and state

    private static String namespace(CellsOfRollup of, Pane pane) {
        return of.rollup.name() + AT + pane.start;
    }

    private MapState<String, CellState> cells(String namespace) throws Exception {
        return getPartitionedState(namespace, StringSerializer.INSTANCE, CELLS);
    }

    /** The cell, brought into the heap. */
    private @Nullable Cell cell(CellsOfRollup of, Pane pane, int shard, String key) throws Exception {
        Row row = of.rows(shard).get(key);
        Cell held = row == null ? null : row.get(pane.start);
        if (held == null) {
            held = load(of, pane, shard, key);
            if (held != null) {
                hold(of, pane, shard, key, held);
            }
        }
        return held;
    }

    /** The cell as state has it, which stays where it is. */
    private @Nullable Cell load(CellsOfRollup of, Pane pane, int shard, String key) throws Exception {
        if (!pane.partlyInState || !pane.stored.get(shard)) {
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
        reachedState.update(List.of(told));
        forgottenState.update(List.of(forgotten));
        List<Tuple2<String, Long>> since = new ArrayList<>();
        List<String> known = new ArrayList<>();
        for (CellsOfRollup of : rollups.values()) {
            since.add(Tuple2.of(of.rollup.name(), of.since));
            known.add(of.rollup.name());
            known.add(of.rollup.definition().fingerprint());
        }
        sinceState.update(since);
        meanings.update(known);
    }

    private void save() throws Exception {
        for (CellsOfRollup of : rollups.values()) {
            for (int shard : ownedShards) {
                Map<Long, List<Held>> unsaved = new HashMap<>();
                for (Map.Entry<String, Row> entry : of.rows(shard).entrySet()) {
                    Row row = entry.getValue();
                    for (int i = 0; i < row.size(); i++) {
                        if (!row.cell(i).saved) {
                            unsaved.computeIfAbsent(row.start(i), any -> new ArrayList<>())
                                    .add(new Held(entry.getKey(), row.cell(i)));
                        }
                    }
                }
                for (Map.Entry<Long, List<Held>> ofPane : unsaved.entrySet()) {
                    Pane pane = of.panes.get(ofPane.getKey());
                    if (pane != null) {
                        save(of, pane, shard, ofPane.getValue());
                    }
                }
            }
        }
    }

    private void save(CellsOfRollup of, Pane pane, int shard, List<Held> cells) throws Exception {
        setCurrentKey(EventShards.keyOf(shard));
        String namespace = namespace(of, pane);
        MapState<String, CellState> state = cells(namespace);
        for (Held each : cells) {
            state.put(each.key(), CellState.of(each.cell().aggregate, buffer));
            each.cell().saved = true;
        }
        if (!pane.stored.get(shard)) {
            pane.stored.set(shard);
            panesState.put(namespace, pane.start);
        }
    }

    /** What state has as well leaves the heap: panes whose windows are all closed, or every pane. */
    private void release(boolean every) {
        for (CellsOfRollup of : rollups.values()) {
            letGo(of, pane -> every || reached != NOT_REACHED && of.lastEnd(pane) <= reached);
        }
    }

    private void letGo(CellsOfRollup of, Leaving which) {
        boolean any = false;
        for (Pane pane : of.panes.values()) {
            if (pane.held > 0 && which.leaves(pane.start)) {
                pane.partlyInState = true;
                any = true;
            }
        }
        if (any) {
            of.letGo(which, (key, cell) -> {
                heldCells = heldCells - 1;
                heldBytes = heldBytes - cell.bytes(key);
            });
        }
    }

    @Override
    public void finish() throws Exception {
        tellAll();
        super.finish();
    }
}
