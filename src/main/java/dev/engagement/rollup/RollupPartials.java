package dev.engagement.rollup;

import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.Timestamps;
import dev.engagement.rollup.definition.RollupDefinition;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ScheduledFuture;
import org.apache.flink.metrics.Counter;
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
 * there; before each checkpoint's barrier, hence there is no state; and now and then, for those who look at open windows.
 */
final class RollupPartials extends AbstractStreamOperator<RollupPartial>
        implements OneInputStreamOperator<EnrichedEvent, RollupPartial> {

    private static final long serialVersionUID = 1L;

    /** Panes of cells that are held before they leave ahead of time. */
    static final int MAX_HELD = 65_536;

    /** Their estimated size before that: sets of users grow. */
    static final long MAX_HELD_BYTES = 32L << 20;

    /** Panes of one cell, which are searched one by one: more come only of event times all over the place. */
    private static final int MAX_PANES_OF_A_CELL = 32;

    /** How often the size is looked at, in events. */
    private static final int LOOK_EVERY = 4_096;

    private final List<RollupDefinition> definitions;
    private final long maxClockSkewMillis;
    private final long refreshMillis;

    private transient CompiledRollup[] rollups;
    private transient List<Map<String, Panes>> cells;
    private transient PayloadFields fields;
    private transient @Nullable EventFacts facts;
    private transient int held;
    private transient int sinceLook;

    /** Ends of panes come at multiples of it. */
    private transient long paneMillis;

    private transient long passedPanes;
    private transient Counter futureDated;
    private transient Counter keysLeftOut;
    private transient Counter valuesSkipped;

    RollupPartials(RollupOptions options) {
        this.definitions = options.definitions();
        this.maxClockSkewMillis = options.maxClockSkew().toMillis();
        this.refreshMillis = options.refresh().toMillis();
        chainingStrategy = ChainingStrategy.ALWAYS;
    }

    @Override
    public void open() throws Exception {
        super.open();
        CompiledRollup.All all = CompiledRollup.All.of(definitions);
        rollups = all.rollups().toArray(CompiledRollup[]::new);
        fields = all.fields();
        cells = new ArrayList<>();
        paneMillis = 0;
        for (CompiledRollup rollup : rollups) {
            cells.add(new HashMap<>());
            paneMillis = BigInteger.valueOf(paneMillis)
                    .gcd(BigInteger.valueOf(rollup.paneMillis()))
                    .longValueExact();
        }
        passedPanes = Long.MIN_VALUE;
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
            for (Panes panes : ofRollup.values()) {
                for (int i = 0; i < panes.size; i++) {
                    bytes += panes.aggregates[i].estimatedBytes();
                }
            }
        }
        return bytes >= MAX_HELD_BYTES;
    }

    @Override
    public void processWatermark(Watermark mark) throws Exception {
        long passed = mark.equals(Watermark.MAX_WATERMARK)
                ? Long.MAX_VALUE
                : Math.floorDiv(mark.getTimestamp() + 1, paneMillis);
        if (passed > passedPanes) {
            passedPanes = passed;
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
            cells.get(i).forEach((key, panes) -> {
                for (int pane = 0; pane < panes.size; pane++) {
                    output.collect(new StreamRecord<>(
                            new RollupPartial(name, key, panes.starts[pane], panes.aggregates[pane])));
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
