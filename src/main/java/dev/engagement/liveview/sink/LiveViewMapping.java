package dev.engagement.liveview.sink;

import dev.engagement.event.EnrichedEvent;
import dev.engagement.liveview.LiveValue;
import dev.engagement.writeback.Place;
import dev.engagement.writeback.WriteBackPlan;
import java.io.Serializable;

/**
 * What a stream's elements show in the live view.
 *
 * @param <T> element of the stream
 */
@FunctionalInterface
public interface LiveViewMapping<T> extends Serializable {

    /** Gives the view every value that the element changes, any number of them. On the task thread; must not block. */
    void show(T element, View view) throws Exception;

    /**
     * The parts of values in the order in which everything is written again once Redis has lost it: those of an entry
     * before any of the next one, the last of several entries at a gentle pace.
     */
    default long[] rewriteOrder() {
        return WriteBackPlan.wholeValues();
    }

    /** The values that are shown, and what is to be shown instead. */
    interface View {

        /** The place of an id; the same object as long as the element is being handled. */
        Place<LiveValue> place(String id) throws Exception;

        /** Shows the value at its place. */
        void show(Place<LiveValue> place, LiveValue value, long changedParts);

        /** Keeps an event in the event cache if there is room. */
        void cache(EnrichedEvent enriched);

        /** The wall clock, milliseconds since the epoch. */
        long nowMillis();

        /** Counts an element that is not shown because a clock gone wrong stamped it. */
        void leaveOutFutureDated();

        /** Counts what is not shown because its time is over. */
        void leaveOutExpired(long events);
    }
}
