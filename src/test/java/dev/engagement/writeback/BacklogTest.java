package dev.engagement.writeback;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.types.ContentShards;
import dev.engagement.event.types.EventShards;
import dev.engagement.writeback.Backlog.Taken;
import dev.engagement.writeback.WriteBackCache.Held;
import dev.engagement.writeback.testing.MapShownState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.metrics.SimpleCounter;
import org.junit.jupiter.api.Test;

class BacklogTest {

    private static final long NOW = 1_767_882_112_000L;
    private static final long LATER = NOW + 60_000;
    private static final int MAX_PENDING = 50;
    private static final int MAX_BATCH = 200;

    private Keeping keeping = Keeping.WHILE_ALIVE;
    private long[] rewriteOrder = TestValue.RECENT_FIRST;
    private final SimpleCounter coalesced = new SimpleCounter();
    private final SimpleCounter forgotten = new SimpleCounter();
    private MapShownState<TestValue> state = new MapShownState<>(KeyedShownState.Spread.BY_CONTENT, 0, 1);
    private WriteBackCache<TestValue> values;
    private Backlog<TestValue> backlog = opened(MemorySize.ofMebiBytes(1));

    @Test
    void above_the_limit_ids_are_forgotten_and_everything_is_written_again() throws Exception {
        backlog.reached("m", NOW);
        for (int i = 0; i <= MAX_PENDING; i++) {
            change("c" + i, 1);
        }
        assertThat(forgotten.getCount()).isEqualTo(MAX_PENDING + 1);
        assertThat(backlog.entries()).isZero();
        assertThat(backlog.bytes()).isZero();
        assertThat(backlog.isEmpty()).isFalse();

        change("c7", 2);
        assertThat(taken()).as("what has changed since").containsExactly("c7");
        backlog.reached("m", NOW);

        assertThat(everythingTaken()).contains("c0", "c7", "c" + MAX_PENDING).hasSize(2 * (MAX_PENDING + 1));
        assertThat(backlog.rewrites()).isOne();
        assertThat(backlog.isEmpty()).isTrue();
    }

    @Test
    void bytes_are_limited_too() throws Exception {
        backlog = opened(MemorySize.parse("2kb"));
        backlog.reached("m", NOW);
        for (int i = 0; i < 1_000; i++) {
            change("c" + i % 30, i);
            assertThat(backlog.bytes()).isLessThanOrEqualTo(2_048);
        }
        assertThat(forgotten.getCount()).isPositive();
    }

    @Test
    void what_comes_first_comes_before_the_rest_which_follows_gently() throws Exception {
        backlog.reached("m", NOW);
        for (int i = 0; i < 3 * MAX_BATCH; i++) {
            change("c" + i, 1);
            taken();
        }
        backlog.reached("other", NOW);

        List<List<Taken<TestValue>>> batches = new ArrayList<>();
        while (!backlog.isEmpty()) {
            batches.add(take());
        }

        int contents = 3 * MAX_BATCH;
        List<Taken<TestValue>> items = batches.stream().flatMap(List::stream).toList();
        assertThat(items.subList(0, contents))
                .extracting(taken -> taken.item().parts())
                .containsOnly(TestValue.RECENT);
        assertThat(items.subList(contents, 2 * contents))
                .extracting(taken -> taken.item().parts())
                .containsOnly(TestValue.TOTAL);
        assertThat(batches.subList(4, batches.size())).allMatch(batch -> batch.size() <= Backlog.GENTLE);
        assertThat(batches).hasSizeLessThan(4 + contents / Backlog.GENTLE + 2);
    }

    @Test
    void what_has_changed_goes_first_and_does_not_keep_what_is_written_again_waiting() throws Exception {
        backlog = opened(MemorySize.ofMebiBytes(64), 10_000);
        backlog.reached("m", NOW);
        for (int i = 0; i < 1_000; i++) {
            change("old" + i, 1);
        }
        everythingTaken();
        backlog.reached("other", NOW);
        for (int i = 0; i < MAX_BATCH; i++) {
            change("new" + i, 1);
        }

        List<String> batch = taken();

        assertThat(batch.subList(0, MAX_BATCH)).allMatch(id -> id.startsWith("new"));
        assertThat(batch).hasSize(MAX_BATCH + Backlog.GENTLE);
    }

