package dev.engagement.liveview.sink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.types.ContentShards;
import dev.engagement.event.types.EventShards;
import dev.engagement.liveview.LiveViewRules;
import dev.engagement.liveview.LiveViewScript;
import dev.engagement.liveview.Samples;
import dev.engagement.liveview.ScriptedWrite;
import dev.engagement.writeback.IoThreads;
import dev.engagement.writeback.KeyedShownState;
import dev.engagement.writeback.WriteBackPlan;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.java.functions.KeySelector;
import org.apache.flink.contrib.streaming.state.EmbeddedRocksDBStateBackend;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.apache.flink.runtime.state.StateBackend;
import org.apache.flink.runtime.state.VoidNamespace;
import org.apache.flink.runtime.state.hashmap.HashMapStateBackend;
import org.apache.flink.runtime.state.storage.JobManagerCheckpointStorage;
import org.apache.flink.streaming.runtime.tasks.mailbox.Mail;
import org.apache.flink.streaming.util.AbstractStreamOperatorTestHarness;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.apache.flink.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import redis.clients.jedis.exceptions.JedisConnectionException;

class LiveViewOperatorTest {

    private static final long START = 1_767_882_112_000L;
    private static final long HOUR = 3_600_000;
    private static final int MAX_CHECKPOINT_BYTES = 200 << 20;
    private static final long LAST_BYTES = 350;
    private static final long COUNT_BYTES = 110;
    private static final LiveViewRules RULES = new LiveViewRules(Duration.ofDays(1), false);

    /** On the task thread: nothing happens at a time that the test does not choose. */
    private static final IoThreads AT_ONCE = name -> Executors.newDirectExecutorService();

    private final List<Subtask<?>> opened = new ArrayList<>();
    private long now = START;
    private final ForgetfulRedis redis = new ForgetfulRedis(() -> now);

    enum Backend {
        HEAP,
        ROCKSDB;

        StateBackend create() {
            return this == HEAP ? new HashMapStateBackend() : new EmbeddedRocksDBStateBackend();
        }
    }

    @AfterEach
    void close() throws Exception {
        for (Subtask<?> one : opened) {
            one.harness.close();
        }
    }

    @ParameterizedTest
    @EnumSource
    void what_is_shown_is_what_came_in(Backend backend) throws Exception {
        List<Subtask<EnrichedEvent>> lasts = lasts(backend, 1, null, 1);
        List<Subtask<CountPartial>> counts = counts(backend, 1, null, 1);
        for (int i = 1; i <= 500; i++) {
            arrive(lasts, counts, i, "c" + i % 20);
        }
        settle();

        assertShown(20, 500);
    }

    @ParameterizedTest
    @EnumSource
    void a_checkpoint_completes_while_redis_is_away_and_is_shown_at_any_other_parallelism(Backend backend)
            throws Exception {
        List<Subtask<EnrichedEvent>> lasts = lasts(backend, 3, null, 3);
        List<Subtask<CountPartial>> counts = counts(backend, 3, null, 3);
        for (int i = 1; i <= 300; i++) {
            arrive(lasts, counts, i, "c" + i % 20);
        }
        settle();
        redis.goAway();
        for (int i = 301; i <= 600; i++) {
            arrive(lasts, counts, i, "c" + i % 20);
        }
        OperatorSubtaskState lastsStored = stored(lasts);
        OperatorSubtaskState countsStored = stored(counts);
        redis.comeBack();

        restart();
        lasts(backend, 2, lastsStored, 3);
        counts(backend, 2, countsStored, 3);
        settle();

        assertShown(20, 600);
    }

    @ParameterizedTest
    @EnumSource
    void a_redis_that_forgot_while_the_job_was_down_gets_everything_again(Backend backend) throws Exception {
        List<Subtask<EnrichedEvent>> lasts = lasts(backend, 2, null, 2);
        List<Subtask<CountPartial>> counts = counts(backend, 2, null, 2);
        for (int i = 1; i <= 300; i++) {
            arrive(lasts, counts, i, "c" + i % 20);
        }
        settle();
        OperatorSubtaskState lastsStored = stored(lasts);
        OperatorSubtaskState countsStored = stored(counts);
        restart();
        redis.restartEmpty();

        lasts(backend, 3, lastsStored, 2);
        counts(backend, 1, countsStored, 2);
        settle();

        assertShown(20, 300);
    }

