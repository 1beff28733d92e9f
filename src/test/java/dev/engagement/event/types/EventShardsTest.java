package dev.engagement.event.types;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.Samples;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.junit.jupiter.api.Test;

class EventShardsTest {

    @Test
    void every_subtask_owns_as_many_shards_as_any_other_give_or_take_one() {
        for (int parallelism : new int[] {1, 2, 3, 4, 5, 7, 16, 128}) {
            int[] owned = new int[parallelism];
            for (int shard = 0; shard < EventShards.SHARDS; shard++) {
                owned[
                        KeyGroupRangeAssignment.assignKeyToParallelOperator(
                                EventShards.keyOf(shard), EventShards.SHARDS, parallelism)]++;
            }
            assertThat(IntStream.of(owned).max().getAsInt()
                            - IntStream.of(owned).min().getAsInt())
                    .as("parallelism " + parallelism)
                    .isLessThanOrEqualTo(1);
        }
    }

    @Test
    void any_id_has_a_shard() {
        assertThat(LongStream.of(0, 1, 127, 128, -1, Long.MAX_VALUE, Long.MIN_VALUE)
                        .mapToInt(EventShards::shardOf))
                .containsExactly(0, 1, 127, 0, 127, 127, 0);
    }

    /** The numbers are part of every savepoint: another table would look for ids where they are not. */
    @Test
    void the_keys_never_change() {
        int hash = 1;
        for (int shard = 0; shard < EventShards.SHARDS; shard++) {
            hash = 31 * hash + EventShards.keyOf(shard);
        }
        assertThat(new int[] {EventShards.keyOf(0), EventShards.keyOf(1), EventShards.keyOf(127), hash})
                .containsExactly(KEYS);
    }

    private static final int[] KEYS = {312, 13, 2, -1626147418};

    @Test
    void events_and_enriched_events_of_one_id_share_a_key() throws Exception {
        for (long id : new long[] {0, 5, 1_000_003, -7}) {
            assertThat(EventShards.ofEvents().getKey(Samples.event(id, 1)))
                    .isEqualTo(EventShards.ofEnriched().getKey(Samples.enriched(id, 1)));
        }
    }
}
