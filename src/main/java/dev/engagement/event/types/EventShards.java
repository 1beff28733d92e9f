package dev.engagement.event.types;

import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EnrichedEvent;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.functions.KeySelector;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;

/**
 * How events are spread: by {@code id mod SHARDS}, so that consecutive ids go round evenly whatever the popularity of a
 * content, and each shard's ids are as dense as all ids are. Of an id that is a text its hash counts.
 *
 * <p>The key of a shard is a number chosen so that Flink puts each shard into a key group of its own: every subtask owns
 * as many shards as any other, give or take one. The numbers are part of every savepoint and never change.
 */
public final class EventShards {

    /** Number of shards, and the maximum parallelism at which each has its own key group. */
    public static final int SHARDS = 128;

    /** Type of a shard's key. */
    public static final TypeInformation<Integer> KEY_TYPE = Types.INT;

    private static final Integer[] KEYS = keys();

    private EventShards() {}

    /** The shard of an event id, 0 to {@link #SHARDS} - 1. */
    public static int shardOf(long eventId) {
        return (int) Math.floorMod(eventId, (long) SHARDS);
    }

    /** The key under which a shard's state is kept. */
    public static Integer keyOf(int shard) {
        return KEYS[shard];
    }

    /** Keys events by shard. */
    public static KeySelector<EngagementEvent, Integer> ofEvents() {
        return event -> KEYS[shardOf(event.id())];
    }

    /** Keys enriched events by shard. */
    public static KeySelector<EnrichedEvent, Integer> ofEnriched() {
        return enriched -> KEYS[shardOf(enriched.event().id())];
    }

    /** For each shard the smallest number that Flink assigns to the key group of the same number. */
    private static Integer[] keys() {
        Integer[] keys = new Integer[SHARDS];
        int missing = SHARDS;
        for (int candidate = 0; missing > 0; candidate++) {
            int group = KeyGroupRangeAssignment.assignToKeyGroup(candidate, SHARDS);
            if (keys[group] == null) {
                keys[group] = candidate;
                missing--;
            }
        }
        return keys;
    }
}
