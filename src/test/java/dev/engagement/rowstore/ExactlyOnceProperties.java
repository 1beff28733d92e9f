package dev.engagement.rowstore;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.rowstore.FakeStore.Crash;
import dev.engagement.rowstore.FakeStore.Fault;
import dev.engagement.rowstore.FakeStore.Request;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.LongStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;

/**
 * N rows in, exactly N distinct rows visible, none before its checkpoint: under scripts of faults made by chance, with
 * restarts at every place, at changing parallelism, also before the next checkpoint after a restart.
 */
class ExactlyOnceProperties {

    private static final Map<Request, List<Fault>> FAULTS = Map.of(
            Request.OPEN, List.of(Fault.REFUSED, Fault.ANSWER_LOST, Fault.SILENT),
            Request.APPEND, List.of(Fault.REFUSED, Fault.BROKEN, Fault.ANSWER_LOST, Fault.SILENT),
            Request.COMPLETE, List.of(Fault.REFUSED),
            Request.SHOW, List.of(Fault.REFUSED, Fault.ANSWER_LOST, Fault.CRASH_BEFORE, Fault.CRASH_AFTER),
            Request.GET, List.of(Fault.REFUSED, Fault.CRASH_BEFORE),
            Request.LABEL, List.of(Fault.REFUSED, Fault.ANSWER_LOST, Fault.CRASH_BEFORE, Fault.CRASH_AFTER));

    @Property(tries = 150)
    void whatever_fails_each_row_is_visible_once(
            @ForAll long seed,
            @ForAll @DoubleRange(min = 0, max = 0.3) double faulty,
            @ForAll @IntRange(min = 0, max = 5) int badRows,
            @ForAll boolean lateArrivals,
            @ForAll boolean streamEndsWithCheckpoint)
            throws Exception {
        Random random = new Random(seed);
        FakeStore store = new FakeStore();
        store.dropsWhatIsAbandoned = !lateArrivals;
        random.longs(badRows, 1, 200).forEach(store.bad::add);
        store.script = request -> random.nextDouble() < faulty
                ? FAULTS.get(request).get(random.nextInt(FAULTS.get(request).size()))
                : Fault.NONE;
        SimulatedJob job = new SimulatedJob(store, "run", random, null, streamEndsWithCheckpoint);

        boolean running = false;
        for (int step = 0; step < 60; step++) {
            if (!running) {
                running = survives(() -> job.start(1 + random.nextInt(3)), job);
            }
            if (running) {
                running = survives(() -> step(job, random), job);
            }
            assertNoneEarly(store, job);
        }
        store.script = request -> Fault.NONE;
        if (!running) {
            job.start(2);
        }
        job.write(5);
        SimulatedJob.Checkpoint last = job.snapshot();
        job.completed(last);
        job.commitUpTo(last.id());

        TreeSet<Long> wanted =
                new TreeSet<>(LongStream.rangeClosed(1, last.position()).boxed().toList());
        wanted.removeAll(store.bad);
        assertThat(store.visible).doesNotHaveDuplicates();
        assertThat(new TreeSet<>(store.visible)).isEqualTo(wanted);
        TreeSet<Long> refused = new TreeSet<>(store.bad);
        refused.removeIf(id -> id > last.position());
        assertThat(job.rejected).as("letters").isSubsetOf(store.bad).containsAll(refused);
    }

    private static void step(SimulatedJob job, Random random) throws Exception {
        switch (random.nextInt(8)) {
            case 0, 1, 2 -> job.write(random.nextInt(15));
            case 3 -> job.pass(random.nextInt(200));
            case 4, 5 -> {
                SimulatedJob.Checkpoint checkpoint = job.snapshot();
                if (random.nextInt(4) == 0) {
                    return; // declined by another task
                }
                if (random.nextInt(6) == 0) {
                    throw new Crash(); // between snapshot and completion
                }
                job.completed(checkpoint);
                if (random.nextInt(4) == 0) {
                    throw new Crash(); // between completion and notification
                }
                if (random.nextInt(4) != 0) { // the notification may also be lost
                    job.commitUpTo(checkpoint.id());
                }
            }
            case 6 -> {
                if (random.nextInt(3) == 0) {
                    throw new Crash();
                }
            }
            default -> {
                if (job.newest != null) {
                    job.commitUpTo(job.newest.id());
                }
            }
        }
    }

    private interface Action {
        void run() throws Exception;
    }

    private static boolean survives(Action action, SimulatedJob job) throws Exception {
        try {
            action.run();
            return true;
        } catch (Crash | RowStoreException e) {
            job.kill();
            return false;
        } catch (IllegalStateException e) {
            if (e.getCause() instanceof RowStoreException) {
                job.kill();
                return false;
            }
            throw e;
        }
    }

    private static void assertNoneEarly(FakeStore store, SimulatedJob job) {
        assertThat(store.visible).allMatch(id -> id <= job.completedPosition);
    }
}
