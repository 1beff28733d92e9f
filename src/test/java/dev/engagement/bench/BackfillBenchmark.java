package dev.engagement.bench;

import dev.engagement.connection.KafkaConnection;
import dev.engagement.connection.PostgresConnection;
import dev.engagement.connection.SecretRef;
import dev.engagement.dedupe.Dedupe;
import dev.engagement.dedupe.DedupeOptions;
import dev.engagement.enrichment.Enrichment;
import dev.engagement.enrichment.EnrichmentOptions;
import dev.engagement.event.EngagementRule;
import dev.engagement.event.EventIdKind;
import dev.engagement.ingest.EventRules;
import dev.engagement.ingest.EventTimeOptions;
import dev.engagement.ingest.Ingest;
import dev.engagement.ingest.IngestFormat;
import dev.engagement.ingest.IngestOptions;
import dev.engagement.local.PostgresServer;
import dev.engagement.local.Schema;
import dev.engagement.pipeline.Sources;
import dev.engagement.source.RangeOptions;
import dev.engagement.source.SourceOptions;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.postgresql.PGConnection;

/**
 * Rows of PostgreSQL through the stages of a rebuild, read, decoded, enriched, deduplicated and discarded, beside a COPY of
 * the same columns of the same rows that is discarded, in the same run, turn about. The server is on the same cores.
 */
public final class BackfillBenchmark {

    private static final int CONTENTS = 10_000;
    private static final Instant FROM = Instant.parse("2026-01-08T00:00:00Z");
    private static final Instant TO = Instant.parse("2026-01-09T00:00:00Z");

    private final BenchCluster cluster;
    private final PostgresServer postgres;
    private final SourceOptions source;
    private final int events;

    private BackfillBenchmark(BenchCluster cluster, PostgresServer postgres, SourceOptions source, int events) {
        this.cluster = cluster;
        this.postgres = postgres;
        this.source = source;
        this.events = events;
    }

    /** {@code DIRECTORY EVENTS ROUNDS BACKEND}. */
    public static void main(String[] args) throws Exception {
        Path directory = Path.of(args[0]).toAbsolutePath();
        int events = Integer.parseInt(args[1]);
        int rounds = Integer.parseInt(args[2]);
        try (BenchCluster cluster = BenchCluster.start(directory, args[3]);
                PostgresServer postgres = PostgresServer.start(directory.resolve("postgres"), 0)) {
            Path password = directory.resolve("postgres.password");
            Files.writeString(password, postgres.password());
            SourceOptions source = new SourceOptions(
                    new PostgresConnection(
                            postgres.jdbcUrl(),
                            postgres.username(),
                            SecretRef.inFile("postgres.password", password.toString())),
                    Schema.NAME,
                    "engagement_events",
                    "content",
                    null,
                    EventRules.DEFAULT);
            BackfillBenchmark benchmark = new BackfillBenchmark(cluster, postgres, source, events);
            benchmark.fill();
            benchmark.compare(rounds);
        }
        System.exit(0);
    }

    private void fill() throws SQLException {
        System.out.printf("filling PostgreSQL with %,d events and %,d contents…%n", events, CONTENTS);
        Schema.create(postgres);
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement()) {
            statement.execute("""
                INSERT INTO content SELECT ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, 'slug-' || n,
                  'Title ' || n, 'podcast', 300, now() FROM generate_series(1, %d) n""".formatted(CONTENTS));
            statement.execute("""
                INSERT INTO engagement_events (content_id, user_id, event_type, event_ts, duration_ms, device, raw_payload)
                SELECT ('00000000-0000-0000-0000-' || lpad((1 + n %% %d)::text, 12, '0'))::uuid, gen_random_uuid(),
                  'play', timestamptz '2026-01-08Z' + n * interval '20 us', n %% 100000, 'web',
                  '{"app": "web", "version": "3.14.1", "position": 12.5}'
                FROM generate_series(1, %d) n""".formatted(CONTENTS, events));
            statement.execute("ANALYZE");
            statement.execute("CHECKPOINT");
        }
    }

    private void compare(int rounds) throws Exception {
        System.out.printf(
                "backfill: %,d events, parallelism %d, a checkpoint each 5 s; PostgreSQL is on the same cores%n",
                events, BenchCluster.PARALLELISM);
        System.out.printf("%-8s %14s %14s %8s %12s%n", "round", "COPY rows/s", "rows/s", "ratio", "CPU s/M");
        List<Double> copies = new ArrayList<>();
        List<Double> rates = new ArrayList<>();
        List<Double> ratios = new ArrayList<>();
        for (int round = 0; round <= rounds; round++) {
            double copy = events / copySeconds();
            Meter.Reading reading = cluster.run(enriching());
            double rate = events / reading.seconds();
            System.out.printf(
                    "%-8s %,14.0f %,14.0f %8.2f %12.2f%n",
                    round == 0 ? "warm-up" : Integer.toString(round),
                    copy,
                    rate,
                    rate / copy,
                    reading.cpuSeconds() * 1e6 / events);
            if (round > 0) {
                copies.add(copy);
                rates.add(rate);
                ratios.add(rate / copy);
            }
        }
        System.out.printf(
                "COPY %s rows/s; read, enriched and discarded %s rows/s; ratio %s; goal: at least 0.25%n",
                new Spread(copies).text("%,.0f"), new Spread(rates).text("%,.0f"), new Spread(ratios).text("%.2f"));
    }

    private double copySeconds() throws Exception {
        long start = System.nanoTime();
        long rows;
        try (Connection connection = postgres.connect()) {
            rows = connection
                    .unwrap(PGConnection.class)
                    .getCopyAPI()
                    .copyOut(
                            "COPY (SELECT id, content_id, user_id, event_type, event_ts, duration_ms, device, raw_payload"
                                    + " FROM engagement_events WHERE event_ts >= '" + FROM + "' AND event_ts < '" + TO
                                    + "' ORDER BY id) TO STDOUT",
                            OutputStream.nullOutputStream());
        }
        if (rows != events) {
            throw new IllegalStateException("COPY gave " + rows + " of " + events + " rows");
        }
        return (System.nanoTime() - start) / 1e9;
    }

    private StreamExecutionEnvironment enriching() {
        StreamExecutionEnvironment env = cluster.environment();
        Sources in = Sources.ofTables(
                env,
                source,
                RangeOptions.of(FROM, TO),
                new IngestOptions(
                        new KafkaConnection("none:0", Map.of()),
                        "bench.events",
                        "bench.content",
                        "bench",
                        MemorySize.ofMebiBytes(1),
                        false,
                        EventTimeOptions.DEFAULT,
                        EventRules.DEFAULT,
                        null,
                        IngestFormat.AUTO));
        var contents = Ingest.decodeContent(in.contentChanges()).uid("decode-content");
        var decoded = Ingest.decode(in.events(), EventTimeOptions.DEFAULT).uid("decode-events");
        var enriched = Enrichment.join(
                        decoded,
                        contents,
                        new EnrichmentOptions(EngagementRule.DEFAULT, Duration.ofSeconds(30), true),
                        "bench.events")
                .uid("enrich");
        Dedupe.byEventId(enriched, new DedupeOptions(null, EventIdKind.LONG, 0), "events")
                .uid("dedupe")
                .sinkTo(new DiscardingSink<>());
        return env;
    }
}
