package dev.engagement.bench;

import dev.engagement.pipeline.OperatorIds;
import dev.engagement.ranking.Ranking;
import dev.engagement.ranking.RankingOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;

/**
 * The ranking stage alone: the CPU time of a job of synthetic events, ranking and nothing else, less that of a job of
 * synthetic events and nothing else, in the same run, turn about. Of the whole process, so garbage collection and the
 * network between the operators are in it.
 */
final class StageCost {

    /** The first is what the others are compared with. */
    private static final List<Duration> SLIDES =
            List.of(Duration.ofSeconds(60), Duration.ofSeconds(10), Duration.ofSeconds(1));

    private static final int[] CONTENTS = {10_000, 1_000_000};

    private final BenchCluster cluster;
    private final int events;
    private final EventHour time;
    private final Map<Case, List<Figures>> measured = new HashMap<>();

    private record Case(int contents, Load load, Duration slide) {}

    private record Figures(double cpuMicrosPerEvent, double eventsPerSecond, int boards) {}

    private StageCost(BenchCluster cluster, int events) {
        this.cluster = cluster;
        this.events = events;
        this.time = EventHour.of(events);
    }

    static void measure(BenchCluster cluster, String stateBackend, int events, int rounds) throws Exception {
        System.out.printf(
                "%nstage: %,d events over %d s of event time (%,.0f/s), window 10 min, top 100, parallelism %d, %s state;"
                        + " CPU time of the process less that of the source alone, medians of %d%n",
                events,
                EventHour.SPAN.toSeconds(),
                EventHour.of(events).eventsPerSecond(),
                BenchCluster.PARALLELISM,
                stateBackend,
                rounds);
        StageCost stage = new StageCost(cluster, events);
        stage.warmUp();
        System.out.printf(
                "%10s %-16s %6s %14s %14s %12s %8s %10s %10s%n",
                "contents",
                "load",
                "slide",
                "events/CPU-s",
                "CPU µs/event",
                "events/s",
                "boards",
                "of " + RankingBenchmark.text(SLIDES.get(0)),
                "of " + Load.UNIFORM.text);
        for (int contents : CONTENTS) {
            for (Load load : Load.values()) {
                SyntheticEvents.prepare(load, contents, events);
                for (int round = 0; round < rounds; round++) {
                    stage.compare(contents, load);
                }
                SLIDES.forEach(slide -> stage.print(new Case(contents, load, slide)));
            }
            SyntheticEvents.forget();
        }
        System.out.printf("goal: slide 1 s at least 0.90 of slide 60 s%n");
    }

    private void warmUp() throws Exception {
        SyntheticEvents.prepare(Load.UNIFORM, CONTENTS[0], events);
        compare(CONTENTS[0], Load.UNIFORM);
        measured.clear();
    }

    private void compare(int contents, Load load) throws Exception {
        Meter.Reading alone = cluster.run(source(contents, load));
        for (Duration slide : SLIDES) {
            Meter.Reading both = cluster.run(ranking(contents, load, slide));
            measured.computeIfAbsent(new Case(contents, load, slide), any -> new ArrayList<>())
                    .add(new Figures(
                            (both.cpuSeconds() - alone.cpuSeconds()) * 1e6 / events,
                            events / both.seconds(),
                            Boards.take().size()));
        }
    }

    private StreamExecutionEnvironment source(int contents, Load load) {
        StreamExecutionEnvironment env = cluster.environmentWithoutCheckpoints();
        SyntheticEvents.of(env, load, contents, events, time).sinkTo(new DiscardingSink<>());
        return env;
    }

    private StreamExecutionEnvironment ranking(int contents, Load load, Duration slide) {
        StreamExecutionEnvironment env = cluster.environmentWithoutCheckpoints();
        RankingOptions options = RankingBenchmark.options(slide);
        Boards.keep(Ranking.slidingTopN(
                SyntheticEvents.of(env, load, contents, events, time), options, OperatorIds.RANKING));
        return env;
    }

    private void print(Case one) {
        double cpuMicros = cpuMicros(one);
        Case atFirstSlide = new Case(one.contents, one.load, SLIDES.get(0));
        Case uniform = new Case(one.contents, Load.UNIFORM, one.slide);
        System.out.printf(
                "%,10d %-16s %6s %,14.0f %14.2f %,12.0f %,8d %10.2f %10.2f%n",
                one.contents,
                one.load.text,
                RankingBenchmark.text(one.slide),
                1e6 / cpuMicros,
                cpuMicros,
                new Spread(of(one).stream().map(Figures::eventsPerSecond).toList()).median(),
                of(one).get(0).boards,
                cpuMicros(atFirstSlide) / cpuMicros,
                cpuMicros(uniform) / cpuMicros);
    }

    private double cpuMicros(Case one) {
        return new Spread(of(one).stream().map(Figures::cpuMicrosPerEvent).toList()).median();
    }

    private List<Figures> of(Case one) {
        return measured.getOrDefault(one, List.of());
    }
}
