package dev.engagement.ranking;

import dev.engagement.event.types.EventShards;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.TaskInfo;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
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

/**
 * The best contents of the shards of one subtask, at each slide end that a watermark passes and before that watermark.
 *
 * <p>A board that ends more than {@link RankingOptions#MAX_BOARD_AGE} ago by the wall clock, or ahead of it by more than
 * the clock skew, is passed over; the window moves on all the same. The first watermark of all leads to one board, since
 * what ended before it may be half there. The end of all input leads to the last board that has an event of its own, and
 * to at least one more, which has what was late for the one before.
 *
 * <p>State: for each shard its seconds of the window and ahead of it, and the slide end that was reached. It is the same
 * whatever the slide, the window and the number of places, so that a restore with others is exact; a longer window fills
 * up. The subtask works in the heap and brings state up to date when a checkpoint is taken, so that the cost of an event
 * is the same on every state backend.
 */
final class StandingsOperator extends AbstractStreamOperator<ShardStandings>
        implements OneInputStreamOperator<RankingPartial, ShardStandings> {

    private static final long serialVersionUID = 1L;

    /** By the second at which a pane begins. */
    static final MapStateDescriptor<Long, PaneBlob> PANES =
            new MapStateDescriptor<>("panes", Types.LONG, PaneBlob.TYPE);

    /** The slide end reached, in seconds. */
    static final ValueStateDescriptor<Long> SLIDE_END = new ValueStateDescriptor<>("slide-end", Types.LONG);

    /** The newest second with an event, of which every subtask is to know. */
    static final ListStateDescriptor<Long> NEWEST = new ListStateDescriptor<>("newest-second", Types.LONG);

    private static final long MILLIS = 1_000;

    private final RankingOptions options;
    private final long slideMillis;

    private transient MapState<Long, PaneBlob> panes;
    private transient ValueState<Long> slideEnd;
    private transient ListState<Long> newest;
    private transient SlidingWindow window;
    private transient List<Integer> ownedShards;
    private transient Counter lateEvents;
    private transient Counter slides;
    private transient volatile long watermark;

    StandingsOperator(RankingOptions options) {
        this.options = options;
        this.slideMillis = options.slide().toMillis();
    }

    @Override
    public void initializeState(StateInitializationContext context) throws Exception {
        super.initializeState(context);
        newest = context.getOperatorStateStore().getUnionListState(NEWEST);
    }

    @Override
    public void open() throws Exception {
        super.open();
        panes = getPartitionedState(VoidNamespace.INSTANCE, VoidNamespaceSerializer.INSTANCE, PANES);
        slideEnd = getPartitionedState(VoidNamespace.INSTANCE, VoidNamespaceSerializer.INSTANCE, SLIDE_END);
        window = new SlidingWindow(options);
        ownedShards = ownedShards();
        restore();
        watermark = getProcessingTimeService().getCurrentProcessingTime();
        getMetricGroup().gauge("watermarkLagMillis", (Gauge<Long>) this::watermarkLagMillis);
        lateEvents = getMetricGroup().counter("lateEvents");
        slides = getMetricGroup().counter("slides");
        getMetricGroup().gauge("activeContents", (Gauge<Integer>) () -> window.contents());
        getMetricGroup().gauge("panes", (Gauge<Integer>) () -> window.panes());
        getMetricGroup().gauge("logBytes", (Gauge<Long>) () -> window.logBytes());
        getMetricGroup().gauge("rebuilds", (Gauge<Long>) () -> window.rebuilds());
    }

    /** State is touched at checkpoints alone: the key is set there, and not for each partial sum. */
    @Override
    public boolean hasKeyContext1() {
        return false;
    }

    @Override
    public void processElement(StreamRecord<RankingPartial> record) {
        long late = window.add(record.getValue());
        if (late != 0) {
            lateEvents.inc(late);
        }
    }

    @Override
    public void processWatermark(Watermark mark) throws Exception {
        watermark = mark.getTimestamp();
        if (!mark.equals(Watermark.MAX_WATERMARK)) {
            advanceTo(slideEndAt(mark.getTimestamp() + 1));
        } else if (window.newestSecond() != Long.MIN_VALUE) {
            long last = slideEndAfter(window.newestSecond() * MILLIS);
            advanceTo(
                    window.endSecond() == SlidingWindow.NOT_PLACED
                            ? last
                            : Math.max(last, slideEndAfter(window.endSecond() * MILLIS)));
        }
        super.processWatermark(mark);
    }

    /** How far event time is behind the wall clock; before the first watermark, how long none has come. */
    long watermarkLagMillis() {
        return Math.max(0, getProcessingTimeService().getCurrentProcessingTime() - watermark);
    }

    /** Events left out because every window to come begins after them. */
    long lateEvents() {
        return lateEvents.getCount();
    }

    private void advanceTo(long targetMillis) {
        boolean placed = window.endSecond() != SlidingWindow.NOT_PLACED;
        if (placed && targetMillis <= window.endSecond() * MILLIS) {
            return;
        }
        long now = getProcessingTimeService().getCurrentProcessingTime();
        long first = placed ? slideEndAfter(window.endSecond() * MILLIS) : targetMillis;
        long oldestShown = slideEndAfter(now - RankingOptions.MAX_BOARD_AGE.toMillis() - 1);
        long newestShown =
                Math.min(targetMillis, slideEndAt(now + options.maxClockSkew().toMillis()));
        for (long end = Math.max(first, oldestShown); end <= newestShown; end += slideMillis) {
            window.moveTo(end / MILLIS);
            emit(end);
        }
        if (window.endSecond() < targetMillis / MILLIS) {
            window.moveTo(targetMillis / MILLIS);
        }
    }

    private void emit(long endMillis) {
        slides.inc();
        output.collect(new StreamRecord<>(new ShardStandings(
                endMillis,
                getRuntimeContext().getTaskInfo().getIndexOfThisSubtask(),
                getRuntimeContext().getTaskInfo().getNumberOfParallelSubtasks(),
                window.byEvents(),
                window.byEngagement())));
    }

    /** The last slide end that is not after a time. */
    private long slideEndAt(long millis) {
        return Math.floorDiv(millis, slideMillis) * slideMillis;
    }

    /** The first slide end that is after a time. */
    private long slideEndAfter(long millis) {
        return slideEndAt(millis) + slideMillis;
    }

    private List<Integer> ownedShards() {
        TaskInfo task = getRuntimeContext().getTaskInfo();
        List<Integer> owned = new ArrayList<>();
        for (int shard = 0; shard < EventShards.SHARDS; shard++) {
            int owner = KeyGroupRangeAssignment.assignKeyToParallelOperator(
                    EventShards.keyOf(shard),
                    task.getMaxNumberOfParallelSubtasks(),
                    task.getNumberOfParallelSubtasks());
            if (owner == task.getIndexOfThisSubtask()) {
                owned.add(shard);
            }
        }
        return owned;
    }

    private void restore() throws Exception {
        for (Long second : newest.get()) {
            window.observe(second);
        }
        long end = SlidingWindow.NOT_PLACED;
        for (int shard : ownedShards) {
            setCurrentKey(EventShards.keyOf(shard));
            Long reached = slideEnd.value();
            if (reached != null) {
                end = Math.max(end, reached);
            }
            Iterator<Map.Entry<Long, PaneBlob>> stored = panes.iterator();
            while (stored.hasNext()) {
                Map.Entry<Long, PaneBlob> pane = stored.next();
                window.restore(shard, pane.getKey(), pane.getValue());
            }
        }
        if (end != SlidingWindow.NOT_PLACED) {
            window.moveTo(end);
        }
    }

    @Override
    public void snapshotState(StateSnapshotContext context) throws Exception {
        super.snapshotState(context);
        window.save(new SlidingWindow.Store() {
            @Override
            public void put(int shard, long second, PaneBlob blob) throws Exception {
                setCurrentKey(EventShards.keyOf(shard));
                panes.put(second, blob);
            }

            @Override
            public void remove(int shard, long second) throws Exception {
                setCurrentKey(EventShards.keyOf(shard));
                panes.remove(second);
            }
        });
        if (window.endSecond() != SlidingWindow.NOT_PLACED) {
            for (int shard : ownedShards) {
                setCurrentKey(EventShards.keyOf(shard));
                slideEnd.update(window.endSecond());
            }
        }
        newest.update(window.newestSecond() == Long.MIN_VALUE ? List.of() : List.of(window.newestSecond()));
    }
}
