package dev.engagement.bench;

import java.io.BufferedWriter;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.StringJoiner;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramIterationValue;

/** Tables on the screen, and the histograms they are from as {@code percentiles.csv}. */
final class LatencyReport implements AutoCloseable {

    private static final int TICKS_PER_HALF_DISTANCE = 5;
    private static final double MILLI = 1_000;

    private final LatencyWatch watch;
    private final BufferedWriter csv;

    /**
     * What a minute was like, but for its latencies.
     *
     * @param seconds how long it was to take, and {@code took}, how long its last row took
     * @param scheduledEnd as {@link System#nanoTime}
     * @param busy share of the machine that was in use, and {@code own}, that this process used
     * @param missing at the end of its last row, by destination
     */
    record Minute(
            boolean first,
            int phase,
            double rate,
            int seconds,
            double took,
            long scheduledEnd,
            double busy,
            double own,
            double loadAverage,
            List<Long> missing) {

        String name() {
            return (first ? "the first " : "afterwards, ") + seconds + " s";
        }

        long rows() {
            return Math.max(1, Math.round(rate * seconds));
        }
    }

    /** @param directory for the file, made if it is missing */
    LatencyReport(Path directory, LatencyWatch watch) throws IOException {
        this.watch = watch;
        csv = Files.newBufferedWriter(
                Files.createDirectories(directory).resolve("percentiles.csv"), StandardCharsets.UTF_8);
        csv.write("phase,rows_per_second,destination,percentile,milliseconds,rows_up_to\n");
        say(
                "%nlatency: %d cores, load average %.1f at the beginning, Java %s; milliseconds from when a row was due",
                Runtime.getRuntime().availableProcessors(),
                ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage(),
                Runtime.version());
    }

    /** The one row of a phase. */
    void firstRow(int phase) throws IOException {
        StringJoiner text = new StringJoiner(", ");
        for (LatencyWatch.Destination destination : watch.destinations()) {
            Histogram latency = destination.latency(phase);
            write("first row", 0, destination.name(), latency);
            text.add(
                    latency.getTotalCount() == 0
                            ? destination.name() + " never"
                            : String.format(
                                    Locale.ROOT, "%s %,d ms", destination.name(), latency.getMaxValue() / 1_000));
        }
        say("%nfirst row, due as soon as both jobs ran: %s", text);
    }

    /** Once its rows have arrived, or are no longer waited for. */
    void print(Minute minute) throws IOException {
        say(
                "%n%s: %,.0f rows/s due, %,.0f/s committed; machine %.0f %% busy, %.0f %% by this probe; load average %.1f",
                minute.name(),
                minute.rate(),
                minute.rows() / Math.max(minute.took(), minute.seconds()),
                minute.busy() * 100,
                minute.own() * 100,
                minute.loadAverage());
        say(
                "  %-24s %9s %9s %9s %9s %9s %18s %16s",
                "destination", "rows", "p50", "p99", "p99.9", "max", "missing at the end", "all after");
        for (int i = 0; i < watch.destinations().size(); i++) {
            LatencyWatch.Destination destination = watch.destinations().get(i);
            Histogram latency = destination.latency(minute.phase());
            write(minute.name(), minute.rate(), destination.name(), latency);
            long missing = destination.missing(minute.phase());
            say(
                    "  %-24s %,9d %,9.1f %,9.1f %,9.1f %,9.1f %,18d %16s",
                    destination.name(),
                    latency.getTotalCount(),
                    latency.getValueAtPercentile(50) / MILLI,
                    latency.getValueAtPercentile(99) / MILLI,
                    latency.getValueAtPercentile(99.9) / MILLI,
                    latency.getMaxValue() / MILLI,
                    minute.missing().get(i),
                    missing > 0
                            ? missing + " never"
                            : String.format(
                                    Locale.ROOT,
                                    "%.1f s",
                                    Math.max(0, destination.lastArrival(minute.phase()) - minute.scheduledEnd())
                                            / 1e9));
        }
    }

    private void write(String phase, double rate, String destination, Histogram micros) throws IOException {
        for (HistogramIterationValue each : micros.percentiles(TICKS_PER_HALF_DISTANCE)) {
            csv.write(String.format(
                    Locale.ROOT,
                    "\"%s\",%.0f,\"%s\",%.6f,%.3f,%d%n",
                    phase,
                    rate,
                    destination,
                    each.getPercentileLevelIteratedTo(),
                    each.getValueIteratedTo() / MILLI,
                    each.getTotalCountToThisValue()));
        }
    }

    private static void say(String format, Object... values) {
        System.out.println(String.format(Locale.ROOT, format, values));
    }

    @Override
    public void close() throws IOException {
        csv.close();
    }
}
