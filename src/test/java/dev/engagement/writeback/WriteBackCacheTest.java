package dev.engagement.writeback;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.writeback.WriteBackCache.Held;
import dev.engagement.writeback.testing.MapShownState;
import org.junit.jupiter.api.Test;

class WriteBackCacheTest {

    private static final long NOW = 1_767_882_112_000L;
    private static final long HOUR = 3_600_000;
    private static final int MAX_HELD = 100;

    private final MapShownState<TestValue> state = new MapShownState<>(KeyedShownState.Spread.BY_CONTENT, 0, 1);
    private final WriteBackCache<TestValue> values =
            new WriteBackCache<>(state, MAX_HELD, WriteBackCache.MAX_HELD_BYTES);

    @Test
    void a_value_in_use_is_read_from_state_once() throws Exception {
        state.put(state.shardOf("a"), TestValue.of("a", 3));

        for (int i = 0; i < 10; i++) {
            assertThat(values.held("a").value()).isEqualTo(TestValue.of("a", 3));
        }
        assertThat(state.reads).isOne();
    }

    @Test
    void those_longest_unused_make_room_and_lose_nothing() throws Exception {
        for (int i = 0; i < 10 * MAX_HELD; i++) {
            count("c" + i, i);
            assertThat(values.size()).isLessThanOrEqualTo(MAX_HELD);
        }
        for (int i = 0; i < 10 * MAX_HELD; i++) {
            assertThat(values.held("c" + i).value()).isEqualTo(TestValue.of("c" + i, i));
        }
    }

    @Test
    void what_is_still_to_be_written_stays() throws Exception {
        for (int i = 0; i < 3 * MAX_HELD; i++) {
            count("c" + i, 1).queued = true;
        }
        assertThat(values.size()).isEqualTo(3 * MAX_HELD);

        for (int i = 0; i < 3 * MAX_HELD; i++) {
            values.held("c" + i).queued = false;
        }
        for (int i = 0; i < 1_000; i++) {
            count("d" + i, 1);
        }
        assertThat(values.size()).isLessThanOrEqualTo(MAX_HELD);
    }

    @Test
    void large_values_make_room_before_there_are_many() throws Exception {
        long limit = 1_000_000;
        WriteBackCache<TestValue> few = new WriteBackCache<>(state, MAX_HELD, limit);
        for (int i = 0; i < 50; i++) {
            few.replace(few.held("c" + i), large("c" + i));
            assertThat(few.bytes()).isLessThan(limit + 300_000);
        }
        assertThat(few.size()).isPositive();
        for (int i = 0; i < 50; i++) {
            assertThat(few.held("c" + i).value()).isEqualTo(large("c" + i));
        }
    }

    @Test
    void bytes_follow_what_is_held() throws Exception {
        for (int i = 0; i < 1_000; i++) {
            String id = "c" + i % 150;
            values.replace(values.held(id), TestValue.of(id, i).until(NOW + HOUR));
        }
        values.save(NOW + 2 * HOUR);
        sweepAll(NOW + 2 * HOUR);

        assertThat(values.size()).isZero();
        assertThat(values.bytes()).isZero();
        assertThat(state.size()).isZero();
    }

    @Test
    void state_is_written_when_it_is_asked_for_and_not_before() throws Exception {
        count("a", 1);
        count("a", 2);
        assertThat(state.size()).isZero();

        values.save(NOW);

        assertThat(state.get(state.shardOf("a"), "a")).isEqualTo(TestValue.of("a", 2));
    }

    @Test
    void what_is_over_leaves_state_and_heap_whether_it_was_in_use_or_not() throws Exception {
        state.put(state.shardOf("stored"), TestValue.of("stored", 1).until(NOW + HOUR));
        values.replace(values.held("held"), TestValue.of("held", 2).until(NOW + HOUR));
        values.replace(values.held("alive"), TestValue.of("alive", 3).until(NOW + 2 * HOUR));
        values.save(NOW);

        sweepAll(NOW + HOUR);

        assertThat(state.size()).isOne();
        assertThat(values.size()).isOne();
        assertThat(values.held("alive").value()).isNotNull();
        assertThat(values.held("held").value()).isNull();
    }

