package dev.engagement.writeback;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.writeback.Link.Outcome;
import dev.engagement.writeback.testing.ManualTask;
import dev.engagement.writeback.testing.MapShownState;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.metrics.SimpleCounter;
import org.junit.jupiter.api.Test;

/** {@link BacklogWriter}, as {@link WriteBack} puts it together. */
class BacklogWriterTest {

    private static final long START = 1_767_882_112_000L;
    private static final int MAX_BATCH = 10;
    private static final WriterLimits LIMITS = new WriterLimits(
            100,
            MemorySize.ofMebiBytes(1),
            MAX_BATCH,
            MemorySize.ofMebiBytes(1),
            Duration.ofMillis(5),
            Duration.ofSeconds(15));

    private final ScriptedLink link = new ScriptedLink();
    private final SimpleCounter coalesced = new SimpleCounter();
    private final SimpleCounter retries = new SimpleCounter();
    private final WriteBackMetrics metrics = new WriteBackMetrics(coalesced, new SimpleCounter(), retries);
    private final MapShownState<TestValue> state = new MapShownState<>(KeyedShownState.Spread.BY_CONTENT, 0, 1);
    private ManualTask task = new ManualTask(START);

    @Test
    void opening_does_not_wait_for_the_store() throws Exception {
        opened(Keeping.WHILE_ALIVE);

        assertThat(link.attempts).isZero();
        assertThat(task.hasIo()).isTrue();
    }

    @Test
    void the_first_value_does_not_wait_and_what_comes_meanwhile_coalesces() throws Exception {
        WriteBack<TestValue> values = started();
        put(values, "a", 1);
        put(values, "a", 2);
        put(values, "b", 5);
        put(values, "a", 4);
        settle();

        assertThat(link.texts()).containsExactly(List.of("a=1"), List.of("a=4", "b=5"));
        assertThat(coalesced.getCount()).isOne();
        assertThat(values.isEmpty()).isTrue();
        assertThat(values.entries()).isZero();
        assertThat(values.bytes()).isZero();
    }

    @Test
    void two_batches_start_at_least_the_linger_time_apart() throws Exception {
        WriteBack<TestValue> values = started();
        put(values, "a", 1);
        task.runAll();
        put(values, "a", 2);

        task.pass(4);
        task.runAll();
        assertThat(link.batches).hasSize(1);

        task.pass(1);
        task.runAll();
        assertThat(link.batches).hasSize(2);
    }

    @Test
    void what_failed_is_tried_again_later_each_time() throws Exception {
        WriteBack<TestValue> values = started();
        link.fail();
        link.fail();
        put(values, "a", 1);
        task.runAll();
        assertThat(metrics.up()).isZero();

        task.pass(24);
        assertThat(task.hasIo()).isFalse();
        task.pass(1);
        assertThat(task.hasIo()).isTrue();
        task.runAll();
        task.pass(49);
        assertThat(task.hasIo()).isFalse();
        task.pass(1);
        task.runAll();

        assertThat(link.texts()).containsExactly(List.of("a=1"), List.of("a=1"), List.of("a=1"));
        assertThat(retries.getCount()).isEqualTo(2);
        assertThat(metrics.up()).isOne();
        assertThat(values.isEmpty()).isTrue();
    }

    @Test
    void while_the_store_is_away_values_coalesce_and_the_newest_is_written() throws Exception {
        WriteBack<TestValue> values = started();
        link.fail();
        link.fail();
        put(values, "a", 1);
        task.runAll();
        put(values, "a", 2);
        put(values, "b", 1);
        settle();

        assertThat(link.texts()).last().isEqualTo(List.of("a=2", "b=1"));
    }

    @Test
    void what_is_refused_is_tried_again_more_slowly_and_shown() throws Exception {
        WriteBack<TestValue> values = started();
        link.refuse();
        put(values, "a", 1);
        task.runAll();
        assertThat(metrics.refused()).isOne();

        task.pass(499);
        assertThat(task.hasIo()).isFalse();
        task.pass(1);
        task.runAll();

        assertThat(metrics.refused()).isZero();
        assertThat(metrics.up()).isOne();
        assertThat(values.isEmpty()).isTrue();
    }

    @Test
    void a_part_of_the_store_that_is_away_does_not_slow_down_the_rest() throws Exception {
        WriteBack<TestValue> values = started();
        put(values, "x", 0);
        put(values, "away", 1);
        task.runAll();
        for (int i = 0; i < 10; i++) {
            link.answer(items -> new Outcome(
                    items.stream()
                            .mapToLong(item -> item.value().id().equals("away") ? item.parts() : 0)
                            .toArray(),
                    "away is away",
                    false,
                    true,
                    "one"));
        }
        for (int i = 1; i <= 10; i++) {
            put(values, "here", i);
            task.pass(25);
            task.runAll();
        }

        assertThat(link.batches.size()).isGreaterThanOrEqualTo(10);
        settle();
        assertThat(values.isEmpty()).isTrue();
    }

    @Test
    void only_the_parts_that_are_missing_are_written_again() throws Exception {
        WriteBack<TestValue> values = started();
        link.answer(items -> new Outcome(new long[] {TestValue.RECENT}, "half", false, true, "one"));
        TestValue both = TestValue.of("a", 1).withRecent(1, Long.MAX_VALUE);
        values.put(values.place("a"), both, TestValue.TOTAL | TestValue.RECENT);
        values.startIfDue();
        settle();

        assertThat(link.batches)
                .extracting(batch -> batch.get(0).parts())
                .containsExactly(TestValue.TOTAL | TestValue.RECENT, TestValue.RECENT);
    }

