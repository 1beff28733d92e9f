package dev.engagement.rollup;

import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.RollupRow;
import dev.engagement.event.types.EventShards;
import dev.engagement.event.types.RollupRowType;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;

/** The stage that keeps the rollups. */
public final class Rollups {

    private Rollups() {}

    /**
     * The uids of the two operators; a stage's name is what the Flink UI shows.
     *
     * @param partials of the stateless first one, where the events are
     * @param cells of the one that holds the cells, by rollup and key
     */
    public record Uids(String partials, String cells) {}

    /**
     * The value of each cell whenever event time passes the end of its window, again when late events change it, and now
     * and then while the window is open.
     *
     * @param unique every event once, with the watermarks of the events' topic
     * @param live whether a live view shows them; if not, values of open windows are told of with
     *     {@link RollupOptions#early} only
     */
    public static SingleOutputStreamOperator<RollupRow> of(
            DataStream<EnrichedEvent> unique, RollupOptions options, boolean live, Uids uids) {
        return unique.transform("rollup partials", RollupPartial.TYPE, new RollupPartials(options))
                .uid(uids.partials())
                .keyBy(RollupPartial::shardKey, EventShards.KEY_TYPE)
                .transform("rollup cells", RollupRowType.ROW, new RollupCellsFactory(options, live))
                .uid(uids.cells());
    }
}
