package dev.engagement.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * How long {@code scripts/local.sh --rate 500 --events 20000 --exit} takes, from the command, until its servers and jobs run,
 * its first events have come through and its self-check has passed; what it says itself of the way of its events; and how much
 * memory all its processes take. With class archives and without, in turn; one start before them builds, and does not count.
 */
public final class StartBenchmark {

    private static final List<String> COMMAND =
            List.of("scripts/local.sh", "--rate", "500", "--events", "20000", "--exit");
    private static final String ARCHIVES = "ENGAGEMENT_LOCAL_CLASS_ARCHIVE";
    private static final Duration MEMORY_EVERY = Duration.ofMillis(500);
    private static final Pattern PSS = Pattern.compile("(?m)^Pss:\\s+(\\d+) kB");
    private static final Pattern SERVER =
            Pattern.compile("  (?:PostgreSQL 17|Kafka|Redis 7|BigQuery|receiver|Flink) +[\\d.]+ s .*");
    private static final Pattern JOB = Pattern.compile("  job (?:capture|stream) +[\\d.]+ s .*");
    private static final Pattern FIRST_EVENTS = Pattern.compile("  first events +[\\d.]+ s .*");
    private static final Pattern LATENCY = Pattern.compile("commit to Redis p50 ([\\d,]+) ms p99 ([\\d,]+) ms");
    private static final Pattern DIVERTED = Pattern.compile("diverted ([\\d,]+)");

    private StartBenchmark() {}

    /** {@code DIRECTORY ROUNDS}: writes the output of each start below the directory. Exit code 1 if one does not pass. */
    public static void main(String[] args) throws Exception {
        Path directory = Path.of(args[0]);
        int rounds = Integer.parseInt(args[1]);
        Files.createDirectories(directory);
        System.out.println("one start that does not count…");
        start(directory.resolve("first.log"), true);
        Map<String, List<Double>> with = new LinkedHashMap<>();
        Map<String, List<Double>> without = new LinkedHashMap<>();
        for (int round = 1; round <= rounds; round++) {
            System.out.printf("start %d of %d, with class archives and without…%n", round, rounds);
            add(with, start(directory.resolve("with-" + round + ".log"), true));
            add(without, start(directory.resolve("without-" + round + ".log"), false));
        }
        System.out.printf(Locale.ROOT, "%n%-44s %25s   %25s%n", "", "with class archives", "without");
        System.out.printf(
                Locale.ROOT,
                "%-44s %7s  %7s  %7s   %7s  %7s  %7s%n",
                "from the command",
                "min",
                "median",
                "max",
                "min",
                "median",
                "max");
        with.forEach(
                (what, figures) -> System.out.printf("%-44s %s   %s%n", what, row(figures), row(without.get(what))));
    }

    private static String row(List<Double> figures) {
        Spread spread = new Spread(figures);
        return String.format(Locale.ROOT, "%7.1f  %7.1f  %7.1f", spread.min(), spread.median(), spread.max());
    }

    private static void add(Map<String, List<Double>> figures, Map<String, Double> start) {
        start.forEach((what, figure) ->
                figures.computeIfAbsent(what, each -> new ArrayList<>()).add(figure));
    }

    /** @return each figure by its name, all of them in the same order at each start */
    private static Map<String, Double> start(Path log, boolean archives) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(COMMAND).redirectErrorStream(true);
        builder.environment().keySet().removeIf(name -> name.startsWith("ENGAGEMENT_"));
        if (!archives) {
            builder.environment().put(ARCHIVES, "off");
        }
        long begin = System.nanoTime();
        Process process = builder.start();
        AtomicReference<Memory> max = new AtomicReference<>(new Memory(0, 0));
        Thread memory = new Thread(() -> watchMemory(process, max), "memory");
        memory.setDaemon(true);
        memory.start();
        Map<String, Double> seconds = new LinkedHashMap<>();
        List<String> lines = new ArrayList<>();
        try (BufferedReader output = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = output.readLine(); line != null; line = output.readLine()) {
                lines.add(line);
                double now = (System.nanoTime() - begin) / 1e9;
                if (SERVER.matcher(line).matches()) {
                    seconds.put("all servers, s", now);
                } else if (JOB.matcher(line).matches()) {
                    seconds.put("both jobs, s", now);
                } else if (FIRST_EVENTS.matcher(line).matches()) {
                    seconds.put("first events in all three destinations, s", now);
                } else if (line.startsWith("PASSED")) {
                    seconds.put("20,000 events at 500/s compared, s", now);
                }
            }
        }
        int exitCode = process.waitFor();
        memory.join();
        Files.write(log, lines);
        if (exitCode != 0) {
            System.out.printf("%s ended with exit code %d, see %s%n", String.join(" ", COMMAND), exitCode, log);
            System.exit(1);
        }
        String output = String.join("\n", lines);
        Map<String, Double> figures = new LinkedHashMap<>(seconds);
        figures.put("stopped, s", (System.nanoTime() - begin) / 1e9);
        figures.put("commit to Redis over the whole run, p50, ms", last(LATENCY, 1, output));
        figures.put("commit to Redis over the whole run, p99, ms", last(LATENCY, 2, output));
        figures.put("deliveries diverted", last(DIVERTED, 1, output));
        figures.put("memory of all processes at most, MB", max.get().all / 1e6);
        figures.put("memory of the largest at that time, MB", max.get().largest / 1e6);
        return figures;
    }

    private static double last(Pattern pattern, int group, String output) {
        Matcher matcher = pattern.matcher(output);
        double last = Double.NaN;
        while (matcher.find()) {
            last = Double.parseDouble(matcher.group(group).replace(",", ""));
        }
        return last;
    }

    /** Bytes that are resident; what several processes share is divided among them. */
    private record Memory(long all, long largest) {}

    private static void watchMemory(Process process, AtomicReference<Memory> max) {
        try {
            do {
                long all = 0;
                long largest = 0;
                for (ProcessHandle each : Stream.concat(Stream.of(process.toHandle()), process.descendants())
                        .toList()) {
                    long bytes = proportional(each);
                    all += bytes;
                    largest = Math.max(largest, bytes);
                }
                if (all > max.get().all) {
                    max.set(new Memory(all, largest));
                }
            } while (!process.waitFor(MEMORY_EVERY.toMillis(), TimeUnit.MILLISECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static long proportional(ProcessHandle process) {
        try {
            Matcher pss = PSS.matcher(Files.readString(Path.of("/proc/" + process.pid() + "/smaps_rollup")));
            return pss.find() ? Long.parseLong(pss.group(1)) * 1024 : 0;
        } catch (IOException ended) {
            return 0;
        }
    }
}
