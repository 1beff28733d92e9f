package dev.engagement.rollup;

import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.Timestamps;
import dev.engagement.rollup.definition.RollupDefinition;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
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
 * <p>What was aggregated for a rollup leaves before a watermark that passes the end of one of its panes, since a window may
 * close there, or a time from which on what is held would be too late; before each checkpoint's barrier, hence no event is in
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
    private transient HeldPartials[] byKey;

    /** Of each rollup, whether the job goes on from a state without it. */
    private transient boolean[] beganLate;

    private transient PayloadFields fields;
    private transient @Nullable EventFacts facts;
    private transient int panesHeld;
    private transient int sinceLook;

    /** Of each rollup: ends of panes, and what is too late for them, come at multiples of it. */
    private transient long[] stepMillis;

    private transient long[] passedSteps;
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
        byKey = HeldPartials.of(all.rollups());
        fields = all.fields();
        stepMillis = all.rollups().stream()
                .map(rollup -> BigInteger.valueOf(rollup.paneMillis()))
                .mapToLong(pane ->
                        BigInteger.valueOf(allowedLatenessMillis).gcd(pane).longValueExact())
                .toArray();
        passedSteps = new long[stepMillis.length];
        Arrays.fill(passedSteps, Long.MIN_VALUE);
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
        for (HeldPartials ofKey : byKey) {
            crowded |= add(asked, ofKey);
        }
        if (crowded || panesHeld >= MAX_HELD || ++sinceLook >= LOOK_EVERY && isLarge()) {
            emit();
        }
    }

    /** Whether a cell has as many panes as one may have. */
    private boolean add(EventFacts event, HeldPartials to) {
        boolean crowded = false;
        HeldPartials.OfKey held = null;
        for (int i = 0; i < to.rollups.length; i++) {
            CompiledRollup rollup = to.rollups[i];
            if (!rollup.accepts(event)) {
                continue;
            }
            if (held == null) {
                String key = rollup.key(event);
                if (key == null) {
                    keysLeftOut.inc();
                    continue;
                }
                held = to.ofKey(key);
            }
            long pane = rollup.paneOf(event.event().eventTsMicros());
            Aggregate cell = held.get(i, pane);
            if (cell == null) {
                cell = rollup.empty();
                crowded |= held.hold(i, pane, cell) >= MAX_PANES_OF_A_CELL;
                panesHeld++;
            }
            int unusable = rollup.add(event, cell);
            if (unusable > 0) {
                valuesSkipped.inc(unusable);
            }
        }
        return crowded;
    }

    private boolean isLarge() {
        sinceLook = 0;
        long bytes = 0;
        for (HeldPartials ofKey : byKey) {
            bytes += ofKey.estimatedBytes();
        }
        return bytes >= MAX_HELD_BYTES;
    }

    @Override
    public void processWatermark(Watermark mark) throws Exception {
        for (HeldPartials ofKey : byKey) {
            for (int i = 0; i < ofKey.rollups.length; i++) {
                int place = ofKey.places[i];
                long passed = mark.equals(Watermark.MAX_WATERMARK)
                        ? Long.MAX_VALUE
                        : Math.floorDiv(mark.getTimestamp() + 1, stepMillis[place]);
                if (passed > passedSteps[place]) {
                    passedSteps[place] = passed;
                    emit(ofKey, i);
                }
            }
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
        for (HeldPartials ofKey : byKey) {
            for (int i = 0; i < ofKey.rollups.length; i++) {
                emit(ofKey, i);
            }
        }
        sinceLook = 0;
    }

    private void emit(HeldPartials ofKey, int i) {
        String name = ofKey.rollups[i].name();
        boolean late = beganLate[ofKey.places[i]];
        panesHeld -= ofKey.leave(
                i,
                (key, pane, aggregate) ->
                        output.collect(new StreamRecord<>(new RollupPartial(name, key, pane, late, aggregate))));
    }
}
