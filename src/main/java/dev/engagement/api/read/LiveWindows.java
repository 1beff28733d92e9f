package dev.engagement.api.read;

import dev.engagement.event.RollupShape;
import dev.engagement.liveview.LiveViewKeys;
import dev.engagement.rollup.definition.KeyPart;
import dev.engagement.rollup.definition.Measure;
import dev.engagement.rollup.definition.RollupDefinition;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The windows of rollups in the live view: those of the last hour, the open ones among them. */
final class LiveWindows {

    private final RedisStore redis;
    private final LiveViewKeys keys;

    LiveWindows(RedisStore redis, LiveViewKeys keys) {
        this.redis = redis;
        this.keys = keys;
    }

    /** The sorted set of a key's windows. */
    String set(RollupDefinition definition, List<String> key) {
        return keys.windows(shape(definition), key);
    }

    private static RollupShape shape(RollupDefinition definition) {
        return new RollupShape(
                definition.name(),
                definition.eventKey().stream().map(KeyPart::column).toList(),
                definition.measures().stream().map(Measure::column).toList(),
                definition.hasWindowSize() ? definition.windowSizeText() : null,
                definition.countsUsers(),
                definition.live());
    }

    /**
     * The newest windows of a key, newest first.
     *
     * @param beforeMillis only those that begin before; null: all
     * @param limit how many at most
     */
    List<RollupWindow> newest(RollupDefinition definition, List<String> key, @Nullable Long beforeMillis, int limit)
            throws UnavailableException {
        String set = set(definition, key);
        List<String> members = redis.ask(pipeline -> beforeMillis == null
                ? pipeline.zrevrange(set, 0, limit - 1L)
                // The score is a window's end.
                : pipeline.zrevrangeByScore(set, "(" + (beforeMillis + definition.windowMillis()), "-inf", 0, limit));
        return windows(members, definition);
    }

    /** What members of a sorted set say, in their order. */
    static List<RollupWindow> windows(List<String> members, RollupDefinition definition) {
        List<RollupWindow> windows = new ArrayList<>(members.size());
        for (String member : members) {
            RollupWindow window = RollupWindow.of(member, definition);
            if (window != null) {
                windows.add(window);
            }
        }
        return windows;
    }
}
