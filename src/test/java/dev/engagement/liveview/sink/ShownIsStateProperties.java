package dev.engagement.liveview.sink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.EventJson;
import dev.engagement.event.types.ContentShards;
import dev.engagement.event.types.EventShards;
import dev.engagement.liveview.LiveValue;
import dev.engagement.liveview.LiveViewKeys;
import dev.engagement.liveview.LiveViewRules;
import dev.engagement.liveview.Samples;
import dev.engagement.liveview.Tally;
import dev.engagement.writeback.KeyedShownState;
import dev.engagement.writeback.WriterLimits;
import dev.engagement.writeback.testing.MapShownState;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
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
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;

/**
 * Whatever happens to Redis and to the job, once Redis can be reached for a while it shows exactly what is alive: against
 * maps of all events. Last events are kept within each subtask, tallies by content; killed subtasks may go on as zombies.
 */
class ShownIsStateProperties {

    private static final long START = 1_767_882_112_000L;
    private static final int CONTENTS = 30;
    private static final LiveViewKeys KEYS = new LiveViewKeys("");
    private static final LiveViewRules RULES = new LiveViewRules(Duration.ofDays(1), false);

    /** Small, so that everything overflows now and then. */
    private static final WriterLimits LIMITS = new WriterLimits(
            12, MemorySize.ofMebiBytes(1), 5, MemorySize.parse("4kb"), Duration.ofMillis(5), Duration.ofSeconds(15));

    private static final int MAX_HELD = 6;

    enum Happening {
        EVENTS,
        MORE_EVENTS,
        WORK,
        SEND_WITHOUT_HEARING,
        TIME_PASSES,
        MINUTES_PASS,
        REDIS_GOES_AWAY,
        REDIS_COMES_BACK,
        ANSWER_IS_LOST,
        SOME_WRITES_ARE_REFUSED,
        REDIS_RESTARTS_EMPTY,
        REDIS_IS_FLUSHED,
        REDIS_IS_BACKED_UP,
        REDIS_RESTARTS_WITH_OLDER_DATA,
        CHECKPOINT,
        KILL_AND_RESTORE,
        CHECKPOINT_KILL_AND_RESTORE,
        SWEEP
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
    void redis_shows_what_is_alive(@ForAll("scripts") List<Step> script) throws Exception {
        World world = new World();
        for (Step step : script) {
            world.happen(step);
        }
        world.recover();
        assertThat(world.redis.shown()).isEqualTo(world.oracle());
        for (ManualSubtask<?> subtask : world.alive()) {
            assertThat(subtask.metrics.gauge("pendingEntries")).isZero();
            assertThat(subtask.metrics.gauge("pendingBytes")).isZero();
            assertThat(subtask.metrics.gauge("rewriting")).isZero();
        }
    }

    private static final class World {
        private long now = START;
        private final ForgetfulRedis redis = new ForgetfulRedis(() -> now);
        private final List<EnrichedEvent> events = new ArrayList<>();
        private final List<ManualSubtask<?>> zombies = new ArrayList<>();
        private List<ManualSubtask<EnrichedEvent>> lasts = new ArrayList<>();
        private List<ManualSubtask<CountPartial>> tallies = new ArrayList<>();
        private List<MapShownState<LiveValue>> lastsStored = List.of();
        private List<MapShownState<LiveValue>> talliesStored = List.of();
        private int eventsStored;

        World() throws Exception {
            start(2);
        }

        void happen(Step step) throws Exception {
            int number = step.number;
            switch (step.happening) {
                case EVENTS -> arrive(number, 1 + number % 3);
                case MORE_EVENTS -> arrive(number, 40);
                case WORK -> work();
                case SEND_WITHOUT_HEARING -> alive().forEach(subtask -> subtask.task.runIo());
                case TIME_PASSES -> pass(1 + number % 30);
                case MINUTES_PASS -> {
                    for (int i = 0; i < 20; i++) {
                        pass(number % 20_000);
                        work();
                    }
                }
                case REDIS_GOES_AWAY -> redis.goAway();
                case REDIS_COMES_BACK -> redis.comeBack();
                case ANSWER_IS_LOST -> redis.loseAnswer();
                case SOME_WRITES_ARE_REFUSED -> redis.refuse(place -> place % 2 == number % 2);
                case REDIS_RESTARTS_EMPTY -> redis.restartEmpty();
                case REDIS_IS_FLUSHED -> redis.flush();
                case REDIS_IS_BACKED_UP -> redis.backUp();
                case REDIS_RESTARTS_WITH_OLDER_DATA -> redis.restartWithOlderData();
                case CHECKPOINT -> checkpoint();
                case KILL_AND_RESTORE -> restore(1 + number % 4);
                case CHECKPOINT_KILL_AND_RESTORE -> {
                    checkpoint();
                    zombies.clear();
                    restore(1 + number % 4);
                    // Killed for good: nobody is left to write what the checkpoint has to hold.
                    zombies.clear();
                }
                case SWEEP -> {
                    for (ManualSubtask<?> subtask : alive()) {
                        for (int shard : subtask.state.shards()) {
                            subtask.writer.sweep(shard);
                        }
                    }
                }
            }
            for (ManualSubtask<?> subtask : alive()) {
                assertThat(subtask.writer.entries()).isLessThanOrEqualTo(2 * LIMITS.maxPendingEntries() + CONTENTS);
                assertThat(subtask.writer.bytes()).isNotNegative();
            }
        }