    @Test
    void values_without_a_part_do_not_fill_batches_of_it() throws Exception {
        backlog.reached("m", NOW);
        for (int i = 0; i < 500; i++) {
            Held<TestValue> place = values.held("c" + i);
            backlog.changed(place, TestValue.of("c" + i, 1), TestValue.TOTAL);
            taken();
        }
        backlog.reached("other", NOW);

        List<List<Taken<TestValue>>> batches = new ArrayList<>();
        while (!backlog.isEmpty()) {
            batches.add(take());
        }
        assertThat(batches.stream().flatMap(List::stream))
                .hasSize(500)
                .extracting(taken -> taken.item().parts())
                .containsOnly(TestValue.TOTAL);
        assertThat(batches).hasSizeLessThanOrEqualTo(500 / Backlog.GENTLE + 1);
    }

    @Test
    void an_incarnation_that_is_lost_during_a_rewrite_begins_another_one() throws Exception {
        backlog.reached("m", NOW);
        for (int i = 0; i < 3 * MAX_BATCH; i++) {
            change("c" + i, 1);
            taken();
        }
        backlog.reached("second", NOW);
        taken();
        backlog.reached("third", NOW);

        assertThat(everythingTaken()).hasSize(2 * 3 * MAX_BATCH);
        assertThat(backlog.rewrites()).isEqualTo(2);
    }

    @Test
    void what_failed_while_it_was_written_again_is_tried_again() throws Exception {
        backlog.reached("m", NOW);
        for (int i = 0; i < 3 * MAX_BATCH; i++) {
            change("c" + i, 1);
            taken();
        }
        backlog.reached("other", NOW);
        List<Taken<TestValue>> batch = backlog.take(NOW);
        batch.forEach(each -> backlog.failed(each, each.item().parts(), false));
        backlog.cameBack();

        assertThat(take()).containsExactlyInAnyOrderElementsOf(batch);
        assertThat(backlog.rewrites()).isOne();
    }

    @Test
    void a_value_that_changes_while_it_is_under_way_is_sent_again_with_the_parts_that_changed() throws Exception {
        backlog.reached("m", NOW);
        change("a", 1);
        List<Taken<TestValue>> first = backlog.take(NOW);
        Held<TestValue> place = values.held("a");
        backlog.changed(place, TestValue.of("a", 2).withRecent(1, LATER), TestValue.TOTAL);
        backlog.failed(first.get(0), TestValue.RECENT, false);
        backlog.cameBack();

        List<Taken<TestValue>> second = take();

        assertThat(second).hasSize(1);
        assertThat(second.get(0).item().parts()).isEqualTo(TestValue.TOTAL | TestValue.RECENT);
        assertThat(second.get(0).item().value().total()).isEqualTo(2);
        assertThat(coalesced.getCount()).as("it did not wait").isZero();
    }

    @Test
    void parts_that_change_one_after_the_other_leave_together() throws Exception {
        backlog.reached("m", NOW);
        Held<TestValue> place = values.held("a");
        backlog.changed(place, TestValue.of("a", 0).withRecent(1, LATER), TestValue.RECENT);
        backlog.changed(place, TestValue.of("a", 1).withRecent(1, LATER), TestValue.TOTAL);

        assertThat(take())
                .extracting(taken -> taken.item().parts())
                .containsExactly(TestValue.TOTAL | TestValue.RECENT);
    }

    @Test
    void restored_from_subtasks_that_knew_different_incarnations_everything_is_written_again() throws Exception {
        int[] shards = state.shards();
        for (int shard : shards) {
            state.dirty(shard, new DirtySet(false, List.of(), shard == shards[3] ? "one" : "two"));
        }
        backlog = opened(MemorySize.ofMebiBytes(1));
        backlog.restore();
        assertThat(backlog.isEmpty())
                .as("it is not known what the store remembers")
                .isFalse();

        backlog.reached("two", NOW);

        assertThat(backlog.rewrites()).isOne();
    }

