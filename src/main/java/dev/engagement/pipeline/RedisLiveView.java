package dev.engagement.pipeline;

import dev.engagement.event.ContentChange;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.liveview.LiveValue;
import dev.engagement.liveview.LiveViewOptions;
import dev.engagement.liveview.LiveViewRules;
import dev.engagement.liveview.sink.LiveViewMappings;
import dev.engagement.liveview.sink.LiveViewStreams;
import dev.engagement.liveview.sink.RedisSink;
import org.apache.flink.streaming.api.datastream.DataStream;

/** The live view in Redis: three sinks, each chained to what feeds it. */
public final class RedisLiveView implements Destinations.LiveView {

    private final LiveViewOptions options;
    private final LiveViewRules rules;

    /** A live view at {@code options}. */
    public RedisLiveView(LiveViewOptions options, LiveViewRules rules) {
        this.options = options;
        this.rules = rules;
    }

    @Override
    public void show(DataStream<EnrichedEvent> unique, DataStream<ContentChange> contentChanges) {
        unique.sinkTo(RedisSink.<EnrichedEvent>builder()
                        .options(options)
                        .mapping(LiveViewMappings.last(rules))
                        .name("last")
                        .build())
                .uid(OperatorIds.LIVE_VIEW_LAST)
                .name("live view: last events");
        LiveViewStreams.counts(unique, OperatorIds.LIVE_VIEW_COUNT_PARTIALS, OperatorIds.LIVE_VIEW_COUNT_TOTALS)
                .sinkTo(sink("counts"))
                .uid(OperatorIds.LIVE_VIEW_COUNTS)
                .name("live view: counts");
        LiveViewStreams.metas(
                        contentChanges, OperatorIds.LIVE_VIEW_CONTENT_CHANGES, OperatorIds.LIVE_VIEW_CONTENT_METAS)
                .sinkTo(sink("metas"))
                .uid(OperatorIds.LIVE_VIEW_METAS)
                .name("live view: contents");
    }

    private RedisSink<LiveValue> sink(String name) {
        return RedisSink.<LiveValue>builder()
                .options(options)
                .mapping(LiveViewMappings.values())
                .name(name)
                .build();
    }
}
