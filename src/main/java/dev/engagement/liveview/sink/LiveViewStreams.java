package dev.engagement.liveview.sink;

import dev.engagement.event.ContentChange;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.RollupRow;
import dev.engagement.event.RollupShape;
import dev.engagement.event.Standings;
import dev.engagement.event.types.ContentShards;
import dev.engagement.event.types.EventShards;
import dev.engagement.liveview.LiveViewOptions;
import dev.engagement.liveview.LiveViewRules;
import dev.engagement.writeback.IoThreads;
import dev.engagement.writeback.KeyedShownState;
import dev.engagement.writeback.WriteBackPlan;
import dev.engagement.writeback.WriterLimits;
import java.time.Duration;
import java.util.List;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.configuration.MemorySize;
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

    /** Up to 64 MiB of values that wait; pipelines that a busy Redis answers in a few milliseconds. */
    static final WriterLimits LIMITS = new WriterLimits(
            1_000_000,
            MemorySize.ofMebiBytes(64),
            1_000,
            MemorySize.ofMebiBytes(1),
            Duration.ofMillis(5),
            Duration.ofSeconds(15));

    /** Of events that wait for the event cache. */
    static final MemorySize EVENT_CACHE = MemorySize.ofMebiBytes(16);

    private final LiveViewOptions options;
    private final LiveViewRules rules;
    private final WriterLimits limits;

    /** Shown at {@code options}. */
    public LiveViewStreams(LiveViewOptions options, LiveViewRules rules) {
        this(options, rules, LIMITS);
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

    /**
     * The windows of the rollups that are live, and a message of each that has changed. Nothing crosses the network: each
     * subtask has a value of its own for a window, of which Redis keeps the newest.
     *
     * @param rows absolute and versioned, in any order
     * @param shapes of all rollups that there are rows of
     * @throws IllegalArgumentException if two of the rollups would show their windows in one place
     */
    public void rollups(DataStream<RollupRow> rows, List<RollupShape> shapes, String uid) {
        // The key is never asked for: the operator has no key context, and keeps values under shards of its own.
        end(
                DataStreamUtils.reinterpretAsKeyedStream(rows, any -> EventShards.keyOf(0), EventShards.KEY_TYPE),
                uid,
                "rollups",
                "live view: rollups",
                LiveViewMappings.rollups(shapes),
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
                                EVENT_CACHE,
                                WriteBackPlan.BACKOFF,
                                WriteBackPlan.REFUSED_BACKOFF,
                                IoThreads::daemon))
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
