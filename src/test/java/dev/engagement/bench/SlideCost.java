package dev.engagement.bench;

import dev.engagement.ranking.RankingOptions;
import dev.engagement.ranking.WindowProbe;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;

/** What one slide costs with a million active contents in one subtask, and what the window weighs. */
final class SlideCost {

    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private static final int CONTENTS = 1_000_000;
    private static final int EVENTS_PER_SECOND = 10_000;
    private static final Duration SLIDE = Duration.ofSeconds(1);
    private static final int MEASURED_SLIDES = 300;
    private static final int SECONDS_BETWEEN_CHECKPOINTS = 30;
    private static final int COLLECTIONS = 4;
    private static final long FIRST_SECOND = 1_800_000_000;

    private final Load load;
    private final int windowSeconds;
    private final int[] draws;
    private final WindowProbe window;
    private final long heapBefore;
    private final StringBuilder weights;

    /** The window's end: the second that is filled next. */
    private long second = FIRST_SECOND;

    private SlideCost(Load load, StringBuilder weights) {
        RankingOptions options = RankingBenchmark.options(SLIDE);
        this.load = load;
        this.weights = weights;
        windowSeconds = (int) options.window().toSeconds();
        draws = load.draw((windowSeconds + MEASURED_SLIDES) * EVENTS_PER_SECOND, CONTENTS, 43);
        heapBefore = usedHeap();
        window = new WindowProbe(options);
    }

    static void measure() throws Exception {
        System.out.printf(
                "%nslide: %,d contents, %,d events/s, window 10 min, slide 1 s, top 100, all in one subtask;%n"
                        + "       drain: no more events, and contents leave until there are none%n",
                CONTENTS, EVENTS_PER_SECOND);
        System.out.printf(
                "%-16s %-8s %8s %12s %12s %12s %12s %12s %10s%n",
                "load", "phase", "slides", "active", "p50 µs", "p99 µs", "max µs", "CPU µs", "rebuilds");
        StringBuilder weights = new StringBuilder();
        for (Load load : Load.values()) {
            new SlideCost(load, weights).run();
        }
        System.out.printf(
                "%n%-16s %12s %12s %14s %14s %14s %14s %18s%n%s",
                "load",
                "active",
                "events",
                "heap B/active",
                "heap B/event",
                "state B/active",
                "state B/event",
                "save all, next ms",
                weights);
    }

    private void run() throws Exception {
        for (int i = 0; i < windowSeconds; i++) {
            fillOneSecond();
            window.slideTo(second);
        }
        slides("steady", MEASURED_SLIDES, true);
        weigh();
        slides("drain", windowSeconds, false);
    }

    private void slides(String phase, int count, boolean filled) throws Exception {
        int active = window.contents();
        long rebuilds = window.rebuilds();
        long[] nanos = new long[count];
        long cpuNanos = 0;
        for (int i = 0; i < count; i++) {
            if (filled) {
                fillOneSecond();
            } else {
                second++;
            }
            long cpuStart = THREADS.getCurrentThreadCpuTime();
            long start = System.nanoTime();
            window.slideTo(second);
            nanos[i] = System.nanoTime() - start;
            cpuNanos += THREADS.getCurrentThreadCpuTime() - cpuStart;
        }
        Arrays.sort(nanos);
        System.out.printf(
                "%-16s %-8s %,8d %,12d %,12.0f %,12.0f %,12.0f %,12.0f %,10d%n",
                load.text,
                phase,
                count,
                active,
                nanos[count / 2] / 1e3,
                nanos[count * 99 / 100] / 1e3,
                nanos[count - 1] / 1e3,
                cpuNanos / 1e3 / count,
                window.rebuilds() - rebuilds);
    }

    private void weigh() throws Exception {
        int active = window.contents();
        long events = (long) windowSeconds * EVENTS_PER_SECOND;
        long heap = usedHeap() - heapBefore;
        double firstSave = saveMillis();
        long state = window.snapshotBytes();
        for (int i = 0; i < SECONDS_BETWEEN_CHECKPOINTS; i++) {
            fillOneSecond();
            window.slideTo(second);
        }
        weights.append(String.format(
                "%-16s %,12d %,12d %14.1f %14.1f %14.1f %14.1f %,18.0f, %,.0f%n",
                load.text,
                active,
                events,
                (double) heap / active,
                (double) heap / events,
                (double) state / active,
                (double) state / events,
                firstSave,
                saveMillis()));
    }

    private double saveMillis() throws Exception {
        long start = System.nanoTime();
        window.save();
        return (System.nanoTime() - start) / 1e6;
    }

    /** As it comes over the network: summed by content, each id a text of its own. */
    private void fillOneSecond() {
        int from = (int) ((second - FIRST_SECOND) % (windowSeconds + MEASURED_SLIDES)) * EVENTS_PER_SECOND;
        Map<Integer, Integer> counts = new HashMap<>();
        for (int i = from; i < from + EVENTS_PER_SECOND; i++) {
            counts.merge(draws[i], 1, Integer::sum);
        }
        counts.forEach((content, count) ->
                window.add(BenchEnvelopes.contentId(content), second, count, count * (content % 600_000L)));
        second++;
    }

    static long usedHeap() {
        // What a collection finds unreachable may be freed by a thread of its own, and only then what it held.
        long used = Long.MAX_VALUE;
        for (int i = 0; i < COLLECTIONS; i++) {
            System.gc();
            LockSupport.parkNanos(Duration.ofMillis(200).toNanos());
            used = Math.min(
                    used,
                    Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory());
        }
        return used;
    }
}
