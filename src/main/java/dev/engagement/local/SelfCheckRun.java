package dev.engagement.local;

import dev.engagement.local.DestinationCheck.Comparison;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The self-check: looks at all destinations until everything has arrived and both sides are equal, or nothing has moved for
 * the timeout, and prints both sides.
 */
final class SelfCheckRun {

    private static final String KAFKA = "Kafka";
    private static final Duration CHECK_EVERY = Duration.ofMillis(500);

    /** What the run needs of the stack around it. */
    interface Surroundings {

        /** Shows the figures, and what is waited for. */
        void show(List<String> waitsFor) throws InterruptedException;

        /** Why a job will not go on, if one has failed for good. */
        Optional<String> failedJob() throws InterruptedException;

        /** Why jobs last restarted or failed. */
        List<String> lastExceptions() throws InterruptedException;

        /** Waits that long; answers whether the stack is to stop. */
        boolean isStopRequested(Duration within) throws InterruptedException;
    }

    /** How it ended. */
    enum Verdict {
        PASSED,
        FAILED,
        STOPPED
    }

    /**
     * How it ended.
     *
     * @param why in words, if it failed
     */
    record Outcome(Verdict verdict, String why) {}

    private final List<DestinationCheck> checks;
    private final Figures figures;
    private final LoadGenerator load;
    private final Duration timeout;
    private final Terminal terminal;
    private final Surroundings surroundings;

    /** @param timeout how long nothing may move */
    SelfCheckRun(
            List<DestinationCheck> checks,
            Figures figures,
            LoadGenerator load,
            Duration timeout,
            Terminal terminal,
            Surroundings surroundings) {
        this.checks = checks;
        this.figures = figures;
        this.load = load;
        this.timeout = timeout;
        this.terminal = terminal;
        this.surroundings = surroundings;
    }

    /** @param showEvery how often the figures are shown */
    Outcome run(Duration showEvery) throws InterruptedException {
        long shownAt = 0;
        long progressAt = System.nanoTime();
        String before = "";
        long fewestDiffering = Long.MAX_VALUE;
        List<String> waitsFor = List.of();
        while (true) {
            if (shownAt == 0 || since(shownAt).compareTo(showEvery) >= 0) {
                shownAt = System.nanoTime();
                surroundings.show(waitsFor);
            }
            SQLException failure = load.failure();
            if (failure != null) {
                return failed("The load generator has ended early: " + failure.getMessage());
            }
            Optional<String> failedJob = surroundings.failedJob();
            if (failedJob.isPresent()) {
                return failed(failedJob.get());
            }
            Look look = look();
            boolean passed = look.complete && look.passed();
            waitsFor = look.waitsFor();
            if (!look.arrived.equals(before)) {
                before = look.arrived;
                fewestDiffering = Long.MAX_VALUE;
                progressAt = System.nanoTime();
            }
            // Leaderboards move by themselves; only fewer differences than ever are progress.
            if (look.complete && look.differing() < fewestDiffering) {
                fewestDiffering = look.differing();
                progressAt = System.nanoTime();
            }
            if (passed || since(progressAt).compareTo(timeout) > 0) {
                surroundings.show(List.of());
                return report(look, passed);
            }
            if (surroundings.isStopRequested(CHECK_EVERY)) {
                return new Outcome(Verdict.STOPPED, "");
            }
        }
    }

    private static Outcome failed(String why) {
        return new Outcome(Verdict.FAILED, why);
    }

    /** One look at all destinations: compared in full only if everything seems to be there. */
    private record Look(
            boolean complete,
            String arrived,
            Map<String, List<Comparison>> comparisons,
            @Nullable String error) {

        boolean passed() {
            return error == null && comparisons.values().stream().allMatch(SelfCheck::isPassed);
        }

        /** What keeps this from being the last look, as far as the figures do not show it. */
        List<String> waitsFor() {
            if (error != null) {
                return List.of("the self-check could not look: " + error);
            }
            List<String> waitsFor = new ArrayList<>();
            comparisons.forEach((destination, each) -> each.stream()
                    .filter(comparison -> !comparison.isEqual())
                    .map(comparison -> "not equal yet in " + destination + ": " + comparison.what() + ", "
                            + comparison.source() + " and " + comparison.destination() + ", "
                            + comparison.differing().size() + " by name")
                    .forEach(waitsFor::add));
            return waitsFor;
        }

        long differing() {
            return comparisons.values().stream()
                    .flatMap(List::stream)
                    .mapToLong(each -> each.differing().size() + (each.isEqual() ? 0 : 1))
                    .sum();
        }
    }

    private Look look() throws InterruptedException {
        try {
            boolean complete = load.isDone();
            long expected = figures.countSource();
            StringBuilder reached = new StringBuilder().append(expected);
            for (DestinationCheck check : checks) {
                long arrived = check.arrived();
                // More than there is will not become right by waiting: compare, and say so.
                complete &= arrived >= expected;
                reached.append(' ').append(arrived);
            }
            return new Look(complete, reached.toString(), complete ? compare() : new LinkedHashMap<>(), null);
        } catch (InterruptedException e) {
            throw e;
        } catch (Exception e) {
            // A server that restarts just now: the next look will tell, or the timeout passes.
            return new Look(false, "", Map.of(), LocalStack.rootCause(e));
        }
    }

    private Map<String, List<Comparison>> compare() throws Exception {
        Map<String, List<Comparison>> comparisons = new LinkedHashMap<>();
        for (DestinationCheck check : checks) {
            comparisons.put(check.destination(), check.compare());
        }
        comparisons.put(
                KAFKA,
                List.of(new Comparison(
                        "dead letters (" + DeadLetters.TOPIC + ")",
                        "0",
                        Long.toString(figures.deadLetters()),
                        List.of())));
        return comparisons;
    }

    private Outcome report(Look last, boolean passed) throws InterruptedException {
        terminal.release();
        Map<String, List<Comparison>> comparisons = last.comparisons;
        String error = last.error;
        if (comparisons.isEmpty() && error == null) {
            try {
                comparisons = compare();
            } catch (InterruptedException e) {
                throw e;
            } catch (Exception e) {
                error = LocalStack.rootCause(e);
            }
        }
        terminal.say("");
        comparisons.forEach((destination, each) -> {
            SelfCheck.table(destination.equals(KAFKA) ? "expected" : "source (SQL)", destination, each)
                    .forEach(terminal::say);
            terminal.say("");
        });
        if (passed) {
            terminal.say("PASSED: everything has arrived, once, and both sides are equal");
            return new Outcome(Verdict.PASSED, "");
        }
        surroundings.lastExceptions().forEach(each -> terminal.say("  last exception of " + each));
        return failed("no progress for " + timeout.toSeconds() + " s (--timeout), and the two sides are not equal"
                + (error == null ? "" : "; last error: " + error));
    }

    private static Duration since(long nanoTime) {
        return Duration.ofNanos(System.nanoTime() - nanoTime);
    }
}
