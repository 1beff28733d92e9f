package dev.engagement.liveview.sink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.EnrichedEvent;
import dev.engagement.liveview.LiveValue;
import dev.engagement.liveview.Samples;
import dev.engagement.liveview.Tally;
import dev.engagement.liveview.sink.WriteBackCache.Held;
import org.junit.jupiter.api.Test;

class WriteBackCacheTest {

    private static final long NOW = 1_767_882_112_000L;
    private static final long HOUR = 3_600_000;
    private static final int MAX_HELD = 100;

    private final MapShownState state = new MapShownState(KeyedShownState.Spread.BY_CONTENT, 0, 1);
    private final WriteBackCache values = new WriteBackCache(state, MAX_HELD, WriteBackCache.MAX_HELD_BYTES);

    @Test
    void a_value_in_use_is_read_from_state_once() throws Exception {
        state.put(state.shardOf("a"), Tally.none("a").plus(3));

        for (int i = 0; i < 10; i++) {
            assertThat(values.held("a").value()).isEqualTo(Tally.none("a").plus(3));
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
            assertThat(values.held("c" + i).value())
                    .isEqualTo(Tally.none("c" + i).plus(i));
        }
    }

    @Test
    void what_is_still_to_be_shown_stays() throws Exception {
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
        WriteBackCache few = new WriteBackCache(state, MAX_HELD, limit);
        String payload = "\"" + "x".repeat(100_000) + "\"";
        for (int i = 0; i < 50; i++) {
            few.replace(few.held("c" + i), large("c" + i, payload));
            assertThat(few.bytes()).isLessThan(limit + 300_000);
        }
        assertThat(few.size()).isPositive();
        for (int i = 0; i < 50; i++) {
            assertThat(few.held("c" + i).value()).isEqualTo(large("c" + i, payload));
        }
    }

    @Test
    void bytes_follow_what_is_held() throws Exception {
        for (int i = 0; i < 1_000; i++) {
            values.replace(values.held("c" + i % 150), Samples.last("c" + i % 150, i, NOW * 1_000));
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

        assertThat(state.get(state.shardOf("a"), "a")).isEqualTo(Tally.none("a").plus(2));
    }

    @Test
    void what_is_over_leaves_state_and_heap_whether_it_was_in_use_or_not() throws Exception {
        state.put(state.shardOf("stored"), Samples.last("stored", 1, NOW * 1_000));
        values.replace(values.held("held"), Samples.last("held", 2, NOW * 1_000));
        values.replace(values.held("alive"), Samples.last("alive", 3, (NOW + HOUR) * 1_000));
        values.save(NOW);

        sweepAll(NOW + HOUR);

        assertThat(state.size()).isOne();
        assertThat(values.size()).isOne();
        assertThat(values.held("alive").value()).isNotNull();
        assertThat(values.held("held").value()).isNull();
    }

    @Test
    void what_is_over_but_still_to_be_shown_or_saved_stays_where_it_is() throws Exception {
        Held queued = values.held("queued");
        values.replace(queued, Samples.last("queued", 1, NOW * 1_000));
        values.save(NOW);
        queued.queued = true;

        sweepAll(NOW + HOUR);

        assertThat(values.held("queued")).isSameAs(queued);
    }

    @Test
    void minutes_that_are_over_leave_and_totals_stay_for_ever() throws Exception {
        long minute = NOW / 60_000;
        state.put(state.shardOf("a"), Tally.none("a").plus(7).plusInMinute(minute, 7));
        values.replace(values.held("b"), Tally.none("b").plus(8).plusInMinute(minute, 8));
        values.save(NOW);

        sweepAll(NOW + HOUR);

        assertThat(state.get(state.shardOf("a"), "a")).isEqualTo(Tally.none("a").plus(7));
        assertThat(state.get(state.shardOf("b"), "b")).isEqualTo(Tally.none("b").plus(8));
        assertThat(values.held("b").value()).isEqualTo(Tally.none("b").plus(8));
    }

    @Test
    void all_values_of_a_shard_are_the_newest_and_of_another_shard_its_own() throws Exception {
        int shard = state.shardOf("a");
        int other = (shard + 1) % 128;
        state.put(shard, Tally.none("a").plus(1));
        state.put(other, Tally.none("a").plus(9));
        count("a", 2);

        assertThat(values.all(shard)).containsExactly(Tally.none("a").plus(2));
        assertThat(values.all(other)).containsExactly(Tally.none("a").plus(9));
    }

    private void sweepAll(long nowMillis) throws Exception {
        for (int shard : state.shards()) {
            values.sweep(shard, nowMillis);
        }
    }

    private Held count(String id, long total) throws Exception {
        Held place = values.held(id);
        values.replace(place, Tally.none(id).plus(total));
        return place;
    }

    private static LiveValue large(String id, String payload) {
        EnrichedEvent event = Samples.event(id, 1, NOW * 1_000, "web", payload, false);
        return new LiveValue.Last(event);
    }
}
