package dev.engagement.bench;

import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.types.EventTypes;
import dev.engagement.pipeline.OperatorIds;
import dev.engagement.rollup.CellsProbe;
import dev.engagement.rollup.RollupOptions;
import dev.engagement.rollup.Rollups;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.flink.api.common.functions.MapFunction;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;

/**
 * The stage with one rollup alone, users by content, over a million contents: the CPU time of a job of synthetic events
 * and the rollup, less that of a job of synthetic events and nothing else, in the same run, turn about. Of the whole
 * process, so garbage collection and the network between the operators are in it. And what the cells of a window weigh.
 */
final class AudienceCost {

    private static final int CONTENTS = 1_000_000;
    private static final int WARM_UP_CONTENTS = 10_000;
    private static final int USERS = 100_000;
    private static final List<Load> LOADS = List.of(Load.UNIFORM, Load.ZIPF);

    private static final long FIRST_MICROS = 1_800_000_000_000_000L;

    /** The goal's 3,333 events a second. */
    private static final long STEP_MICROS = 300;

    private final BenchCluster cluster;
    private final RollupOptions options = RollupBenchmark.options(RollupBenchmark.audience());
    private final int events;
    private final EventHour time;

    private record Figures(double cpuMicrosPerEvent, double eventsPerSecond, long rows) {}

    private AudienceCost(BenchCluster cluster, int events) {
        this.cluster = cluster;
        this.events = events;
        this.time = EventHour.of(events);
    }

    static void measure(BenchCluster cluster, String stateBackend, int events, int rounds) throws Exception {
        AudienceCost stage = new AudienceCost(cluster, events);
        System.out.printf(
                "%naudience: %,d events over %d s of event time (%,.0f/s), %,d contents, %,d users, window 5 min,"
                        + " slide 30 s, parallelism %d, %s state;%n          CPU time of the process less that of the"
                        + " source alone, medians of %d; rows are those of open windows, too%n",
                events,
                EventHour.SPAN.toSeconds(),
                stage.time.eventsPerSecond(),
                CONTENTS,
                USERS,
                BenchCluster.PARALLELISM,
                stateBackend,
                rounds);
        SyntheticEvents.prepare(Load.UNIFORM, WARM_UP_CONTENTS, events);
        stage.compare(WARM_UP_CONTENTS, Load.UNIFORM);
        SyntheticEvents.forget();
        System.out.printf(
                "%-16s %14s %14s %12s %14s %12s%n",
                "load", "events/CPU-s", "CPU µs/event", "events/s", "rows", "rows/event");
        for (Load load : LOADS) {
            SyntheticEvents.prepare(load, CONTENTS, events);
            List<Figures> measured = new ArrayList<>();
            for (int round = 0; round < rounds; round++) {
                measured.add(stage.compare(CONTENTS, load));
            }
            stage.print(load, measured);
        }
        SyntheticEvents.forget();
        System.out.printf(
                "%n%-16s %12s %12s %14s %14s %14s %14s%n",
                "one window", "events", "panes", "state B", "B/pane", "heap B", "B/pane");
        for (Load load : LOADS) {
            stage.weigh(load);
        }
        System.out.println("a pane is 30 s of one content; until an hour after its last window it is in state");
    }

    private Figures compare(int contents, Load load) throws Exception {
        StreamExecutionEnvironment source = cluster.environmentWithoutCheckpoints();
        events(source, contents, load).sinkTo(new DiscardingSink<>());
        Meter.Reading alone = cluster.run(source);
        StreamExecutionEnvironment stage = cluster.environmentWithoutCheckpoints();
        ToldRows.discard(Rollups.of(events(stage, contents, load), options, true, OperatorIds.ROLLUPS));
        Meter.Reading both = cluster.run(stage);
        return new Figures(
                (both.cpuSeconds() - alone.cpuSeconds()) * 1e6 / events,
                events / both.seconds(),
                ToldRows.take().rows());
    }

    private DataStream<EnrichedEvent> events(StreamExecutionEnvironment env, int contents, Load load) {
        return SyntheticEvents.of(env, load, contents, events, time)
                .map(new Users())
                .returns(EventTypes.ENRICHED);
    }

    private void print(Load load, List<Figures> measured) {
        double cpuMicros =
                new Spread(measured.stream().map(Figures::cpuMicrosPerEvent).toList()).median();
        long rows = measured.get(0).rows();
        System.out.printf(
                "%-16s %,14.0f %14.2f %,12.0f %,14d %12.1f%n",
                load.text,
                1e6 / cpuMicros,
                cpuMicros,
                new Spread(measured.stream().map(Figures::eventsPerSecond).toList()).median(),
                rows,
                (double) rows / events);
    }

    /** All in one subtask, before anything is told. */
    private void weigh(Load load) throws Exception {
        long paneMicros = options.definitions().get(0).paneMillis() * 1_000;
        long windowMicros = options.definitions().get(0).windowMillis() * 1_000;
        int[] draws = load.draw((int) (windowMicros / STEP_MICROS), CONTENTS, 43);
        BitSet[] contents = new BitSet[(int) (windowMicros / paneMicros)];
        Arrays.setAll(contents, pane -> new BitSet(CONTENTS));
        try (CellsProbe probe = new CellsProbe(options)) {
            long heapBefore = SlideCost.usedHeap();
            for (int i = 0; i < draws.length; i++) {
                long micros = i * STEP_MICROS;
                contents[(int) (micros / paneMicros)].set(draws[i]);
                probe.add(BenchEnvelopes.contentId(draws[i]), Users.of(i), FIRST_MICROS + micros);
            }
            long heap = SlideCost.usedHeap() - heapBefore;
            long state = probe.snapshotBytes();
            long panes = Arrays.stream(contents).mapToLong(BitSet::cardinality).sum();
            System.out.printf(
                    "%-16s %,12d %,12d %,14d %14.1f %,14d %14.1f%n",
                    load.text, draws.length, panes, state, (double) state / panes, heap, (double) heap / panes);
        }
    }

    /** Gives each event one of the users, instead of the one of all synthetic events. */
    private static final class Users implements MapFunction<EnrichedEvent, EnrichedEvent> {

        private static final long serialVersionUID = 1L;

        private static final String[] IDS =
                IntStream.range(0, USERS).mapToObj(RollupBenchmark::userId).toArray(String[]::new);

        static String of(long id) {
            return IDS[(int) ((id * 0x9E37_79B9_7F4A_7C15L >>> 33) % IDS.length)];
        }

        @Override
        public EnrichedEvent map(EnrichedEvent enriched) {
            EngagementEvent event = enriched.event();
            return new EnrichedEvent(
                    new EngagementEvent(
                            event.id(),
                            event.contentId(),
                            of(event.id()),
                            event.eventType(),
                            event.eventTsMicros(),
                            event.durationMs(),
                            event.device(),
                            event.rawPayload(),
                            event.snapshot(),
                            event.committedAtMillis(),
                            event.position()),
                    enriched.content(),
                    enriched.engagement());
        }
    }
}
