package dev.engagement.liveview.sink;

import dev.engagement.liveview.LiveValue;
import dev.engagement.liveview.LiveViewKeys;
import dev.engagement.liveview.ScriptedWrite;
import dev.engagement.liveview.Tally;
import dev.engagement.writeback.Item;
import java.util.List;

/** The writes of values, as a batch makes them. */
final class Writes {

    private Writes() {}

    /** Every write of a value, at this moment. */
    static List<ScriptedWrite> of(LiveValue value, LiveViewKeys keys) {
        Batch batch = new Batch(List.of(new Item<>(value, LiveValue.ALL_PARTS)), List.of());
        batch.encode(keys, System.currentTimeMillis());
        return batch.writes;
    }

    /** The one write of a value. */
    static ScriptedWrite one(LiveValue value, LiveViewKeys keys) {
        List<ScriptedWrite> writes = of(value, keys);
        if (writes.size() != 1) {
            throw new AssertionError("Not one write: " + writes);
        }
        return writes.get(0);
    }

    /** The write of a count. */
    static ScriptedWrite count(String contentId, long total, LiveViewKeys keys) {
        return one(Tally.none(contentId).plus(total), keys);
    }
}
