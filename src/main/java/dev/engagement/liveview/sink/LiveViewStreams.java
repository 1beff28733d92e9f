package dev.engagement.liveview.sink;

import dev.engagement.event.ContentChange;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.liveview.LiveValue;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;

/**
 * The streams of live values that need more than one operator. Each caller gives its own uids; a stage's name is what the
 * Flink UI shows.
 */
public final class LiveViewStreams {

    private LiveViewStreams() {}

    /**
     * The count of each content, whenever it changed: partial counts where the events are, totals keyed by content.
     *
     * @param unique every event once
     * @param partialsUid of the stateless first half
     * @param totalsUid of the half that holds the totals
     */
    public static SingleOutputStreamOperator<LiveValue> counts(
            DataStream<EnrichedEvent> unique, String partialsUid, String totalsUid) {
        return unique.transform("count partials", CountPartial.TYPE, new CountPartials())
                .uid(partialsUid)
                .keyBy(CountPartial::contentId, Types.STRING)
                .process(new CountTotals(), LiveValueType.LIVE_VALUE)
                .uid(totalsUid)
                .name("count totals");
    }

    /**
     * Each content as it is shown, whenever it changed.
     *
     * @param changes of the content topic, in its order
     * @param changesUid of the stateless first half
     * @param metasUid of the half that holds the contents
     */
    public static SingleOutputStreamOperator<LiveValue> metas(
            DataStream<ContentChange> changes, String changesUid, String metasUid) {
        return changes.filter(change -> !(change instanceof ContentChange.ReadToEnd))
                .uid(changesUid)
                .name("content changes")
                .keyBy(LiveViewStreams::contentId, Types.STRING)
                .process(new ContentMetas(), LiveValueType.LIVE_VALUE)
                .uid(metasUid)
                .name("content metas");
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
