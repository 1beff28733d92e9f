package dev.engagement.bench;

import dev.engagement.dedupe.DedupeOptions;
import dev.engagement.enrichment.EnrichmentOptions;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.Standings;
import dev.engagement.ingest.EventTimeOptions;
import dev.engagement.pipeline.Destinations;
import dev.engagement.pipeline.EngagementPipeline;
import dev.engagement.pipeline.Rules;
import dev.engagement.ranking.RankingOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.jspecify.annotations.Nullable;

/**
 * Kafka -> decode -> enrich -> dedupe -> ranking, the destinations discarding, beside a Flink source that only reads and
 * parses the same records, in the same run, turn about. The boards are compared with sums over the events.
 */
final class PipelineCost {

    private static final List<Duration> SLIDES =
            List.of(Duration.ofSeconds(60), Duration.ofSeconds(10), Duration.ofSeconds(1));

    /** Boards of a run that are compared. */
    private static final int COMPARED = 6;

    private final BenchTopics topics;
    private final BenchCluster cluster;
    private final EventHour time;
    private final int events;

    private PipelineCost(BenchTopics topics, BenchCluster cluster, EventHour time, int events) {
        this.topics = topics;
        this.cluster = cluster;
        this.time = time;
        this.events = events;
    }

    static void measure(BenchCluster cluster, String stateBackend, Path directory, int events, int rounds)
            throws Exception {
        EventHour time = EventHour.of(events);
        try (BenchTopics topics = BenchTopics.fill(directory, events, time::microsOf)) {
            System.out.printf(
                    "%npipeline: %,d events of about %d bytes over %d s of event time (%,.0f/s), %,d contents, window 10 min,"
                            + " top 100, parallelism %d, %s state, a checkpoint each 5 s%n",
                    events,
                    BenchEnvelopes.event(1_000_000).length,
                    EventHour.SPAN.toSeconds(),
                    time.eventsPerSecond(),
                    BenchEnvelopes.CONTENTS,
                    BenchCluster.PARALLELISM,
                    stateBackend);
            new PipelineCost(topics, cluster, time, events).compare(rounds);
        }
    }

    private void compare(int rounds) throws Exception {
        Map<Duration, List<Double>> speeds = new LinkedHashMap<>();
        Map<Duration, List<Double>> ratios = new LinkedHashMap<>();
        System.out.printf(
                "%-8s %-24s %12s %14s %14s %8s%n",
                "round", "what", "events/s", "CPU µs/event", "bytes/event", "boards");
        for (int round = 0; round <= rounds; round++) {
            String name = round == 0 ? "warm-up" : Integer.toString(round);
            StreamExecutionEnvironment reference = cluster.environment();
            topics.readAndParse(reference);
            Meter.Reading parsed = cluster.run(reference);
            print(name, "read and parse", parsed, 0);
            for (Duration slide : SLIDES) {
                RankingOptions options = RankingBenchmark.options(slide);
                Meter.Reading pipeline = cluster.run(pipeline(cluster, topics, options, null));
                List<Standings> boards = Boards.take();
                print(name, "pipeline, slide " + RankingBenchmark.text(slide), pipeline, boards.size());
                if (round == 0) {
                    check(boards, options);
                } else {
                    speeds.computeIfAbsent(slide, any -> new ArrayList<>()).add(events / pipeline.seconds());
                    ratios.computeIfAbsent(slide, any -> new ArrayList<>()).add(parsed.seconds() / pipeline.seconds());
                }
            }
        }
        for (Duration slide : SLIDES) {
            System.out.printf(
                    "slide %4s: events/s %s; ratio to read and parse %s%n",
                    RankingBenchmark.text(slide),
                    new Spread(speeds.getOrDefault(slide, List.of())).text("%,.0f"),
                    new Spread(ratios.getOrDefault(slide, List.of())).text("%.2f"));
        }
        System.out.printf(
                "boards of each slide compared with brute force over the events: %d, equal; goal: at least 330,000 events/s%n",
                COMPARED);
    }

