package dev.engagement.bench;

import java.util.Arrays;
import org.HdrHistogram.Histogram;

/**
 * How long rows took to arrive where nothing but their number can be read, by phases of a run: the latency of the k-th row
 * is the moment at which the number first was k or more, less the k-th of the moments at which rows were due.
 *
 * <p>Where rows keep their order that is the latency of each row. Where they overtake each other, it pairs the k-th arrival
 * with the k-th row due, which is no row's own latency, but how many rows are missing after how long stays true. A row
 * counts from when it was due and not from when it was written, so a writer that is held up does not hide what it waits
 * for.
 *
 * <p>Thread safe: one thread says what is due, another one what is there.
 */
final class CounterLatency {

    private static final int DIGITS = 3;

    private final Histogram[] micros;
    private final long[] due;
    private final long[] lastArrival;
    private long[] dueAt = new long[1024];
    private int[] phaseOf = new int[1024];
    private int expected;
    private int arrived;
    private long max;

    CounterLatency(int phases) {
        micros = new Histogram[phases];
        Arrays.setAll(micros, phase -> histogram());
        due = new long[phases];
        lastArrival = new long[phases];
    }

    /** An empty one, of microseconds. */
    static Histogram histogram() {
        return new Histogram(DIGITS);
    }

    /** One more row; before it can arrive, and not before those that are due earlier. */
    synchronized void due(int phase, long nanoTime) {
        if (expected > 0 && nanoTime < dueAt[expected - 1]) {
            throw new IllegalArgumentException("a row was due before the one before it");
        }
        if (expected == dueAt.length) {
            dueAt = Arrays.copyOf(dueAt, 2 * expected);
            phaseOf = Arrays.copyOf(phaseOf, 2 * expected);
        }
        dueAt[expected] = nanoTime;
        phaseOf[expected] = phase;
        expected++;
        due[phase]++;
    }

    /** So many rows have been there at that moment; fewer than before say nothing. */
    synchronized void reached(long count, long nanoTime) {
        max = Math.max(max, count);
        for (; arrived < Math.min(count, expected); arrived++) {
            int phase = phaseOf[arrived];
            // Below 0 only where there are more than were written, which surplus() tells in the end.
            micros[phase].recordValue(Math.max(0, nanoTime - dueAt[arrived]) / 1_000);
            lastArrival[phase] = nanoTime;
        }
    }

    /** Rows of that phase that are due and have not arrived. */
    synchronized long missing(int phase) {
        return due[phase] - micros[phase].getTotalCount();
    }

    /** When the last one of that phase arrived that did, as {@link System#nanoTime}. */
    synchronized long lastArrival(int phase) {
        return lastArrival[phase];
    }

    /** How many more than were ever due there have been. */
    synchronized long surplus() {
        return Math.max(0, max - expected);
    }

    /** Adds that phase's latencies, in microseconds. */
    synchronized void addTo(Histogram sum, int phase) {
        sum.add(micros[phase]);
    }
}
