package dev.engagement.liveview.sink;

import dev.engagement.liveview.LiveValue;
import java.io.Serializable;

/**
 * What a stream's elements show in the live view.
 *
 * @param <T> element of the stream
 */
@FunctionalInterface
public interface LiveViewMapping<T> extends Serializable {

    /** Gives the view every value of the element, any number of them. Called on the task thread; must not block. */
    void show(T element, View view);

    /** Takes values. */
    interface View {

        /** Shows the value unless a newer one of its slot is shown. */
        void show(LiveValue value);

        /** Counts an element that is not shown because a clock gone wrong stamped it. */
        void leaveOutFutureDated();
    }
}
