package dev.engagement.liveview.sink;

import dev.engagement.event.ContentChange;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.Standings;
import dev.engagement.event.types.ContentShards;
import dev.engagement.event.types.EventShards;
import dev.engagement.liveview.LiveViewOptions;
import dev.engagement.liveview.LiveViewRules;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.DataStreamUtils;
import org.apache.flink.streaming.api.datastream.KeyedStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;

/**
 * What of the pipeline is shown in Redis, each stream ending in an operator that keeps what it shows in state. Callers give
 * the uids.
 *
 * <pre>{@code
 * LiveViewStreams view = new LiveViewStreams(options, rules);
 * view.lastEvents(unique, OperatorIds.LIVE_VIEW_LAST);
 * }</pre>
 */
public final class LiveViewStreams {

    private final LiveViewOptions options;
    private final LiveViewRules rules;
    private final WriterLimits limits;

    /** Shown at {@code options}. */
    public LiveViewStreams(LiveViewOptions options, LiveViewRules rules) {
        this(options, rules, WriterLimits.DEFAULT);
    }

    LiveViewStreams(LiveViewOptions options, LiveViewRules rules, WriterLimits limits) {
        this.options = options;
        this.rules = rules;
        this.limits = limits;
    }

    /**
     * The last event of each content, and single events if they are cached. Nothing crosses the network: each subtask has
     * a last event of its own for a content, of which Redis keeps the newest.
     *
     * @param unique every event once, on the subtask that owns its shard
     */
    public void lastEvents(DataStream<EnrichedEvent> unique, String uid) {
        var unused = end(
                DataStreamUtils.reinterpretAsKeyedStream(unique, EventShards.ofEnriched(), EventShards.KEY_TYPE),
                uid,
                "last",
                "live view: last events",
                LiveViewMappings.last(rules),
                KeyedShownState.Spread.WITHIN_SUBTASK);
    }

    /**
     * Counts and minute buckets: partial counts where the events are, totals by content.
     *
     * @param unique every event once
     * @param partialsUid of the stateless first half
     * @param uid of the half that holds the totals
     */
    public void counts(DataStream<EnrichedEvent> unique, String partialsUid, String uid) {
        var unused = end(
                unique.transform("count partials", CountPartial.TYPE, new CountPartials(rules))
                        .uid(partialsUid)
                        .keyBy(partial -> ContentShards.keyOf(partial.contentId()), EventShards.KEY_TYPE),
                uid,
                "counts",
                "live view: counts, buckets",
                LiveViewMappings.tallies(),
                KeyedShownState.Spread.BY_CONTENT);
    }

    /**
     * Each content.
     *
     * @param changes of the content topic, in its order
     * @param changesUid of the stateless first half
     * @param uid of the half that holds the contents
     */
    public void contents(DataStream<ContentChange> changes, String changesUid, String uid) {
        var unused = end(
                changes.filter(change -> !(change instanceof ContentChange.ReadToEnd))
                        // Of another parallelism than its input it would mix up their order.
                        .setParallelism(changes.getParallelism())
                        .uid(changesUid)
                        .name("content changes")
                        .keyBy(change -> ContentShards.keyOf(contentId(change)), EventShards.KEY_TYPE),
                uid,
                "contents",
                "live view: contents",
                LiveViewMappings.metas(),
                KeyedShownState.Spread.BY_CONTENT);
    }

    /**
     * Both leaderboards.
     *
     * @param standings of parallelism 1
     */
    public void boards(DataStream<Standings> standings, String uid) {
        end(
                DataStreamUtils.reinterpretAsKeyedStream(standings, any -> EventShards.keyOf(0), EventShards.KEY_TYPE),
                uid,
                "boards",
                "live view: leaderboards",
                LiveViewMappings.boards(),
                KeyedShownState.Spread.WITHIN_SUBTASK);
    }

    private <T> SingleOutputStreamOperator<Void> end(
            KeyedStream<T, Integer> stream,
            String uid,
            String thread,
            String name,
            LiveViewMapping<T> mapping,
            KeyedShownState.Spread spread) {
        LiveViewOptions where = options;
        return stream.transform(
                        name,
                        Types.VOID,
                        new LiveViewOperatorFactory<>(
                                thread,
                                mapping,
                                spread,
                                where.keyPrefix(),
                                where.server(),
                                new RedisConnector(where),
                                limits,
                                RedisWriter.BACKOFF,
                                RedisWriter.REFUSED_BACKOFF,
                                LiveViewOperator::ioThread))
                .setParallelism(stream.getParallelism())
                .uid(uid);
    }

    private static String contentId(ContentChange change) {
        if (change instanceof ContentChange.Put put) {
            return put.content().id();
        }
        if (change instanceof ContentChange.Delete delete) {
            return delete.contentId();
        }
        throw new IllegalArgumentException(change + " is about no content");
    }
}
