package dev.engagement.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.engagement.local.BigQueryProcess;
import dev.engagement.warehouse.Warehouse;
import dev.engagement.warehouse.WarehouseOptions;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;

/**
 * The warehouse alone, over Google's client and real gRPC: a job of synthetic events that go into the emulator, which counts
 * rows instead of keeping them, beside a job that discards the same events, in the same run, turn about.
 */
public final class WarehouseBenchmark {

    private static final int CONTENTS = 10_000;
    private static final String PROJECT = "bench";
    private static final MemorySize LIMIT = MemorySize.ofMebiBytes(64);

    /** So small that it is what holds the job back. */
    private static final MemorySize SMALL_LIMIT = MemorySize.ofMebiBytes(8);

    private static final List<Case> CASES = List.of(
            new Case(Duration.ZERO, LIMIT),
            new Case(Duration.ofMillis(50), LIMIT),
            new Case(Duration.ofMillis(50), SMALL_LIMIT));

    private final BenchCluster cluster;
    private final BigQueryProcess bigQuery;
    private final int events;
    private final EventHour time;

    /**
     * How BigQuery is.
     *
     * @param latency of each append, many being on their way at once
     * @param limit of bytes in flight, for each subtask
     */
    private record Case(Duration latency, MemorySize limit) {

        String text() {
            return latency.toMillis() + " ms, limit " + mebibytes(limit.getBytes());
        }
    }

    private record Figures(
            double rowsPerSecond,
            double cpuSeconds,
            double emulatorCpuSeconds,
            double bytesPerRow,
            long peakInFlight) {}

    private WarehouseBenchmark(BenchCluster cluster, BigQueryProcess bigQuery, int events) {
        this.cluster = cluster;
        this.bigQuery = bigQuery;
        this.events = events;
        this.time = EventHour.of(events);
    }

    /** {@code DIRECTORY EVENTS ROUNDS BACKEND}. */
    public static void main(String[] args) throws Exception {
        Path directory = Path.of(args[0]).toAbsolutePath();
        int events = Integer.parseInt(args[1]);
        int rounds = Integer.parseInt(args[2]);
        try (BenchCluster cluster = BenchCluster.start(directory, args[3], InFlight.REPORTED);
                BigQueryProcess bigQuery = BigQueryProcess.start(directory.resolve("bigquery"), 0, 0)) {
            new WarehouseBenchmark(cluster, bigQuery, events).compare(rounds);
        }
        System.exit(0);
    }

    private void compare(int rounds) throws Exception {
        System.out.printf(
                "warehouse: %,d events, parallelism %d, a checkpoint each 5 s; the emulator is a process of its own on the same"
                        + " cores;%n           CPU of the job is its process less that of the job that discards, in seconds per"
                        + " million rows;%n           in flight is the most that a subtask held, rows and what belongs to them%n",
                events, BenchCluster.PARALLELISM);
        System.out.printf(
                "%-8s %-24s %12s %10s %14s %10s %12s%n",
                "round", "latency", "rows/s", "CPU s/M", "emulator's", "B/row", "in flight");
        SyntheticEvents.prepare(Load.UNIFORM, CONTENTS, events);
        Map<Case, List<Figures>> measured = new LinkedHashMap<>();
        for (int round = 0; round <= rounds; round++) {
            String name = round == 0 ? "warm-up" : Integer.toString(round);
            Meter.Reading discarded = cluster.run(discarding());
            System.out.printf(
                    "%-8s %-24s %,12.0f %10.2f%n",
                    name, "(discarded)", events / discarded.seconds(), discarded.cpuSeconds() * 1e6 / events);
            for (Case one : CASES) {
                Figures figures = measure(one, discarded);
                System.out.printf(
                        "%-8s %-24s %,12.0f %10.2f %14.2f %10.0f %12s%n",
                        name,
                        one.text(),
                        figures.rowsPerSecond,
                        figures.cpuSeconds,
                        figures.emulatorCpuSeconds,
                        figures.bytesPerRow,
                        mebibytes(figures.peakInFlight));
                if (round > 0) {
                    measured.computeIfAbsent(one, any -> new ArrayList<>()).add(figures);
                }
            }
        }
        measured.forEach((one, figures) -> System.out.printf(
                "%s: rows/s %s; CPU seconds per million rows %s; in flight at most %s%n",
                one.text(),
                new Spread(figures.stream().map(Figures::rowsPerSecond).toList()).text("%,.0f"),
                new Spread(figures.stream().map(Figures::cpuSeconds).toList()).text("%.2f"),
                mebibytes(
                        figures.stream().mapToLong(Figures::peakInFlight).max().orElseThrow())));
        System.out.println("each run's rows were shown once, by the emulator's count; goal: at least 500,000 rows/s");
    }

    private Figures measure(Case one, Meter.Reading discarded) throws Exception {
        bigQuery.faults("{\"discardRows\": true, \"delayAppends\": " + one.latency.toMillis() + "}");
        JsonNode before = stats();
        double emulatorBefore = emulatorCpuSeconds();
        InFlight.forget();
        Meter.Reading appended = cluster.run(appending(one.limit));
        long peak = InFlight.peak();
        JsonNode after = stats();
        long shown = grown(before, after, "rowsFlushed");
        if (shown != events) {
            throw new IllegalStateException("Of " + events + " rows " + shown + " were shown");
        }
        double millions = events / 1e6;
        return new Figures(
                events / appended.seconds(),
                (appended.cpuSeconds() - discarded.cpuSeconds()) / millions,
                (emulatorCpuSeconds() - emulatorBefore) / millions,
                (double) grown(before, after, "bytes") / grown(before, after, "rowsAppended"),
                peak);
    }

    private StreamExecutionEnvironment discarding() {
        StreamExecutionEnvironment env = cluster.environment();
        SyntheticEvents.of(env, Load.UNIFORM, CONTENTS, events, time).sinkTo(new DiscardingSink<>());
        return env;
    }

    private StreamExecutionEnvironment appending(MemorySize limit) throws Exception {
        StreamExecutionEnvironment env = cluster.environment();
        WarehouseOptions options = new WarehouseOptions(
                PROJECT,
                "analytics",
                "engagement_events",
                new WarehouseOptions.Endpoints(URI.create(bigQuery.rest()), URI.create("http://" + bigQuery.grpc())),
                null,
                new WarehouseOptions.Layout(WarehouseOptions.Partition.DAY, null, false),
                limit,
                MemorySize.ofMebiBytes(1),
                Duration.ofSeconds(1),
                Duration.ofMinutes(5),
                false,
                false,
                WarehouseOptions.JsonNumbers.EXACT);
        Warehouse.prepare(options);
        var unused = Warehouse.append(
                SyntheticEvents.of(env, Load.UNIFORM, CONTENTS, events, time), options, "events", "append", "commit");
        return env;
    }

    private JsonNode stats() throws Exception {
        return new ObjectMapper().readTree(bigQuery.get("/emulator/stats"));
    }

    private static long grown(JsonNode before, JsonNode after, String field) {
        return after.required(field).asLong() - before.required(field).asLong();
    }

    private double emulatorCpuSeconds() {
        return ProcessHandle.of(bigQuery.pid())
                        .flatMap(process -> process.info().totalCpuDuration())
                        .orElseThrow()
                        .toNanos()
                / 1e9;
    }

    private static String mebibytes(long bytes) {
        return String.format("%.1f MiB", bytes / (double) (1 << 20));
    }
}