    @ParameterizedTest
    @EnumSource
    void redis_restarted_empty_under_a_running_job_gets_everything_again(Backend backend) throws Exception {
        List<Subtask<EnrichedEvent>> lasts = lasts(backend, 1, null, 1);
        List<Subtask<CountPartial>> counts = counts(backend, 1, null, 1);
        for (int i = 1; i <= 300; i++) {
            arrive(lasts, counts, i, "c" + i % 20);
        }
        settle();
        redis.restartEmpty();
        for (int i = 301; i <= 320; i++) {
            arrive(lasts, counts, i, "c" + i % 20);
        }
        settle();

        assertShown(20, 320);
    }

    @ParameterizedTest
    @EnumSource
    void lasts_that_are_over_leave_state_and_totals_stay(Backend backend) throws Exception {
        List<Subtask<EnrichedEvent>> lasts = lasts(backend, 1, null, 1);
        List<Subtask<CountPartial>> counts = counts(backend, 1, null, 1);
        for (int i = 1; i <= 2_000; i++) {
            arrive(lasts, counts, i, "c" + i);
        }
        settle();
        stored(lasts);
        assertThat(lasts.get(0).shardsWithValues()).isEqualTo(EventShards.SHARDS);

        // Nothing comes any more, and each shard is looked through within an hour of that.
        for (int i = 0; i < 130; i++) {
            pass(LiveViewOperator.SWEEP_INTERVAL.toMillis());
        }
        pass(HOUR);
        for (int i = 0; i < 130; i++) {
            pass(LiveViewOperator.SWEEP_INTERVAL.toMillis());
        }

        assertThat(lasts.get(0).shardsWithValues()).isZero();
        redis.restartEmpty();
        send(counts, new CountPartial("c1", 1, new long[0], new long[0]));
        settle();
        assertThat(redis.shown())
                .hasSize(2_000)
                .containsEntry("content:count:c7", "1")
                .containsEntry("content:count:c1", "2");
    }

    @Test
    void a_content_costs_this_much_state() throws Exception {
        int contents = 10_000;
        List<Subtask<EnrichedEvent>> lasts = lasts(Backend.HEAP, 1, null, 1);
        List<Subtask<CountPartial>> counts = counts(Backend.HEAP, 1, null, 1);
        long minute = START / 60_000;
        for (int i = 0; i < contents; i++) {
            String id = String.format("00000000-0000-4000-8000-%012d", i);
            send(lasts, Samples.event(id, i, START * 1_000));
            send(
                    counts,
                    new CountPartial(
                            id, 5_000, new long[] {minute - 4, minute - 3, minute - 2, minute - 1, minute}, new long[] {
                                1_000, 1_000, 1_000, 1_000, 1_000
                            }));
        }
        settle();

        assertThat(bytes(stored(lasts)) / contents).as("bytes per last event").isLessThan(LAST_BYTES);
        assertThat(bytes(stored(counts)) / contents)
                .as("bytes per count with five minutes")
                .isLessThan(COUNT_BYTES);
    }

    @Test
    @Timeout(300)
    void a_redis_that_never_answers_holds_up_neither_events_nor_checkpoints() throws Exception {
        Subtask<CountPartial> counts = new Subtask<>(
                "silent",
                Backend.HEAP,
                LiveViewMappings.tallies(),
                KeyedShownState.Spread.BY_CONTENT,
                partial -> ContentShards.keyOf(partial.contentId()),
                redis,
                name -> new NeverRuns(),
                0,
                1,
                null,
                1);
        opened.add(counts);
        for (int i = 0; i < 50_000; i++) {
            counts.harness.processElement(partial("c" + i % 1_000), 0);
        }
        OperatorSubtaskState stored = counts.harness.snapshot(1, 1);

        counts(Backend.HEAP, 1, stored, 1);
        settle();
        assertThat(redis.shown()).containsEntry("content:count:c7", "50");
    }

