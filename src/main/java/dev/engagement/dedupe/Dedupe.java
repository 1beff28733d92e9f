package dev.engagement.dedupe;

import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.types.EventShards;
import dev.engagement.event.types.EventTypes;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.DataStreamUtils;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.util.OutputTag;

/** The stage that drops repeated events. */
public final class Dedupe {

    private Dedupe() {}

    /**
     * Where inserts stand whose row a snapshot had read before they arrived: once each, and duplicates for whoever takes the
     * main output, which has them as the snapshot's.
     */
    public static final OutputTag<EnrichedEvent> INSERTED_AFTER_SNAPSHOT =
            new OutputTag<>("inserted-after-snapshot", EventTypes.ENRICHED);

    /**
     * The first arrival of each event id; {@link #INSERTED_AFTER_SNAPSHOT} aside, and dead letters CONFLICT.
     *
     * @param enriched events on the subtask that owns their shard, as the enrichment leaves them: nothing crosses the
     *     network here
     * @param eventsTopic named in dead letters
     */
    public static SingleOutputStreamOperator<EnrichedEvent> byEventId(
            DataStream<EnrichedEvent> enriched, DedupeOptions options, String eventsTopic) {
        return DataStreamUtils.reinterpretAsKeyedStream(enriched, EventShards.ofEnriched(), EventShards.KEY_TYPE)
                .transform("dedupe", EventTypes.ENRICHED, new DedupeOperator(options, eventsTopic));
    }
}
