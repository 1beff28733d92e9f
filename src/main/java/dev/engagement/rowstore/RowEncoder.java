package dev.engagement.rowstore;

import dev.engagement.event.EnrichedEvent;
import org.jspecify.annotations.Nullable;

/** Events into the bytes of rows, as one store takes them. For one thread. */
public interface RowEncoder {

    /** What there is to say of an event while its row is made. */
    interface Notes {

        /** The store would refuse the row; the event becomes a dead letter. */
        void refused(String why);

        /** A number of the payload is not what it was. */
        void rounded();
    }

    /** The event's row, or null if it was refused. */
    byte @Nullable [] encode(EnrichedEvent event, Notes notes);
}