    private void print(String round, String what, Meter.Reading reading, int boards) {
        System.out.printf(
                "%-8s %-24s %,12.0f %14.2f %,14d %8s%n",
                round,
                what,
                events / reading.seconds(),
                reading.cpuSeconds() * 1e6 / events,
                reading.bytes() / events,
                boards == 0 ? "" : String.format("%,d", boards));
    }

    /** @param rollups beside the ranking; null for none */
    static StreamExecutionEnvironment pipeline(
            BenchCluster cluster, BenchTopics topics, RankingOptions options, Destinations.@Nullable Rollups rollups) {
        StreamExecutionEnvironment env = cluster.environment();
        EngagementPipeline.wire(
                topics.sources(env),
                new Rules(
                        BenchTopics.EVENTS,
                        EventTimeOptions.DEFAULT,
                        EnrichmentOptions.DEFAULT,
                        DedupeOptions.DEFAULT,
                        options),
                new Destinations(
                        (unique, standings, contents) -> {
                            unique.sinkTo(new DiscardingSink<>()).name("discard");
                            Boards.keep(standings);
                        },
                        List.of(),
                        null,
                        rollups,
                        stages -> {}));
        return env;
    }

    /** A wrong result is worth nothing, however fast. */
    private void check(List<Standings> boards, RankingOptions options) {
        if (boards.isEmpty()) {
            throw new IllegalStateException("No board was published");
        }
        // The first ones may lack events that waited for their content.
        int first = boards.size() / 2;
        for (int i = 0; i < COMPARED; i++) {
            Standings board = boards.get(first + (boards.size() - 1 - first) * i / (COMPARED - 1));
            Standings expected = bruteForce(board.slideEndMillis(), options);
            compare(board, board.byEvents(), expected.byEvents());
            compare(board, board.byEngagement(), expected.byEngagement());
        }
        long lastEvent = time.microsOf(events - 1L) / 1_000;
        if (boards.get(boards.size() - 1).slideEndMillis() <= lastEvent) {
            throw new IllegalStateException("The last board ends before the last event, " + lastEvent);
        }
    }

    private static void compare(Standings board, List<Standings.Place> places, List<Standings.Place> expected) {
        for (int i = 0; i < Math.max(places.size(), expected.size()); i++) {
            Object is = i < places.size() ? places.get(i) : "missing";
            Object should = i < expected.size() ? expected.get(i) : "too much";
            if (!is.equals(should)) {
                throw new IllegalStateException("Of the board that ends at " + board.slideEndMillis() + ", place "
                        + (i + 1) + " is " + is + ", and by the events it is " + should);
            }
        }
    }

    private Standings bruteForce(long slideEndMillis, RankingOptions options) {
        long[] counts = new long[BenchEnvelopes.CONTENTS];
        long[] measured = new long[BenchEnvelopes.CONTENTS];
        long[] millis = new long[BenchEnvelopes.CONTENTS];
        long end = Math.min(events, time.firstAt(slideEndMillis * 1_000));
        long start = (slideEndMillis - options.window().toMillis()) * 1_000;
        for (long id = time.firstAt(start); id < end; id++) {
            BenchEnvelopes.Facts facts = BenchEnvelopes.facts(id);
            counts[facts.content()]++;
            if (facts.durationMs() != EngagementEvent.NO_DURATION) {
                measured[facts.content()]++;
                millis[facts.content()] += facts.durationMs();
            }
        }
        return new Standings(
                slideEndMillis, best(counts, counts, options.topN()), best(millis, measured, options.topN()));
    }

    /** Contents that have any of {@code events}, by score. Their ids are ASCII. */
    private static List<Standings.Place> best(long[] scores, long[] events, int places) {
        return IntStream.range(0, scores.length)
                .filter(content -> events[content] > 0)
                .mapToObj(content -> new Standings.Place(BenchEnvelopes.contentId(content), scores[content]))
                .sorted(Comparator.comparingLong(Standings.Place::score)
                        .reversed()
                        .thenComparing(Standings.Place::contentId))
                .limit(places)
                .toList();
    }
}
