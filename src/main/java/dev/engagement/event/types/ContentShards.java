package dev.engagement.event.types;

import org.apache.flink.util.MathUtils;

/**
 * How contents are spread over the same {@link EventShards#SHARDS} keys, for what is kept by content. The spread is part
 * of every savepoint and never changes.
 */
public final class ContentShards {

    private ContentShards() {}

    /** The shard of a content id, 0 to {@link EventShards#SHARDS} - 1: even for consecutive numbers as for UUIDs. */
    public static int shardOf(String contentId) {
        return MathUtils.murmurHash(contentId.hashCode()) % EventShards.SHARDS;
    }

    /** The key under which a content's state is kept. */
    public static Integer keyOf(String contentId) {
        return EventShards.keyOf(shardOf(contentId));
    }
}
