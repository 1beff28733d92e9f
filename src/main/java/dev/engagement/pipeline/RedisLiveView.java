package dev.engagement.pipeline;

import dev.engagement.event.ContentChange;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.Standings;
import dev.engagement.liveview.LiveViewOptions;
import dev.engagement.liveview.LiveViewRules;
import dev.engagement.liveview.sink.LiveViewStreams;
import org.apache.flink.streaming.api.datastream.DataStream;

/** The live view in Redis. */
public final class RedisLiveView implements Destinations.LiveView {

    private final LiveViewStreams view;

    /** A live view at {@code options}. */
    public RedisLiveView(LiveViewOptions options, LiveViewRules rules) {
        this.view = new LiveViewStreams(options, rules);
    }

    @Override
    public void show(
            DataStream<EnrichedEvent> unique,
            DataStream<Standings> standings,
            DataStream<ContentChange> contentChanges) {
        view.lastEvents(unique, OperatorIds.LIVE_VIEW_LAST);
        view.counts(unique, OperatorIds.LIVE_VIEW_COUNT_PARTIALS, OperatorIds.LIVE_VIEW_COUNTS);
        view.boards(standings, OperatorIds.LIVE_VIEW_BOARDS);
        view.contents(contentChanges, OperatorIds.LIVE_VIEW_CONTENT_CHANGES, OperatorIds.LIVE_VIEW_CONTENTS);
    }
}
