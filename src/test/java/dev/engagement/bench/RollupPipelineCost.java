package dev.engagement.bench;

import dev.engagement.pipeline.OperatorIds;
import dev.engagement.ranking.RankingOptions;
import dev.engagement.rollup.RollupOptions;
import dev.engagement.rollup.Rollups;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Kafka -> decode -> enrich -> dedupe -> ranking, the destinations discarding, without rollups and with all that are
 * shipped, in the same run, turn about. The rows count each event once.
 */
final class RollupPipelineCost {

    private static final RankingOptions RANKING = RankingBenchmark.options(Duration.ofSeconds(1));

    private final BenchTopics topics;
    private final BenchCluster cluster;
    private final RollupOptions options = RollupBenchmark.options(RollupBenchmark.shipped());
    private final int events;

    private RollupPipelineCost(BenchTopics topics, BenchCluster cluster, int events) {
        this.topics = topics;
        this.cluster = cluster;
        this.events = events;
    }

    static void measure(BenchCluster cluster, String stateBackend, Path directory, int events, int rounds)
            throws Exception {
        // Alike is the worst case: the most cells for as many events.
        for (Popularity popularity : List.of(Popularity.ZIPF, Popularity.UNIFORM)) {
            measure(cluster, stateBackend, directory.resolve(popularity.name()), events, rounds, popularity);
        }
    }

    private static void measure(
            BenchCluster cluster, String stateBackend, Path directory, int events, int rounds, Popularity popularity)
            throws Exception {
        EventHour time = EventHour.of(events);
        try (BenchTopics topics = BenchTopics.fill(directory, events, time::microsOf, popularity)) {
            RollupPipelineCost pipeline = new RollupPipelineCost(topics, cluster, events);
            System.out.printf(
                    "%npipeline: %,d events of about %d bytes over %d s of event time (%,.0f/s), %,d contents (%s),"
                            + " a user for each event,%n          %d rollups, ranking with a slide of %s, parallelism %d,"
                            + " %s state, a checkpoint each 5 s%n",
                    events,
                    BenchEnvelopes.event(1_000_000).length,
                    EventHour.SPAN.toSeconds(),
                    time.eventsPerSecond(),
                    BenchEnvelopes.CONTENTS,
                    popularity,
                    pipeline.options.definitions().size(),
                    RankingBenchmark.text(RANKING.slide()),
                    BenchCluster.PARALLELISM,
                    stateBackend);
            pipeline.compare(rounds);
        }
    }

    private void compare(int rounds) throws Exception {
        List<Double> speedsWithout = new ArrayList<>();
        List<Double> speeds = new ArrayList<>();
        List<Double> ratios = new ArrayList<>();
        System.out.printf(
                "%-8s %-24s %12s %14s %14s %8s %12s%n",
                "round", "what", "events/s", "CPU µs/event", "bytes/event", "boards", "rows");
        for (int round = 0; round <= rounds; round++) {
            String name = round == 0 ? "warm-up" : Integer.toString(round);
            Meter.Reading without = cluster.run(PipelineCost.pipeline(cluster, topics, RANKING, null));
            print(name, "without rollups", without, 0);
            Meter.Reading with = cluster.run(PipelineCost.pipeline(
                    cluster,
                    topics,
                    RANKING,
                    unique -> ToldRows.discard(Rollups.of(unique, options, true, OperatorIds.ROLLUPS))));
            ToldRows.Counts told = ToldRows.take();
            print(name, "with rollups", with, told.rows());
            if (told.events() != events) {
                throw new IllegalStateException("Of " + events + " events " + told.events() + " are in the rows");
            }
            if (round > 0) {
                speedsWithout.add(events / without.seconds());
                speeds.add(events / with.seconds());
                ratios.add(with.cpuSeconds() / without.cpuSeconds());
            }
        }
        System.out.printf(
                "without rollups: events/s %s%nwith rollups: events/s %s; CPU of that without %s; goal: under 1.25%n",
                new Spread(speedsWithout).text("%,.0f"),
                new Spread(speeds).text("%,.0f"),
                new Spread(ratios).text("%.2f"));
    }

    /** @param rows that were told */
    private void print(String round, String what, Meter.Reading reading, long rows) {
        System.out.printf(
                "%-8s %-24s %,12.0f %14.2f %,14d %,8d %,12d%n",
                round,
                what,
                events / reading.seconds(),
                reading.cpuSeconds() * 1e6 / events,
                reading.bytes() / events,
                Boards.take().size(),
                rows);
    }
}