    @Test
    void a_batch_takes_what_has_waited_longest_up_to_its_limit() throws Exception {
        WriteBack<TestValue> values = started();
        for (int i = 0; i < 26; i++) {
            put(values, "c" + i, 1);
        }
        settle();

        assertThat(link.batches).extracting(List::size).containsExactly(1, MAX_BATCH, MAX_BATCH, 5);
    }

    @Test
    void what_waits_beside_the_values_is_sent_too() throws Exception {
        WriteBack<TestValue> values = started();
        int before = link.attempts;
        link.more = true;
        values.startIfDue();
        task.runAll();

        assertThat(link.attempts).isEqualTo(before + 1);
    }

    @Test
    void an_idle_writer_looks_after_the_store_once_a_second() throws Exception {
        started();
        int before = link.attempts;
        for (int i = 0; i < 5; i++) {
            task.pass(1_000);
            task.runAll();
        }

        assertThat(link.attempts).isEqualTo(before + 5);
    }

    @Test
    void a_store_with_another_incarnation_gets_everything_again() throws Exception {
        WriteBack<TestValue> values = started();
        put(values, "a", 1);
        settle();
        link.incarnation = "two";
        task.pass(2_000);
        settle();

        assertThat(link.texts()).containsExactly(List.of("a=1"), List.of("a=1"));
        assertThat(values.rewrites()).isOne();
    }

    @Test
    void values_that_are_kept_until_they_are_written_wait_in_a_checkpoint_and_leave_afterwards() throws Exception {
        WriteBack<TestValue> before = opened(Keeping.UNTIL_WRITTEN);
        task.runAll();
        for (int i = 0; i < 10; i++) {
            link.fail();
        }
        put(before, "a", 1);
        task.runAll();
        put(before, "b", 1);
        before.save();
        assertThat(state.size()).isEqualTo(2);
        before.close();
        task = new ManualTask(START);

        WriteBack<TestValue> after = opened(Keeping.UNTIL_WRITTEN);
        while (!after.isEmpty()) {
            settle();
        }

        assertThat(link.batches.get(link.batches.size() - 1)).hasSize(2);
        assertThat(state.size()).isZero();
    }

    @Test
    void the_end_of_input_waits_until_the_store_has_everything() throws Exception {
        WriteBack<TestValue> values = started();
        link.fail();
        link.fail();
        put(values, "a", 1);
        put(values, "b", 1);

        values.flush();

        assertThat(values.isEmpty()).isTrue();
        assertThat(link.texts().stream().flatMap(List::stream)).contains("a=1", "b=1");
    }

    @Test
    void an_end_of_input_with_nothing_to_write_does_not_need_the_store() throws Exception {
        link.fail();
        WriteBack<TestValue> values = opened(Keeping.UNTIL_WRITTEN);

        values.flush();

        assertThat(link.attempts).isOne();
    }

    @Test
    void what_the_link_throws_fails_the_job() throws Exception {
        WriteBack<TestValue> values = started();
        link.answer(items -> {
            throw new OutOfMemoryError("as told");
        });
        put(values, "a", 1);

        assertThatThrownBy(task::runAll)
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("A batch of test values cannot be sent")
                .hasRootCauseMessage("as told");
    }

    @Test
    void an_attempt_without_an_end_is_aborted() throws Exception {
        WriteBack<TestValue> values = started();
        put(values, "a", 1);

        task.pass(14_999);
        assertThat(link.aborted.getCount()).isOne();
        task.pass(15_001);

        assertThat(link.aborted.await(5, TimeUnit.MINUTES)).isTrue();
    }

    @Test
    void a_closed_writer_ends_its_thread_and_ignores_what_comes_back() throws Exception {
        WriteBack<TestValue> values = started();
        put(values, "a", 1);
        values.close();
        task.runAll();

        assertThat(task.isIoStopped()).isTrue();
        assertThat(link.closed).isTrue();
        assertThat(link.aborted.await(5, TimeUnit.MINUTES)).isTrue();
    }

    private WriteBack<TestValue> started() throws Exception {
        WriteBack<TestValue> values = opened(Keeping.WHILE_ALIVE);
        task.runAll();
        task.pass(10);
        return values;
    }

    private WriteBack<TestValue> opened(Keeping keeping) throws Exception {
        WriteBack<TestValue> values = new WriteBack<>(
                state,
                new WriteBackPlan(
                        keeping,
                        WriteBackPlan.wholeValues(),
                        LIMITS,
                        WriteBackPlan.BACKOFF,
                        WriteBackPlan.REFUSED_BACKOFF),
                link,
                new WriteBack.Environment("The store", "test values", task, task, task.io(), task::stopIo, () -> 0.0),
                metrics);
        values.open();
        return values;
    }

    private static void put(WriteBack<TestValue> values, String id, long total) throws Exception {
        values.put(values.place(id), TestValue.of(id, total), WriteBackValue.ALL_PARTS);
        values.startIfDue();
    }

    /** Long enough for a retry and a few batches. */
    private void settle() throws Exception {
        for (int i = 0; i < 100; i++) {
            task.runAll();
            task.pass(5);
        }
        task.runAll();
    }
}
