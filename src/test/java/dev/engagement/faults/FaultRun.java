package dev.engagement.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.engagement.local.DestinationCheck;
import dev.engagement.local.DestinationCheck.Comparison;
import dev.engagement.local.SelfCheck;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.awaitility.core.ConditionTimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Strikes faults at an installation under load, measures each recovery, and compares every destination with the source.
 * Every failure names the seed. Used from one thread.
 */
final class FaultRun implements AutoCloseable {

    /** A guard against hanging; how long a recovery took is printed and not judged. */
    private static final Duration LIMIT = Duration.ofMinutes(10);

    private static final Duration POLL = Duration.ofMillis(100);

    /** A fault and what it cost. */
    private record Measured(String fault, Duration lasted, Probe.Recovery recovery, int failures) {}

    private final String name;
    private final FaultOptions options;
    private final PrintStream out;
    private final Installation installation;
    private final List<Measured> measured = new ArrayList<>();
    private final long startedAt;
    private long comparedEvents;
    private int comparisons;
    private @Nullable AssertionError failure;

    private FaultRun(String name, FaultOptions options, PrintStream out, Installation installation, long startedAt) {
        this.name = name;
        this.options = options;
        this.out = out;
        this.installation = installation;
        this.startedAt = startedAt;
    }

    /**
     * Starts the installation and waits until it runs.
     *
     * @param directory of this run alone
     * @param out where the seed, the progress and the table go
     */
    static FaultRun start(String name, Path directory, FaultOptions options, PrintStream out) throws Exception {
        return start(name, directory, options, List.of(), out);
    }

    /**
     * As {@link #start(String, Path, FaultOptions, PrintStream)}.
     *
     * @param moreStreamOptions beside those of every run
     */
    static FaultRun start(
            String name, Path directory, FaultOptions options, List<String> moreStreamOptions, PrintStream out)
            throws Exception {
        out.println(name + ": replay with " + options.replay());
        long startedAt = System.nanoTime();
        FaultRun run =
                new FaultRun(name, options, out, Installation.start(directory, options, moreStreamOptions), startedAt);
        try {
            run.say("servers, cluster and jobs are started");
            run.guarded("the start", () -> run.awaitCalm(System.nanoTime()));
            run.say("rows come through");
            return run;
        } catch (Exception | AssertionError e) {
            run.close();
            throw e;
        }
    }

    /** Strikes, and waits until both jobs run and rows that came after the fault can be read. */
    void strike(Fault fault) throws Exception {
        guarded(fault.name(), () -> {
            if (fault.needsCalm()) {
                awaitCheckpoints();
            }
            long clock = System.currentTimeMillis();
            long begin = System.nanoTime();
            long since = fault.strike().hit(installation);
            long end = System.nanoTime();
            awaitCalm(end);
            Measured result = new Measured(
                    fault.name(),
                    Duration.ofNanos(end - begin),
                    installation.probe().recovery(begin, since),
                    installation.failures(clock));
            measured.add(result);
            say(String.format(
                    Locale.ROOT,
                    "%s: first row %.1f s, all fresh %.1f s, slowest row %.1f s",
                    fault.name(),
                    seconds(result.recovery.firstRow()),
                    seconds(result.recovery.fresh()),
                    seconds(result.recovery.worst())));
        });
    }

    /** Strikes, and leaves the recovery to go on while the next fault comes. */
    void strikeInHaste(Fault fault) throws Exception {
        guarded(fault.name(), () -> {
            if (fault.needsCalm()) {
                awaitCheckpoints();
            }
            List<Role> dead = installation.restartDead();
            long since = fault.strike().hit(installation);
            say(fault.name() + (dead.isEmpty() ? "" : " after a restart of " + dead) + ", and no time to recover");
            assertThat(since).isPositive();
        });
    }

    /**
     * Stops the load, waits until all is quiet, and compares: nothing lost, nothing doubled, no dead letter, both jobs
     * running and not restarting, and no reader of the live view has seen anything go down or back. Then the load goes on.
     */
    void compare() throws Exception {
        guarded(
                "the comparison after " + (measured.isEmpty() ? "the start" : measured.get(measured.size() - 1).fault),
                () -> {
                    awaitCheckpoints();
                    installation.load().pause();
                    installation.probe().pause();
                    long clock = System.currentTimeMillis();
                    long events = installation.countSource();
                    assertThat(events)
                            .as("events of the source, which the load should have added to")
                            .isGreaterThan(comparedEvents);
                    comparedEvents = events;
                    awaitEqual();
                    assertThat(installation.watch().violations())
                            .as("what a reader of the live view must not see")
                            .isEmpty();
                    assertThat(installation.deadLetters()).as("dead letters").isZero();
                    assertThat(installation.isRunning()).as("both jobs run").isTrue();
                    assertThat(installation.failures(clock))
                            .as("failures of the jobs while nothing happens")
                            .isZero();
                    comparisons++;
                    installation.probe().resume();
                    installation.load().resume();
                });
    }