    @Test
    void restored_with_the_incarnation_that_the_store_still_has_nothing_is_written_again() throws Exception {
        change("a", 1);
        backlog.reached("m", NOW);
        take();
        checkpointAndRestore();

        backlog.reached("m", NOW);

        assertThat(backlog.rewrites()).isZero();
        assertThat(backlog.isEmpty()).isTrue();
    }

    @Test
    void what_was_forgotten_before_a_checkpoint_is_written_after_it() throws Exception {
        backlog.reached("m", NOW);
        for (int i = 0; i <= MAX_PENDING; i++) {
            change("c" + i, 1);
        }
        checkpointAndRestore();
        backlog.reached("m", NOW);

        assertThat(everythingTaken()).contains("c0", "c" + MAX_PENDING);
    }

    @Test
    void what_was_not_written_again_before_a_checkpoint_is_after_it() throws Exception {
        backlog.reached("m", NOW);
        for (int i = 0; i < 3 * MAX_BATCH; i++) {
            change("c" + i, 1);
            taken();
        }
        backlog.reached("other", NOW);
        taken();
        checkpointAndRestore();
        backlog.reached("other", NOW);

        assertThat(everythingTaken()).hasSize(2 * 3 * MAX_BATCH);
    }

    @Test
    void restored_under_another_shard_both_values_are_written() throws Exception {
        state = new MapShownState<>(KeyedShownState.Spread.WITHIN_SUBTASK, 0, 2);
        backlog = opened(MemorySize.ofMebiBytes(1));
        backlog.reached("m", NOW);
        String id = IntStream.range(0, 1_000)
                .mapToObj(i -> "c" + i)
                .filter(any -> ContentShards.shardOf(any) >= EventShards.SHARDS / 2)
                .findFirst()
                .orElseThrow();
        change(id, 5);
        values.save(NOW);
        backlog.save();
        MapShownState<TestValue> all = new MapShownState<>(KeyedShownState.Spread.WITHIN_SUBTASK, 0, 1);
        all.restoreFrom(state);
        assertThat(all.shardOf(id)).isNotEqualTo(state.shardOf(id));
        all.put(all.shardOf(id), TestValue.of(id, 3));
        state = all;
        backlog = opened(MemorySize.ofMebiBytes(1));
        backlog.restore();
        backlog.reached("m", NOW);

        List<Long> totals = new ArrayList<>();
        while (!backlog.isEmpty()) {
            take().forEach(taken -> totals.add(taken.item().value().total()));
        }

        assertThat(totals).contains(5L, 3L);
    }

    @Test
    void what_is_written_leaves_state_if_it_is_kept_no_longer() throws Exception {
        openedUntilWritten();
        change("a", 1);
        values.save(NOW);
        assertThat(state.size()).isOne();

        assertThat(taken()).containsExactly("a");

        assertThat(state.size()).isZero();
        assertThat(values.size()).isZero();
        assertThat(backlog.isEmpty()).isTrue();
    }

    @Test
    void a_value_that_came_while_the_one_before_was_under_way_stays_until_it_is_written_itself() throws Exception {
        openedUntilWritten();
        change("a", 1);
        values.save(NOW);
        List<Taken<TestValue>> first = backlog.take(NOW);
        change("a", 1);
        backlog.written(first.get(0));
        backlog.cameBack();

        values.save(NOW);
        assertThat(state.get(state.shardOf("a"), "a"))
                .isEqualTo(TestValue.of("a", 2).withRecent(2, LATER));
        assertThat(take()).extracting(each -> each.item().value().total()).containsExactly(2L);
        assertThat(state.size()).isZero();
    }

    @Test
    void a_value_that_came_meanwhile_and_was_forgotten_is_written_again() throws Exception {
        openedUntilWritten();
        change("a", 1);
        List<Taken<TestValue>> first = backlog.take(NOW);
        change("a", 1);
        for (int i = 0; i < MAX_PENDING; i++) {
            change("c" + i, 1);
        }
        assertThat(forgotten.getCount()).isPositive();
        // Many others come into use, and what is not under way is put aside.
        for (int i = 0; i < 1_000; i++) {
            values.held("other" + i);
        }
        backlog.written(first.get(0));
        backlog.cameBack();
        backlog.reached("m", NOW);

        assertThat(everythingTaken()).contains("a", "c0");
        assertThat(state.size()).isZero();
    }

