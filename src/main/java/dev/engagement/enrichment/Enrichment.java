package dev.engagement.enrichment;

import dev.engagement.event.ContentChange;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.types.EventShards;
import dev.engagement.event.types.EventTypes;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.KeyedStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.operators.SimpleOperatorFactory;
import org.apache.flink.streaming.api.transformations.TwoInputTransformation;

/** The stage that joins events with their content. */
public final class Enrichment {

    private Enrichment() {}

    /**
     * Enriched events, on the subtask that owns their shard; UNRESOLVED in the side output.
     *
     * @param eventsTopic named in dead letters
     */
    public static SingleOutputStreamOperator<EnrichedEvent> join(
            DataStream<EngagementEvent> events,
            DataStream<ContentChange> contentChanges,
            EnrichmentOptions options,
            String eventsTopic) {
        KeyedStream<EngagementEvent, Integer> byShard = events.keyBy(EventShards.ofEvents(), EventShards.KEY_TYPE);
        TwoInputTransformation<EngagementEvent, ContentChange, EnrichedEvent> join = new TwoInputTransformation<>(
                byShard.getTransformation(),
                contentChanges.broadcast().getTransformation(),
                "enrich",
                SimpleOperatorFactory.of(new EnrichmentOperator(options, eventsTopic)),
                EventTypes.ENRICHED,
                events.getExecutionEnvironment().getParallelism(),
                false);
        join.setStateKeySelectors(byShard.getKeySelector(), null);
        join.setStateKeyType(EventShards.KEY_TYPE);
        events.getExecutionEnvironment().addOperator(join);
        return new Joined(events, join);
    }

    /** Makes the transformation a stream, which only subclasses of Flink's stream can. */
    private static final class Joined extends SingleOutputStreamOperator<EnrichedEvent> {
        Joined(DataStream<?> of, TwoInputTransformation<EngagementEvent, ContentChange, EnrichedEvent> transformation) {
            super(of.getExecutionEnvironment(), transformation);
        }
    }
}