    /** Something that is done or asked under load and is no fault. */
    interface Deed {
        void on(Installation installation) throws Exception;
    }

    /** Does it; failing at it fails the run. */
    void with(String what, Deed deed) throws Exception {
        guarded(what, () -> {
            deed.on(installation);
            say(what);
        });
    }

    private void awaitEqual() throws Exception {
        Map<String, List<Comparison>> last = new LinkedHashMap<>();
        try {
            await().atMost(LIMIT).pollInterval(POLL).until(() -> {
                for (DestinationCheck check : installation.checks()) {
                    if (check.arrived() < comparedEvents) {
                        return false;
                    }
                    List<Comparison> found = check.compare();
                    last.put(check.destination(), found);
                    // Each as soon as the one before is equal: a whole warehouse is not read again for a leaderboard.
                    if (!SelfCheck.isPassed(found)) {
                        return false;
                    }
                }
                return true;
            });
        } catch (ConditionTimeoutException e) {
            StringBuilder tables = new StringBuilder();
            for (DestinationCheck check : installation.checks()) {
                SelfCheck.table("source (SQL)", check.destination(), check.compare())
                        .forEach(line -> tables.append(line).append('\n'));
            }
            throw new AssertionError("The destinations are not equal to the source:\n" + tables, e);
        }
    }

    /** Until both jobs run and enough rows that came after that moment can be read. */
    private void awaitCalm(long since) throws Exception {
        awaitRunningAnd(() -> installation.probe().isCalmAfter(since));
    }

    /** Until both jobs run and a checkpoint that begins from now on is complete: nothing of the last fault is left. */
    private void awaitCheckpoints() throws Exception {
        long clock = System.currentTimeMillis();
        awaitRunningAnd(() -> installation.hasCheckpointsAfter(clock));
    }

    private void awaitRunningAnd(Callable<Boolean> more) throws Exception {
        try {
            await().atMost(LIMIT).pollInterval(POLL).until(() -> {
                for (Role dead : installation.restartDead()) {
                    say(dead.title() + " had ended by itself and was started again");
                }
                try {
                    String ended = installation.ended();
                    if (!ended.isEmpty()) {
                        throw new IllegalStateException(ended);
                    }
                    return installation.isRunning() && more.call();
                } catch (IOException jobManagerIsDown) {
                    return false;
                }
            });
        } catch (ConditionTimeoutException e) {
            throw new AssertionError(
                    "There is no calm after " + LIMIT.toSeconds() + " s; "
                            + installation.probe().pending(),
                    e);
        }
    }

    private interface Work {
        void run() throws Exception;
    }

    /** A failure says where it was, how to see it again, and what the jobs were at. */
    private void guarded(String where, Work work) throws Exception {
        // What was broken before would fail everything after it, slowly.
        assumeTrue(
                failure == null,
                () -> "not tried: " + Objects.requireNonNull(failure).getMessage());
        try {
            work.run();
        } catch (Exception | AssertionError e) {
            failure = new AssertionError(
                    name + " failed at " + where + "; replay with " + options.replay() + "\n" + e.getMessage() + "\n"
                            + installation.jobs() + String.join("\n", table()),
                    e);
            say("FAILED at " + where + ": " + e);
            throw failure;
        }
    }

    private void say(String line) {
        out.printf(Locale.ROOT, "  %6.1f s  %s%n", seconds(Duration.ofNanos(System.nanoTime() - startedAt)), line);
    }

    /** What was measured. */
    List<String> table() {
        List<String> lines = new ArrayList<>();
        int width =
                measured.stream().mapToInt(each -> each.fault.length()).max().orElse(1);
        String name = "  %-" + width + "s";
        lines.add(String.format(
                name + " %8s %10s %10s %12s %9s",
                "fault",
                "lasted",
                "first row",
                "all fresh",
                "slowest row",
                "failures"));
        for (Measured each : measured) {
            lines.add(String.format(
                    Locale.ROOT,
                    name + " %6.1f s %8.1f s %8.1f s %10.1f s %9d",
                    each.fault,
                    seconds(each.lasted),
                    seconds(each.recovery.firstRow()),
                    seconds(each.recovery.fresh()),
                    seconds(each.recovery.worst()),
                    each.failures));
        }
        return lines;
    }

    private static double seconds(Duration duration) {
        return duration.toNanos() / 1e9;
    }

    /** Prints the table and stops everything. */
    @Override
    public void close() throws Exception {
        out.println(name + ", " + options.replay() + ". From the kill or the fault's end until a row committed then is"
                + " readable in Redis, and until every row is within " + Probe.FRESH.toMillis() + " ms again:");
        table().forEach(out::println);
        out.printf(
                Locale.ROOT,
                "  %d events compared with SQL, %d times; %d times the live view was read meanwhile; %.0f events/s while"
                        + " the load ran; %.0f s in all%n",
                comparedEvents,
                comparisons,
                installation.watch().reads(),
                installation.load().rate(),
                seconds(Duration.ofNanos(System.nanoTime() - startedAt)));
        installation.close();
    }
}