    @Test
    void a_newer_value_that_was_put_aside_survives_what_is_written_again_of_the_older_one() throws Exception {
        openedUntilWritten();
        state.put(state.shardOf("a"), TestValue.of("a", 1));
        backlog.restore();
        backlog.reached("m", NOW);
        List<Taken<TestValue>> older = backlog.take(NOW);
        assertThat(older).hasSize(1);
        for (int i = 0; i <= MAX_PENDING; i++) {
            change(i == 0 ? "a" : "c" + i, 1);
        }
        for (int i = 0; i < 1_000; i++) {
            values.held("other" + i);
        }
        backlog.written(older.get(0));
        backlog.cameBack();
        values.save(NOW);

        assertThat(state.get(state.shardOf("a"), "a"))
                .extracting(TestValue::total)
                .isEqualTo(2L);
        backlog.reached("m", NOW);
        assertThat(everythingTaken()).contains("a");
        assertThat(state.size()).isZero();
    }

    @Test
    void after_a_restore_all_that_state_holds_is_written_and_leaves() throws Exception {
        openedUntilWritten();
        for (int i = 0; i < MAX_PENDING; i++) {
            change("c" + i, 1);
        }
        taken();
        change("late", 1);
        values.save(NOW);
        backlog.save();
        openedUntilWritten();
        backlog.restore();
        assertThat(backlog.isEmpty()).isFalse();
        backlog.reached("m", NOW);

        assertThat(everythingTaken()).containsExactly("late");
        assertThat(state.size()).isZero();
    }

    @Test
    void a_restore_without_values_has_nothing_to_write() throws Exception {
        openedUntilWritten();
        backlog.restore();

        assertThat(backlog.isEmpty()).isTrue();
    }

    private void openedUntilWritten() {
        keeping = Keeping.UNTIL_WRITTEN;
        rewriteOrder = WriteBackPlan.wholeValues();
        backlog = opened(MemorySize.ofMebiBytes(1));
    }

    private void checkpointAndRestore() throws Exception {
        values.save(NOW);
        backlog.save();
        backlog = opened(MemorySize.ofMebiBytes(1));
        backlog.restore();
    }

    private Backlog<TestValue> opened(MemorySize maxPending) {
        return opened(maxPending, MAX_PENDING);
    }

    private Backlog<TestValue> opened(MemorySize maxPending, int maxPendingEntries) {
        values = new WriteBackCache<>(state, 20, WriteBackCache.MAX_HELD_BYTES);
        return new Backlog<>(
                values,
                state,
                keeping,
                rewriteOrder,
                new WriterLimits(
                        maxPendingEntries,
                        maxPending,
                        MAX_BATCH,
                        MemorySize.ofMebiBytes(1),
                        Duration.ofMillis(5),
                        Duration.ofSeconds(15)),
                coalesced,
                forgotten);
    }

    private void change(String id, long events) throws Exception {
        Held<TestValue> place = values.held(id);
        TestValue known = place.value == null ? TestValue.of(id, 0) : place.value;
        TestValue sum = TestValue.of(id, known.total() + events).withRecent(known.recent() + events, LATER);
        backlog.changed(place, sum, TestValue.TOTAL | TestValue.RECENT);
    }

    /** Takes a batch, which is written. */
    private List<Taken<TestValue>> take() throws Exception {
        List<Taken<TestValue>> batch = backlog.take(NOW);
        for (Taken<TestValue> taken : batch) {
            backlog.written(taken);
        }
        backlog.cameBack();
        return batch;
    }

    private List<String> taken() throws Exception {
        return take().stream().map(taken -> taken.item().value().id()).toList();
    }

    private List<String> everythingTaken() throws Exception {
        List<String> all = new ArrayList<>();
        while (!backlog.isEmpty()) {
            all.addAll(taken());
        }
        return all;
    }
}