        private void arrive(int seed, int count) throws Exception {
            for (int i = 0; i < count; i++) {
                long id = events.size() + 1L;
                int content = Math.floorMod(seed + 7 * i, CONTENTS);
                // Some come late, some too late to be shown.
                long agoMillis = (seed + 977L * i) % (70 * 60_000L) * ((seed + i) % 2);
                EnrichedEvent event = Samples.event("c" + content, id, (now - agoMillis) * 1_000);
                events.add(event);
                show(event);
            }
        }

        private void show(EnrichedEvent event) throws Exception {
            ManualSubtask<EnrichedEvent> last =
                    lasts.get(subtask(EventShards.shardOf(event.event().id()), lasts.size()));
            last.show(event);
            String content = event.event().contentId();
            CountPartial partial = new CountPartial(
                    content, 1, new long[] {Tally.minuteOf(event.event().eventTsMicros())}, new long[] {1});
            tallies.get(subtask(ContentShards.shardOf(content), tallies.size())).show(partial);
        }

        private static int subtask(int shard, int parallelism) {
            return KeyGroupRangeAssignment.assignKeyToParallelOperator(
                    EventShards.keyOf(shard), EventShards.SHARDS, parallelism);
        }

        private void start(int parallelism) throws Exception {
            lasts = new ArrayList<>();
            tallies = new ArrayList<>();
            for (int i = 0; i < parallelism; i++) {
                lasts.add(subtask(
                        LiveViewMappings.last(RULES),
                        restored(KeyedShownState.Spread.WITHIN_SUBTASK, i, parallelism, lastsStored)));
                tallies.add(subtask(
                        LiveViewMappings.tallies(),
                        restored(KeyedShownState.Spread.BY_CONTENT, i, parallelism, talliesStored)));
            }
        }

        private <T> ManualSubtask<T> subtask(LiveViewMapping<T> mapping, MapShownState<LiveValue> state)
                throws Exception {
            return new ManualSubtask<>(mapping, state, redis, LIMITS, MAX_HELD, now);
        }

        private static MapShownState<LiveValue> restored(
                KeyedShownState.Spread spread, int subtask, int parallelism, List<MapShownState<LiveValue>> stored) {
            MapShownState<LiveValue> state = new MapShownState<>(spread, subtask, parallelism);
            stored.forEach(state::restoreFrom);
            return state;
        }

        private void checkpoint() throws Exception {
            lastsStored = new ArrayList<>();
            talliesStored = new ArrayList<>();
            for (ManualSubtask<EnrichedEvent> subtask : lasts) {
                lastsStored.add(subtask.checkpoint());
            }
            for (ManualSubtask<CountPartial> subtask : tallies) {
                talliesStored.add(subtask.checkpoint());
            }
            eventsStored = events.size();
        }

        private void restore(int parallelism) throws Exception {
            zombies.addAll(alive());
            start(parallelism);
            for (EnrichedEvent again : events.subList(eventsStored, events.size())) {
                show(again);
            }
        }

        private List<ManualSubtask<?>> alive() {
            List<ManualSubtask<?>> all = new ArrayList<>(lasts);
            all.addAll(tallies);
            return all;
        }

        private List<ManualSubtask<?>> everybody() {
            List<ManualSubtask<?>> all = alive();
            all.addAll(zombies);
            return all;
        }

        private void work() throws Exception {
            for (ManualSubtask<?> subtask : everybody()) {
                subtask.task.runAll();
            }
        }

        private void pass(long millis) throws Exception {
            now += millis;
            for (ManualSubtask<?> subtask : everybody()) {
                subtask.task.pass(millis);
            }
        }

        void recover() throws Exception {
            redis.comeBack();
            redis.refuse(place -> false);
            // Long enough for every retry, and for everybody to have asked Redis what it remembers.
            for (int i = 0; i < 1_200; i++) {
                work();
                pass(5);
            }
            work();
        }

        Map<String, String> oracle() {
            Map<String, LiveValue.Last> newest = new HashMap<>();
            Map<String, Long> counts = new TreeMap<>();
            for (EnrichedEvent event : events) {
                String content = event.event().contentId();
                LiveValue.Last last = new LiveValue.Last(event);
                if (last.aliveAt(now) != null) {
                    newest.merge(content, last, (some, other) -> other.newerThan(some) ? other : some);
                }
                counts.merge(KEYS.count(content), 1L, Long::sum);
                long minute = Tally.minuteOf(event.event().eventTsMicros());
                if (Tally.expiresAtMillis(minute) > now) {
                    counts.merge(KEYS.bucket(minute) + "/" + content, 1L, Long::sum);
                }
            }
            Map<String, String> shown = new TreeMap<>();
            counts.forEach((key, count) -> shown.put(key, count.toString()));
            newest.forEach((content, last) -> shown.put(
                    KEYS.last(content), new String(EventJson.enriched(last.enriched()), StandardCharsets.UTF_8)));
            return shown;
        }
    }
}
