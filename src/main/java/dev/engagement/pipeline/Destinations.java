package dev.engagement.pipeline;

import dev.engagement.event.ContentChange;
import dev.engagement.event.EnrichedEvent;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;

/**
 * Where the pipeline ends.
 *
 * @param liveView shows each content as it is now
 * @param deadLetters keeps what could not be processed
 */
public record Destinations(LiveView liveView, DeadLetters deadLetters) {

    /** Shows each content as it is now. */
    @FunctionalInterface
    public interface LiveView {
        /**
         * Takes what is to be shown.
         *
         * @param unique every event once
         * @param contentChanges the contents, in the order of their topic
         */
        void show(DataStream<EnrichedEvent> unique, DataStream<ContentChange> contentChanges);
    }

    /** Keeps what could not be processed. */
    @FunctionalInterface
    public interface DeadLetters {
        /** Keeps the letters in the side outputs of these stages. */
        void keep(SingleOutputStreamOperator<?>... stages);
    }
}
