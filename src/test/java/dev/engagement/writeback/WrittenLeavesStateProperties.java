package dev.engagement.writeback;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.writeback.testing.ManualTask;
import dev.engagement.writeback.testing.MapShownState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.metrics.SimpleCounter;

/**
 * Whatever happens to the store and to the job, once the store can be reached for a while it has the newest value of each id,
 * and state has none: of values that are kept {@link Keeping#UNTIL_WRITTEN}. Killed subtasks may go on as zombies.
 */
class WrittenLeavesStateProperties {

    private static final long START = 1_767_882_112_000L;
    private static final int IDS = 30;

    /** Small, so that everything overflows now and then. */
    private static final WriterLimits LIMITS = new WriterLimits(
            12, MemorySize.ofMebiBytes(1), 5, MemorySize.parse("1kb"), Duration.ofMillis(5), Duration.ofSeconds(15));

    private static final int MAX_HELD = 6;

    enum Happening {
        VALUES,
        MANY_VALUES,
        WORK,
        SEND_WITHOUT_HEARING,
        TIME_PASSES,
        STORE_GOES_AWAY,
        STORE_COMES_BACK,
        ANSWER_IS_LOST,
        SOME_ARE_REFUSED,
        NONE_ARE_REFUSED,
        CHECKPOINT,
        KILL_AND_RESTORE,
        CHECKPOINT_KILL_AND_RESTORE
    }

    record Step(Happening happening, int number) {}

    @Provide
    Arbitrary<List<Step>> scripts() {
        return Combinators.combine(
                        Arbitraries.of(Happening.class),
                        Arbitraries.integers().between(0, 1_000_000).withoutEdgeCases())
                .as(Step::new)
                .list()
                .ofMinSize(5)
                .ofMaxSize(80);
    }

    @Property(tries = 400)
    void the_store_has_the_newest_and_state_has_nothing(@ForAll("scripts") List<Step> script) throws Exception {
        World world = new World();
        for (Step step : script) {
            world.happen(step);
        }
        world.recover();
        assertThat(world.stored).isEqualTo(world.newest);
        for (Subtask subtask : world.alive) {
            assertThat(subtask.values.isEmpty()).isTrue();
            assertThat(subtask.values.bytes()).isZero();
            assertThat(subtask.checkpoint().size()).isZero();
        }
    }

    private static final class World {
        private final Map<String, Long> newest = new TreeMap<>();
        private final Map<String, Long> stored = new TreeMap<>();
        private final List<TestValue> told = new ArrayList<>();
        private final List<Subtask> zombies = new ArrayList<>();
        private List<Subtask> alive = new ArrayList<>();
        private List<MapShownState<TestValue>> checkpoint = List.of();
        private int toldBeforeCheckpoint;
        private boolean away;
        private boolean answerIsLost;
        private int refused = -1;

        World() throws Exception {
            start(2);
        }

        void happen(Step step) throws Exception {
            int number = step.number;
            switch (step.happening) {
                case VALUES -> tell(number, 1 + number % 3);
                case MANY_VALUES -> tell(number, 40);
                case WORK -> work();
                case SEND_WITHOUT_HEARING -> alive.forEach(subtask -> subtask.task.runIo());
                case TIME_PASSES -> pass(1 + number % 30);
                case STORE_GOES_AWAY -> away = true;
                case STORE_COMES_BACK -> away = false;
                case ANSWER_IS_LOST -> answerIsLost = true;
                case SOME_ARE_REFUSED -> refused = number % 3;
                case NONE_ARE_REFUSED -> refused = -1;
                case CHECKPOINT -> checkpoint();
                case KILL_AND_RESTORE -> restore(1 + number % 4);
                case CHECKPOINT_KILL_AND_RESTORE -> {
                    checkpoint();
                    zombies.clear();
                    restore(1 + number % 4);
                    // Killed for good: nobody is left to write what the checkpoint has to hold.
                    zombies.clear();
                }
            }
            for (Subtask subtask : alive) {
                assertThat(subtask.values.entries()).isLessThanOrEqualTo(2 * LIMITS.maxPendingEntries() + IDS);
                assertThat(subtask.values.bytes()).isNotNegative();
            }
        }

        private void tell(int seed, int count) throws Exception {
            for (int i = 0; i < count; i++) {
                String id = "c" + Math.floorMod(seed + 7 * i, IDS);
                TestValue value = TestValue.of(id, newest.merge(id, 1L, Long::sum));
                told.add(value);
                put(value);
            }
        }

