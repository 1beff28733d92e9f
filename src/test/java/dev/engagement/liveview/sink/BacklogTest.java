package dev.engagement.liveview.sink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.types.ContentShards;
import dev.engagement.event.types.EventShards;
import dev.engagement.liveview.LiveValue;
import dev.engagement.liveview.Tally;
import dev.engagement.liveview.sink.Backlog.Item;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.metrics.SimpleCounter;
import org.junit.jupiter.api.Test;

class BacklogTest {

    private static final long NOW = 1_767_882_112_000L;
    private static final long MINUTE = NOW / 60_000;
    private static final int MAX_PENDING = 50;
    private static final int MAX_BATCH = 200;

    private final SimpleCounter coalesced = new SimpleCounter();
    private final SimpleCounter forgotten = new SimpleCounter();
    private MapShownState state = new MapShownState(KeyedShownState.Spread.BY_CONTENT, 0, 1);
    private WriteBackCache values;
    private Backlog backlog = opened(MemorySize.ofMebiBytes(1));

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
    void buckets_come_before_counts_which_follow_gently() throws Exception {
        backlog.reached("m", NOW);
        for (int i = 0; i < 3 * MAX_BATCH; i++) {
            change("c" + i, 1);
            taken();
        }
        backlog.reached("other", NOW);

        List<List<Item>> batches = new ArrayList<>();
        while (!backlog.isEmpty()) {
            batches.add(take());
        }

        int contents = 3 * MAX_BATCH;
        List<Item> items = batches.stream().flatMap(List::stream).toList();
        assertThat(items.subList(0, contents)).extracting(Item::parts).containsOnly(Tally.MINUTE_PARTS);
        assertThat(items.subList(contents, 2 * contents))
                .extracting(Item::parts)
                .containsOnly(Tally.TOTAL_PART);
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
    void contents_without_a_live_minute_do_not_fill_batches_of_buckets() throws Exception {
        backlog.reached("m", NOW);
        for (int i = 0; i < 500; i++) {
            WriteBackCache.Held place = values.held("c" + i);
            backlog.changed(place, Tally.none("c" + i).plus(1), Tally.TOTAL_PART);
            taken();
        }
        backlog.reached("other", NOW);

        List<List<Item>> batches = new ArrayList<>();
        while (!backlog.isEmpty()) {
            batches.add(take());
        }
        assertThat(batches.stream().flatMap(List::stream))
                .hasSize(500)
                .extracting(Item::parts)
                .containsOnly(Tally.TOTAL_PART);
        assertThat(batches).hasSizeLessThanOrEqualTo(500 / Backlog.GENTLE + 1);
    }

    @Test
    void a_memory_that_is_lost_during_a_rewrite_begins_another_one() throws Exception {
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
        List<Item> batch = backlog.take(NOW);
        batch.forEach(item -> backlog.failed(item, item.parts()));
        backlog.cameBack();

        assertThat(take()).containsExactlyInAnyOrderElementsOf(batch);
        assertThat(backlog.rewrites()).isOne();
    }

    @Test
    void a_value_that_changes_while_it_is_under_way_is_sent_again_with_the_parts_that_changed() throws Exception {
        backlog.reached("m", NOW);
        change("a", 1);
        List<Item> first = backlog.take(NOW);
        WriteBackCache.Held place = values.held("a");
        backlog.changed(place, ((Tally) place.value).plus(1), Tally.TOTAL_PART);
        backlog.failed(first.get(0), Tally.partOf(MINUTE));
        backlog.cameBack();

        List<Item> second = take();

        assertThat(second).hasSize(1);
        assertThat(second.get(0).parts()).isEqualTo(Tally.TOTAL_PART | Tally.partOf(MINUTE));
        assertThat(((Tally) second.get(0).value()).total()).isEqualTo(2);
        assertThat(coalesced.getCount()).as("it did not wait").isZero();
    }

    @Test
    void parts_that_change_one_after_the_other_leave_together() throws Exception {
        backlog.reached("m", NOW);
        WriteBackCache.Held place = values.held("a");
        backlog.changed(place, Tally.none("a").plusInMinute(MINUTE, 1), Tally.partOf(MINUTE));
        backlog.changed(place, Tally.none("a").plusInMinute(MINUTE, 1).plus(1), Tally.TOTAL_PART);

        assertThat(take()).extracting(Item::parts).containsExactly(Tally.TOTAL_PART | Tally.partOf(MINUTE));
    }

    @Test
    void restored_from_subtasks_that_knew_different_memories_everything_is_written_again() throws Exception {
        int[] shards = state.shards();
        for (int shard : shards) {
            state.dirty(shard, new DirtySet(false, List.of(), shard == shards[3] ? "one" : "two"));
        }
        backlog = opened(MemorySize.ofMebiBytes(1));
        backlog.restore();
        assertThat(backlog.isEmpty()).as("it is not known what Redis remembers").isFalse();

        backlog.reached("two", NOW);

        assertThat(backlog.rewrites()).isOne();
    }

    @Test
    void restored_with_the_memory_that_redis_still_has_nothing_is_written_again() throws Exception {
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
    void restored_under_another_shard_both_values_are_shown() throws Exception {
        state = new MapShownState(KeyedShownState.Spread.WITHIN_SUBTASK, 0, 2);
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
        MapShownState all = new MapShownState(KeyedShownState.Spread.WITHIN_SUBTASK, 0, 1);
        all.restoreFrom(state);
        assertThat(all.shardOf(id)).isNotEqualTo(state.shardOf(id));
        all.put(all.shardOf(id), Tally.none(id).plus(3));
        state = all;
        backlog = opened(MemorySize.ofMebiBytes(1));
        backlog.restore();
        backlog.reached("m", NOW);

        List<Long> totals = new ArrayList<>();
        while (!backlog.isEmpty()) {
            take().forEach(item -> totals.add(((Tally) item.value()).total()));
        }

        assertThat(totals).contains(5L, 3L);
    }

    private void checkpointAndRestore() throws Exception {
        values.save(NOW);
        backlog.save();
        backlog = opened(MemorySize.ofMebiBytes(1));
        backlog.restore();
    }

    private Backlog opened(MemorySize maxPending) {
        return opened(maxPending, MAX_PENDING);
    }

    private Backlog opened(MemorySize maxPending, int maxPendingEntries) {
        values = new WriteBackCache(state, 20, WriteBackCache.MAX_HELD_BYTES);
        return new Backlog(
                values,
                state,
                LiveViewMappings.tallies().rewriteOrder(),
                new WriterLimits(
                        maxPendingEntries,
                        maxPending,
                        MAX_BATCH,
                        MemorySize.ofMebiBytes(1),
                        Duration.ofMillis(5),
                        Duration.ofSeconds(15),
                        MemorySize.ofMebiBytes(1)),
                coalesced,
                forgotten);
    }

    private void change(String id, long events) throws Exception {
        WriteBackCache.Held place = values.held(id);
        LiveValue tally = (place.value instanceof Tally known ? known : Tally.none(id))
                .plus(events)
                .plusInMinute(MINUTE, events);
        backlog.changed(place, tally, Tally.TOTAL_PART | Tally.partOf(MINUTE));
    }

    /** Takes a batch, which is shown. */
    private List<Item> take() throws Exception {
        List<Item> batch = backlog.take(NOW);
        batch.forEach(backlog::shown);
        backlog.cameBack();
        return batch;
    }

    private List<String> taken() throws Exception {
        return take().stream().map(item -> item.value().id()).toList();
    }

    private List<String> everythingTaken() throws Exception {
        List<String> all = new ArrayList<>();
        while (!backlog.isEmpty()) {
            all.addAll(taken());
        }
        return all;
    }
}
