package dev.engagement.dedupe;

import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.types.EventShards;
import dev.engagement.event.types.EventTypes;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.DataStreamUtils;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;

/** The stage that drops repeated events. */
public final class Dedupe {

    private Dedupe() {}

    /**
     * The first arrival of each event id.
     *
     * @param enriched events on the subtask that owns their shard, as the enrichment leaves them: nothing crosses the
     *     network here
     */
    public static SingleOutputStreamOperator<EnrichedEvent> byEventId(
            DataStream<EnrichedEvent> enriched, DedupeOptions options) {
        return DataStreamUtils.reinterpretAsKeyedStream(enriched, EventShards.ofEnriched(), EventShards.KEY_TYPE)
                .transform("dedupe", EventTypes.ENRICHED, new DedupeOperator(options));
    }
}
