package dev.engagement.rollup;

import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.Timestamps;
import dev.engagement.rollup.CellsOfRollup.Cell;
import dev.engagement.rollup.definition.RollupDefinition;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ScheduledFuture;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.metrics.Counter;
import org.apache.flink.runtime.state.StateInitializationContext;
import org.apache.flink.runtime.state.StateSnapshotContext;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.ChainingStrategy;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.jspecify.annotations.Nullable;

/**
 * Aggregates events by rollup, key and pane where they are, so that what crosses the network is small, however popular the
 * content. Events of a clock gone wrong are left out and counted.
 *
 * <p>What was aggregated leaves before a watermark that passes the end of a pane of any rollup, since a window may close
 * there, or a time from which on what is held would be too late; before each checkpoint's barrier, hence no event is in
 * state; and now and then, for those who look at open windows.
 *
 * <p>State: the rollups' names. This operator, and not {@link RollupCells}, learns whether the job goes on from another one's
 * state: Flink tells a task only if that state has something of it, as it has of deduplication, which is chained before.
 */
final class RollupPartials extends AbstractStreamOperator<RollupPartial>
        implements OneInputStreamOperator<EnrichedEvent, RollupPartial> {

    private static final long serialVersionUID = 1L;

    /** Names of the rollups that began with the job. */
    static final ListStateDescriptor<String> KNOWN = new ListStateDescriptor<>("known", Types.STRING);

    /** Panes of cells that are held before they leave ahead of time. */
    static final int MAX_HELD = 65_536;

    /** Their estimated size before that: sets of users grow. */
    static final long MAX_HELD_BYTES = 32L << 20;

    /** Panes of one cell, which are searched one by one: more come only of event times all over the place. */
    private static final int MAX_PANES_OF_A_CELL = 32;

    /** How often the size is looked at, in events: each look is at all that is held. */
    private static final int LOOK_EVERY = 65_536;

    private final List<RollupDefinition> definitions;
    private final long maxClockSkewMillis;
    private final long refreshMillis;
    private final long allowedLatenessMillis;

    private transient ListState<String> known;
    private transient CompiledRollup[] rollups;

    /** Of each rollup, whether the job goes on from a state without it. */
    private transient boolean[] beganLate;

    private transient List<Map<String, Panes>> cells;
    private transient PayloadFields fields;
    private transient @Nullable EventFacts facts;
    private transient int held;
    private transient int sinceLook;

    /** Ends of panes, and what is too late for them, come at multiples of it. */
    private transient long stepMillis;

    private transient long passedSteps;
    private transient Counter futureDated;
    private transient Counter keysLeftOut;
    private transient Counter valuesSkipped;

    RollupPartials(RollupOptions options) {
        this.definitions = options.definitions();
        this.maxClockSkewMillis = options.maxClockSkew().toMillis();
        this.refreshMillis = options.refresh().toMillis();
        this.allowedLatenessMillis = options.allowedLateness().toMillis();
        chainingStrategy = ChainingStrategy.ALWAYS;
    }

    @Override
    public void initializeState(StateInitializationContext context) throws Exception {
        super.initializeState(context);
        known = context.getOperatorStateStore().getUnionListState(KNOWN);
        Set<String> names = new HashSet<>();
        known.get().forEach(names::add);
        beganLate = new boolean[definitions.size()];
        for (int i = 0; i < beganLate.length; i++) {
            beganLate[i] =
                    context.isRestored() && !names.contains(definitions.get(i).name());
        }
    }

    @Override
    public void snapshotState(StateSnapshotContext context) throws Exception {
        super.snapshotState(context);
        List<String> names = new ArrayList<>();
        for (int i = 0; i < beganLate.length; i++) {
            // The others began late whenever they go on: since when they count is the cells' affair.
            if (!beganLate[i]) {
                names.add(definitions.get(i).name());
            }
        }
        known.update(names);
    }

    @Override
    public void open() throws Exception {
        super.open();
        CompiledRollup.All all = CompiledRollup.All.of(definitions);
        rollups = all.rollups().toArray(CompiledRollup[]::new);
        fields = all.fields();
        cells = new ArrayList<>();
        BigInteger step = BigInteger.valueOf(allowedLatenessMillis);
        for (CompiledRollup rollup : rollups) {
            cells.add(new HashMap<>());
            step = step.gcd(BigInteger.valueOf(rollup.paneMillis()));
        }
        stepMillis = step.longValueExact();
        passedSteps = Long.MIN_VALUE;
        futureDated = getMetricGroup().counter("futureDated");
        keysLeftOut = getMetricGroup().counter("keysLeftOut");
        valuesSkipped = getMetricGroup().counter("valuesSkipped");
        scheduleRefresh();
    }

    private void scheduleRefresh() {
        long now = getProcessingTimeService().getCurrentProcessingTime();
        ScheduledFuture<?> unused = getProcessingTimeService().registerTimer(now + refreshMillis, time -> {
            emit();
            scheduleRefresh();
        });
    }

    @Override
    public void processElement(StreamRecord<EnrichedEvent> element) {
        EnrichedEvent enriched = element.getValue();
        EngagementEvent event = enriched.event();
        if (Timestamps.isAhead(event.eventTsMicros(), event.position().timestampMillis(), maxClockSkewMillis)) {
            futureDated.inc();
            return;
        }
        EventFacts asked = facts;
        if (asked == null) {
            asked = new EventFacts(fields, enriched);
            facts = asked;
        } else {
            asked.set(enriched);
        }
        boolean crowded = false;
        for (int i = 0; i < rollups.length; i++) {
            CompiledRollup rollup = rollups[i];
            if (!rollup.accepts(asked)) {
                continue;
            }
            String key = rollup.key(asked);
            if (key == null) {
                keysLeftOut.inc();
                continue;
            }
            Map<String, Panes> ofRollup = cells.get(i);
            Panes panes = ofRollup.get(key);
            if (panes == null) {
                panes = new Panes();
                ofRollup.put(key, panes);
            }
            int before = panes.size;
            int unusable = rollup.add(asked, panes.at(rollup.paneOf(event.eventTsMicros()), rollup));
            if (unusable > 0) {
                valuesSkipped.inc(unusable);
            }
            held += panes.size - before;
            crowded |= panes.size >= MAX_PANES_OF_A_CELL;
        }
        if (crowded || held >= MAX_HELD || ++sinceLook >= LOOK_EVERY && isLarge()) {
            emit();
        }
    }

    private boolean isLarge() {
        sinceLook = 0;
        long bytes = 0;
        for (Map<String, Panes> ofRollup : cells) {
            for (Map.Entry<String, Panes> entry : ofRollup.entrySet()) {
                Panes panes = entry.getValue();
                for (int i = 0; i < panes.size; i++) {
                    bytes += Cell.estimatedBytes(entry.getKey(), panes.aggregates[i]);
                }
            }
        }
        return bytes >= MAX_HELD_BYTES;
    }

    @Override
    public void processWatermark(Watermark mark) throws Exception {
        long passed = mark.equals(Watermark.MAX_WATERMARK)
                ? Long.MAX_VALUE
                : Math.floorDiv(mark.getTimestamp() + 1, stepMillis);
        if (passed > passedSteps) {
            passedSteps = passed;
            emit();
        }
        super.processWatermark(mark);
    }

    @Override
    public void prepareSnapshotPreBarrier(long checkpointId) {
        emit();
    }

    @Override
    public void finish() throws Exception {
        emit();
        super.finish();
    }

    private void emit() {
        for (int i = 0; i < rollups.length; i++) {
            String name = rollups[i].name();
            boolean late = beganLate[i];
            cells.get(i).forEach((key, panes) -> {
                for (int pane = 0; pane < panes.size; pane++) {
                    output.collect(new StreamRecord<>(
                            new RollupPartial(name, key, panes.starts[pane], late, panes.aggregates[pane])));
                }
            });
            cells.get(i).clear();
        }
        held = 0;
        sinceLook = 0;
    }

    /** The panes of one cell; their aggregates are handed over as they are. */
    private static final class Panes {
        private int size;
        private long[] starts = new long[1];
        private Aggregate[] aggregates = new Aggregate[1];

        private Aggregate at(long start, CompiledRollup rollup) {
            // Most events are of the pane that came last.
            for (int i = size - 1; i >= 0; i--) {
                if (starts[i] == start) {
                    return aggregates[i];
                }
            }
            if (size == starts.length) {
                starts = Arrays.copyOf(starts, 2 * size);
                aggregates = Arrays.copyOf(aggregates, 2 * size);
            }
            starts[size] = start;
            aggregates[size] = rollup.empty();
            return aggregates[size++];
        }
    }
}
