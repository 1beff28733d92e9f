package dev.engagement.bench;

import dev.engagement.dedupe.Dedupe;
import dev.engagement.dedupe.DedupeOptions;
import dev.engagement.enrichment.Enrichment;
import dev.engagement.enrichment.EnrichmentOptions;
import dev.engagement.event.EventIdKind;
import dev.engagement.ingest.EventTimeOptions;
import dev.engagement.ingest.Ingest;
import dev.engagement.pipeline.Sources;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;

/**
 * Kafka -> decode -> enrich -> dedupe -> discard at parallelism 2, beside a Flink source that only reads and parses the
 * same records, in the same run, turn about.
 */
public final class IngestBenchmark {

    private final BenchTopics topics;
    private final BenchCluster cluster;

    private IngestBenchmark(BenchTopics topics, BenchCluster cluster) {
        this.topics = topics;
        this.cluster = cluster;
    }

    /** {@code DIRECTORY EVENTS ROUNDS BACKEND}. */
    public static void main(String[] args) throws Exception {
        Path directory = Path.of(args[0]).toAbsolutePath();
        int events = Integer.parseInt(args[1]);
        int rounds = Integer.parseInt(args[2]);
        String stateBackend = args[3];
        try (BenchTopics topics = BenchTopics.fill(directory, events, BenchEnvelopes::micros);
                BenchCluster cluster = BenchCluster.start(directory, stateBackend)) {
            topics.addTextEvents(events, BenchEnvelopes::micros);
            System.out.printf(
                    "%,d events of about %d bytes, parallelism %d, %s state, %d contents%n",
                    events,
                    BenchEnvelopes.event(1_000_000).length,
                    BenchCluster.PARALLELISM,
                    stateBackend,
                    BenchEnvelopes.CONTENTS);
            new IngestBenchmark(topics, cluster).compare(events, rounds);
        }
        System.exit(0);
    }

    private void compare(int events, int rounds) throws Exception {
        List<Double> ratios = new ArrayList<>();
        System.out.printf("%-8s %-24s %12s %14s %14s%n", "round", "what", "events/s", "CPU µs/event", "bytes/event");
        for (int round = 0; round <= rounds; round++) {
            String name = round == 0 ? "warm-up" : Integer.toString(round);
            StreamExecutionEnvironment reference = cluster.environment();
            topics.readAndParse(reference);
            Meter.Reading parsed = cluster.run(reference);
            print(name, "read and parse", parsed, events);
            Meter.Reading pipeline = cluster.run(pipeline(topics::sources, DedupeOptions.DEFAULT));
            print(name, "decode, enrich, dedupe", pipeline, events);
            Meter.Reading texts = cluster.run(pipeline(
                    topics::textSources, new DedupeOptions(DedupeOptions.HORIZON_OF_TEXTS, EventIdKind.TEXT, 0)));
            print(name, "the same with text ids", texts, events);
            if (round > 0) {
                ratios.add(parsed.seconds() / pipeline.seconds());
            }
        }
        System.out.printf("ratio to read and parse: %s; goal 0.60%n", new Spread(ratios).text("%.2f"));
    }

    private static void print(String round, String what, Meter.Reading reading, int events) {
        System.out.printf(
                "%-8s %-24s %,12.0f %14.2f %,14d%n",
                round, what, events / reading.seconds(), reading.cpuSeconds() * 1e6 / events, reading.bytes() / events);
    }

    /** The first half of the pipeline. */
    private StreamExecutionEnvironment pipeline(
            Function<StreamExecutionEnvironment, Sources> sources, DedupeOptions dedupe) {
        StreamExecutionEnvironment env = cluster.environment();
        Sources in = sources.apply(env);
        Dedupe.byEventId(
                        Enrichment.join(
                                Ingest.decode(in.events(), EventTimeOptions.DEFAULT),
                                Ingest.decodeContent(in.contentChanges()),
                                EnrichmentOptions.DEFAULT,
                                BenchTopics.EVENTS),
                        dedupe,
                        BenchTopics.EVENTS)
                .sinkTo(new DiscardingSink<>())
                .name("discard");
        return env;
    }
}
