package dev.engagement.pipeline;

import dev.engagement.event.ContentChange;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.Standings;
import java.util.List;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.jspecify.annotations.Nullable;

/**
 * Where the pipeline ends.
 *
 * @param liveView shows each content as it is now; null if it is not wanted, and then nothing is ranked
 * @param warehouses each keeps every event; none if none is wanted
 * @param delivery brings every event to a receiver; null if it is not wanted
 * @param rollups keep aggregates by window; null if they are not wanted
 * @param deadLetters keeps what could not be processed
 */
public record Destinations(
        @Nullable LiveView liveView,
        List<Warehouse> warehouses,
        @Nullable Delivery delivery,
        @Nullable Rollups rollups,
        DeadLetters deadLetters) {

    public Destinations {
        warehouses = List.copyOf(warehouses);
    }

    /** Without delivery and rollups. */
    public Destinations(@Nullable LiveView liveView, @Nullable Warehouse warehouse, DeadLetters deadLetters) {
        this(liveView, warehouse == null ? List.of() : List.of(warehouse), null, null, deadLetters);
    }

    /** Without a warehouse, delivery and rollups. */
    public Destinations(LiveView liveView, DeadLetters deadLetters) {
        this(liveView, List.of(), null, null, deadLetters);
    }

    /** Shows each content as it is now. */
    @FunctionalInterface
    public interface LiveView {
        /**
         * Takes what is to be shown.
         *
         * @param unique every event once
         * @param standings the leaderboards at each slide end
         * @param contentChanges the contents, in the order of their topic
         */
        void show(
                DataStream<EnrichedEvent> unique,
                DataStream<Standings> standings,
                DataStream<ContentChange> contentChanges);
    }

    /** Keeps every event. */
    @FunctionalInterface
    public interface Warehouse {
        /**
         * Takes the events.
         *
         * @param unique every event once
         * @return the stage that takes them, with dead letters of those that were refused in its side output
         */
        SingleOutputStreamOperator<?> append(DataStream<EnrichedEvent> unique);
    }

    /** Brings every event to a receiver. */
    @FunctionalInterface
    public interface Delivery {
        /**
         * Takes the events.
         *
         * @param unique every event once
         * @param insertedAfterSnapshot the inserts of which {@code unique} holds only what a snapshot read
         * @return the stages that deliver, with dead letters of what cannot be in their side outputs
         */
        List<SingleOutputStreamOperator<?>> post(
                DataStream<EnrichedEvent> unique, DataStream<EnrichedEvent> insertedAfterSnapshot);
    }

    /** Keeps aggregates by window. */
    @FunctionalInterface
    public interface Rollups {
        /**
         * Takes the events.
         *
         * @param unique every event once, with the watermarks of the events' topic
         */
        void keep(DataStream<EnrichedEvent> unique);
    }

    /** Keeps what could not be processed. */
    @FunctionalInterface
    public interface DeadLetters {
        /** Keeps the letters in the side outputs of these stages. */
        void keep(SingleOutputStreamOperator<?>... stages);
    }
}