        /** Which subtask has an id has nothing to do with the shard that it keeps it under. */
        private void put(TestValue value) throws Exception {
            alive.get(Math.floorMod(31 * value.id().hashCode(), alive.size())).put(value);
        }

        private void start(int parallelism) throws Exception {
            alive = new ArrayList<>();
            for (int i = 0; i < parallelism; i++) {
                MapShownState<TestValue> state =
                        new MapShownState<>(KeyedShownState.Spread.WITHIN_SUBTASK, i, parallelism);
                checkpoint.forEach(state::restoreFrom);
                alive.add(new Subtask(state, this));
            }
        }

        private void checkpoint() throws Exception {
            checkpoint = new ArrayList<>();
            for (Subtask subtask : alive) {
                checkpoint.add(subtask.checkpoint());
            }
            toldBeforeCheckpoint = told.size();
        }

        private void restore(int parallelism) throws Exception {
            zombies.addAll(alive);
            start(parallelism);
            for (TestValue again : List.copyOf(told.subList(toldBeforeCheckpoint, told.size()))) {
                put(again);
            }
        }

        private List<Subtask> everybody() {
            List<Subtask> all = new ArrayList<>(alive);
            all.addAll(zombies);
            return all;
        }

        private void work() throws Exception {
            for (Subtask subtask : everybody()) {
                subtask.task.runAll();
            }
        }

        private void pass(long millis) throws Exception {
            for (Subtask subtask : everybody()) {
                subtask.task.pass(millis);
            }
        }

        void recover() throws Exception {
            away = false;
            refused = -1;
            // Long enough for every retry.
            for (int i = 0; i < 1_200; i++) {
                work();
                pass(5);
            }
            work();
        }

        Link.Outcome write(List<Item<TestValue>> items) {
            if (away) {
                return new Link.Outcome(ScriptedLink.all(items), "away", false, false, null);
            }
            long[] missing = new long[items.size()];
            boolean done = false;
            for (int i = 0; i < missing.length; i++) {
                TestValue value = items.get(i).value();
                if (Math.floorMod(value.id().hashCode(), 3) == refused) {
                    missing[i] = items.get(i).parts();
                } else {
                    stored.merge(value.id(), value.total(), Math::max);
                    done = true;
                }
            }
            if (answerIsLost) {
                answerIsLost = false;
                return new Link.Outcome(ScriptedLink.all(items), "no answer", false, false, null);
            }
            boolean all = Arrays.stream(missing).allMatch(parts -> parts == 0);
            return new Link.Outcome(missing, all ? null : "refused", false, done, "");
        }
    }

    /** All of an operator but what is Flink's. */
    private static final class Subtask {
        private final ManualTask task = new ManualTask(START);
        private final MapShownState<TestValue> state;
        private final WriteBack<TestValue> values;

        Subtask(MapShownState<TestValue> state, World world) throws Exception {
            this.state = state;
            values = new WriteBack<>(
                    state,
                    new WriteBackPlan(
                            Keeping.UNTIL_WRITTEN,
                            WriteBackPlan.wholeValues(),
                            LIMITS,
                            WriteBackPlan.BACKOFF,
                            WriteBackPlan.REFUSED_BACKOFF),
                    MAX_HELD,
                    new WorldLink(world),
                    new WriteBack.Environment(
                            "The store", "test values", task, task, task.io(), task::stopIo, () -> 0.0),
                    new WriteBackMetrics(new SimpleCounter(), new SimpleCounter(), new SimpleCounter()));
            values.open();
        }

        void put(TestValue value) throws Exception {
            Place<TestValue> place = values.place(value.id());
            TestValue held = place.value();
            if (held == null || value.total() > held.total()) {
                values.put(place, value, WriteBackValue.ALL_PARTS);
            }
            values.startIfDue();
        }

        MapShownState<TestValue> checkpoint() throws Exception {
            values.save();
            return state.copy();
        }
    }

    private record WorldLink(World world) implements Link<TestValue> {

        @Override
        public Attempt attempt(List<Item<TestValue>> items, long nowMillis) {
            return new Attempt() {
                private Outcome outcome;

                @Override
                public void send() {
                    outcome = world.write(items);
                }

                @Override
                public Outcome outcome(long nowMillis) {
                    return outcome;
                }
            };
        }

        @Override
        public void abort() {}

        @Override
        public void close() {}
    }
}