    @Test
    void what_is_over_but_still_to_be_written_or_saved_stays_where_it_is() throws Exception {
        Held<TestValue> queued = values.held("queued");
        values.replace(queued, TestValue.of("queued", 1).until(NOW + HOUR));
        values.save(NOW);
        queued.queued = true;

        sweepAll(NOW + HOUR);

        assertThat(values.held("queued")).isSameAs(queued);
    }

    @Test
    void a_part_that_is_over_leaves_and_the_rest_stays_for_ever() throws Exception {
        state.put(state.shardOf("a"), TestValue.of("a", 7).withRecent(7, NOW + HOUR));
        values.replace(values.held("b"), TestValue.of("b", 8).withRecent(8, NOW + HOUR));
        values.save(NOW);

        sweepAll(NOW + HOUR);

        assertThat(state.get(state.shardOf("a"), "a"))
                .isEqualTo(TestValue.of("a", 7).withRecent(0, 0));
        assertThat(state.get(state.shardOf("b"), "b"))
                .isEqualTo(TestValue.of("b", 8).withRecent(0, 0));
        assertThat(values.held("b").value()).isEqualTo(TestValue.of("b", 8).withRecent(0, 0));
    }

    @Test
    void all_values_of_a_shard_are_the_newest_and_of_another_shard_its_own() throws Exception {
        int shard = state.shardOf("a");
        int other = (shard + 1) % 128;
        state.put(shard, TestValue.of("a", 1));
        state.put(other, TestValue.of("a", 9));
        count("a", 2);

        assertThat(values.all(shard)).containsExactly(TestValue.of("a", 2));
        assertThat(values.all(other)).containsExactly(TestValue.of("a", 9));
    }

    @Test
    void what_is_discarded_leaves_heap_and_state_whether_it_was_saved_or_not() throws Exception {
        count("saved", 1);
        values.save(NOW);
        count("unsaved", 2);
        state.put(state.shardOf("stored"), TestValue.of("stored", 3));

        for (TestValue value :
                new TestValue[] {TestValue.of("saved", 1), TestValue.of("unsaved", 2), TestValue.of("stored", 3)}) {
            values.discard(state.shardOf(value.id()), value);
        }
        values.save(NOW);

        assertThat(state.size()).isZero();
        assertThat(values.size()).isZero();
        assertThat(values.bytes()).isZero();
    }

    @Test
    void what_took_the_place_of_what_is_discarded_stays() throws Exception {
        count("held", 1);
        values.save(NOW);
        count("held", 2);
        state.put(state.shardOf("stored"), TestValue.of("stored", 2));
        count("waits", 1).queued = true;

        values.discard(state.shardOf("held"), TestValue.of("held", 1));
        values.discard(state.shardOf("stored"), TestValue.of("stored", 1));
        values.discard(state.shardOf("waits"), TestValue.of("waits", 1));
        values.save(NOW);

        assertThat(state.get(state.shardOf("held"), "held")).isEqualTo(TestValue.of("held", 2));
        assertThat(state.get(state.shardOf("stored"), "stored")).isEqualTo(TestValue.of("stored", 2));
        assertThat(state.get(state.shardOf("waits"), "waits")).isEqualTo(TestValue.of("waits", 1));
    }

    @Test
    void a_place_that_was_discarded_can_be_taken_again() throws Exception {
        count("a", 1);
        values.discard(state.shardOf("a"), TestValue.of("a", 1));
        assertThat(values.held("a").value()).isNull();
        count("a", 2);
        values.save(NOW);

        assertThat(state.get(state.shardOf("a"), "a")).isEqualTo(TestValue.of("a", 2));
    }

    private void sweepAll(long nowMillis) throws Exception {
        for (int shard : state.shards()) {
            values.sweep(shard, nowMillis);
        }
    }

    private Held<TestValue> count(String id, long total) throws Exception {
        Held<TestValue> place = values.held(id);
        values.replace(place, TestValue.of(id, total));
        return place;
    }

    private static TestValue large(String id) {
        return TestValue.of(id, 1).ofBytes(200_000);
    }
}
