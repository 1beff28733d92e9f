package dev.engagement.pipeline;

import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.RollupRow;
import dev.engagement.liveview.LiveViewOptions;
import dev.engagement.liveview.LiveViewRules;
import dev.engagement.liveview.sink.LiveViewStreams;
import dev.engagement.rollup.RollupOptions;
import dev.engagement.rollup.Rollups;
import dev.engagement.rollup.sink.RollupStreams;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.jspecify.annotations.Nullable;

/** Rollups with their history in PostgreSQL, and shown in the live view if there is one. */
public final class PostgresRollups implements Destinations.Rollups {

    private final RollupOptions options;
    private final @Nullable LiveViewStreams view;

    /**
     * Rollups at {@code options}.
     *
     * @param liveView where they are shown, or null
     */
    public PostgresRollups(RollupOptions options, @Nullable LiveViewOptions liveView, LiveViewRules rules) {
        this.options = options;
        this.view = liveView == null ? null : new LiveViewStreams(liveView, rules);
    }

    @Override
    public void keep(DataStream<EnrichedEvent> unique) {
        DataStream<RollupRow> rows = Rollups.of(unique, options, view != null, OperatorIds.ROLLUPS);
        RollupStreams.tables(rows, options, OperatorIds.ROLLUP_TABLES);
        if (view != null) {
            view.rollups(rows, options.shapes(), OperatorIds.LIVE_VIEW_ROLLUPS);
        }
    }
}