    @Test
    @Timeout(300)
    void a_task_that_ends_while_a_batch_hangs_leaves_no_thread() throws Exception {
        HangingRedis hanging = new HangingRedis();
        Subtask<CountPartial> counts = new Subtask<>(
                "hanging",
                Backend.HEAP,
                LiveViewMappings.tallies(),
                KeyedShownState.Spread.BY_CONTENT,
                partial -> ContentShards.keyOf(partial.contentId()),
                hanging,
                IoThreads::daemon,
                0,
                1,
                null,
                1);
        assertThat(HangingRedis.HANGS.await(5, TimeUnit.MINUTES)).isTrue();
        List<Thread> threads = Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("live-view-hanging "))
                .toList();
        assertThat(threads).hasSize(1);

        counts.harness.close();

        threads.get(0).join();
    }

    private void assertShown(int contents, int events) {
        TreeMap<String, String> expected = new TreeMap<>();
        for (int i = 0; i < contents; i++) {
            expected.put("content:count:c" + i, Integer.toString(events / contents));
        }
        assertThat(redis.shown()).containsAllEntriesOf(expected);
        assertThat(redis.shown().keySet().stream().filter(key -> key.startsWith("content:last:")))
                .hasSize(contents);
        assertThat(redis.shown().entrySet().stream()
                        .filter(entry -> entry.getKey().startsWith("top:content:bucket:"))
                        .mapToLong(entry -> Long.parseLong(entry.getValue()))
                        .sum())
                .isEqualTo(events);
        assertThat(redis.shown().get("content:last:c0")).startsWith("{\"event_id\":" + events + ",");
    }

    private void arrive(
            List<Subtask<EnrichedEvent>> lasts, List<Subtask<CountPartial>> counts, long id, String contentId)
            throws Exception {
        send(lasts, Samples.event(contentId, id, START * 1_000 + id));
        send(counts, partial(contentId));
    }

    private static CountPartial partial(String contentId) {
        return new CountPartial(contentId, 1, new long[] {START / 60_000}, new long[] {1});
    }

    private static <T> void send(List<Subtask<T>> subtasks, T element) throws Exception {
        Subtask<T> owner = subtasks.get(KeyGroupRangeAssignment.assignKeyToParallelOperator(
                subtasks.get(0).keys.getKey(element), EventShards.SHARDS, subtasks.size()));
        owner.harness.processElement(element, 0);
        owner.runMails();
    }

    /** What ran is gone. */
    private void restart() throws Exception {
        close();
        opened.clear();
    }

    private void pass(long millis) throws Exception {
        now += millis;
        for (Subtask<?> subtask : opened) {
            subtask.harness.setProcessingTime(now);
            subtask.runMails();
        }
    }

    /** Long enough for a retry and many batches. */
    private void settle() throws Exception {
        for (int i = 0; i < 500; i++) {
            pass(5);
        }
    }

    private static <T> OperatorSubtaskState stored(List<Subtask<T>> subtasks) throws Exception {
        List<OperatorSubtaskState> states = new ArrayList<>();
        for (Subtask<T> subtask : subtasks) {
            states.add(subtask.harness.snapshot(1, 1));
        }
        return AbstractStreamOperatorTestHarness.repackageState(states.toArray(new OperatorSubtaskState[0]));
    }

    private static long bytes(OperatorSubtaskState state) {
        return state.getManagedKeyedState().stream()
                .mapToLong(handle -> handle.getStateSize())
                .sum();
    }

    private List<Subtask<EnrichedEvent>> lasts(
            Backend backend, int parallelism, OperatorSubtaskState stored, int storedParallelism) throws Exception {
        List<Subtask<EnrichedEvent>> subtasks = new ArrayList<>();
        for (int i = 0; i < parallelism; i++) {
            subtasks.add(new Subtask<>(
                    "test",
                    backend,
                    LiveViewMappings.last(RULES),
                    KeyedShownState.Spread.WITHIN_SUBTASK,
                    EventShards.ofEnriched(),
                    redis,
                    AT_ONCE,
                    i,
                    parallelism,
                    stored,
                    storedParallelism));
        }
        opened.addAll(subtasks);
        return subtasks;
    }

    private List<Subtask<CountPartial>> counts(
            Backend backend, int parallelism, OperatorSubtaskState stored, int storedParallelism) throws Exception {
        List<Subtask<CountPartial>> subtasks = new ArrayList<>();
        for (int i = 0; i < parallelism; i++) {
            subtasks.add(new Subtask<>(
                    "test",
                    backend,
                    LiveViewMappings.tallies(),
                    KeyedShownState.Spread.BY_CONTENT,
                    partial -> ContentShards.keyOf(partial.contentId()),
                    redis,
                    AT_ONCE,
                    i,
                    parallelism,
                    stored,
                    storedParallelism));
        }
        opened.addAll(subtasks);
        return subtasks;
    }

    private final class Subtask<T> {
        final KeyedOneInputStreamOperatorTestHarness<Integer, T, Void> harness;
        final KeySelector<T, Integer> keys;

        Subtask(
                String name,
                Backend backend,
                LiveViewMapping<T> mapping,
                KeyedShownState.Spread spread,
                KeySelector<T, Integer> keys,
                RedisConnection.Connector connector,
                IoThreads ioThreads,
                int subtask,
                int parallelism,
                OperatorSubtaskState stored,
                int storedParallelism)
                throws Exception {
            this.keys = keys;
            harness = new KeyedOneInputStreamOperatorTestHarness<>(
                    new LiveViewOperatorFactory<>(
                            name,
                            mapping,
                            spread,
                            "",
                            "host:6379/0",
                            connector,
                            LiveViewStreams.LIMITS,
                            LiveViewStreams.EVENT_CACHE,
                            WriteBackPlan.BACKOFF,
                            WriteBackPlan.REFUSED_BACKOFF,
                            ioThreads),
                    keys,
                    EventShards.KEY_TYPE,
                    EventShards.SHARDS,
                    parallelism,
                    subtask);
            harness.setStateBackend(backend.create());
            harness.setCheckpointStorage(new JobManagerCheckpointStorage(MAX_CHECKPOINT_BYTES));
            harness.setProcessingTime(now);
            if (stored != null) {
                harness.initializeState(AbstractStreamOperatorTestHarness.repartitionOperatorState(
                        stored, EventShards.SHARDS, storedParallelism, parallelism, subtask));
            }
            harness.open();
            runMails();
        }

        long shardsWithValues() {
            return harness.getOperator()
                    .getKeyedStateBackend()
                    .getKeys(LiveViewOperator.SHOWN.getName(), VoidNamespace.INSTANCE)
                    .distinct()
                    .count();
        }

        void runMails() throws Exception {
            Optional<Mail> mail = harness.getTaskMailbox().tryTake(0);
            while (mail.isPresent()) {
                mail.get().run();
                mail = harness.getTaskMailbox().tryTake(0);
            }
        }
    }

    /** Takes what it is given and never does it. */
    private static final class NeverRuns extends AbstractExecutorService {

        @Override
        public void execute(Runnable command) {}

        @Override
        public void shutdown() {}

        @Override
        public List<Runnable> shutdownNow() {
            return List.of();
        }

        @Override
        public boolean isShutdown() {
            return true;
        }

        @Override
        public boolean isTerminated() {
            return true;
        }

        @Override
        public boolean awaitTermination(long timeout, TimeUnit unit) {
            return true;
        }
    }

    /** Accepts a connection and then answers nothing until the connection is aborted. */
    private static final class HangingRedis implements RedisConnection.Connector {

        private static final long serialVersionUID = 1L;

        static final CountDownLatch HANGS = new CountDownLatch(1);

        @Override
        public RedisConnection connect() {
            CountDownLatch aborted = new CountDownLatch(1);
            return new RedisConnection() {
                @Override
                public void load(LiveViewScript... scripts) {
                    HANGS.countDown();
                    try {
                        aborted.await();
                    } catch (InterruptedException e) {
                        throw new JedisConnectionException(e);
                    }
                    throw new JedisConnectionException("aborted");
                }

                @Override
                public List<Reply> perform(List<ScriptedWrite> writes) {
                    throw new AssertionError("never gets here");
                }

                @Override
                public String incarnation() {
                    throw new AssertionError("never gets here");
                }

                @Override
                public void abort() {
                    aborted.countDown();
                }
            };
        }
    }
}
