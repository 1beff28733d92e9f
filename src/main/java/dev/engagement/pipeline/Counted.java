package dev.engagement.pipeline;

import dev.engagement.backfill.RowCount;
import dev.engagement.deadletter.DeadLetter;
import dev.engagement.deadletter.DeadLetterTypes;
import dev.engagement.event.ContentChange;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.Standings;
import dev.engagement.event.types.EventTypes;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.jspecify.annotations.Nullable;

/** Destinations of a rebuild: what each is given, and every letter, is counted on its way. */
public final class Counted {

    private Counted() {}

    /**
     * Wraps the destinations; at least one of the first two is wanted.
     *
     * @param liveView null if it is not wanted
     * @param warehouse null if it is not wanted
     */
    public static Destinations destinations(
            @Nullable RedisLiveView liveView, @Nullable BigQueryWarehouse warehouse, KafkaDeadLetters letters) {
        return new Destinations(
                liveView == null ? null : new LiveView(liveView, warehouse == null),
                warehouse == null ? null : unique -> warehouse.append(counted(unique)),
                stages -> letters.keep(count(stages)));
    }

    /** The live view counts only where no warehouse does: both are given the same. */
    private record LiveView(RedisLiveView view, boolean counts) implements Destinations.LiveView {
        @Override
        public void show(
                DataStream<EnrichedEvent> unique,
                DataStream<Standings> standings,
                DataStream<ContentChange> contentChanges) {
            if (counts) {
                // Beside, not before: the live view relies on how its input is keyed.
                counted(unique)
                        .sinkTo(new DiscardingSink<>())
                        .uid(OperatorIds.COUNT_GIVEN_END)
                        .name("counted");
            }
            view.show(unique, standings, contentChanges);
        }
    }

    private static SingleOutputStreamOperator<EnrichedEvent> counted(DataStream<EnrichedEvent> unique) {
        return unique.process(new RowCount<EnrichedEvent>(RowCount.GIVEN), EventTypes.ENRICHED)
                .uid(OperatorIds.COUNT_GIVEN)
                .name("count rows given");
    }

    private static DataStream<DeadLetter> count(SingleOutputStreamOperator<?>... stages) {
        DataStream<DeadLetter> letters = stages[0].getSideOutput(DeadLetterTypes.DEAD_LETTERS);
        for (int i = 1; i < stages.length; i++) {
            letters = letters.union(stages[i].getSideOutput(DeadLetterTypes.DEAD_LETTERS));
        }
        return letters.process(new RowCount<DeadLetter>(RowCount.LETTERS), letters.getType())
                .uid(OperatorIds.COUNT_LETTERS)
                .name("count letters");
    }
}
