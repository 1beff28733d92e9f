package dev.engagement.enrichment;

import dev.engagement.event.EngagementEvent;
import dev.engagement.event.types.EventTypes;
import dev.engagement.event.types.ImmutableSerializer;
import dev.engagement.event.types.ImmutableType;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import org.apache.flink.api.common.typeinfo.TypeInformation;

/**
 * An event whose content is unknown.
 *
 * @param sinceMillis when it began to wait, processing time, milliseconds since the epoch
 */
record WaitingEvent(EngagementEvent event, long sinceMillis) {

    static final TypeInformation<WaitingEvent> TYPE = ImmutableType.of(WaitingEvent.class, Serializer::new);

    /** Serializer of {@link WaitingEvent}. */
    public static final class Serializer extends ImmutableSerializer<WaitingEvent> {
        private static final long serialVersionUID = 1L;

        private final EventTypes.EventSerializer events = new EventTypes.EventSerializer();

        /** The same bytes in both; 1 stands in states without parts ({@link WaitingEvents}), which a build of 1 cannot read. */
        @Override
        protected int version() {
            return 2;
        }

        @Override
        protected void write(WaitingEvent waiting, DataOutput out) throws IOException {
            events.writeVersioned(waiting.event(), out);
            out.writeLong(waiting.sinceMillis());
        }

        @Override
        protected WaitingEvent read(int version, DataInput in) throws IOException {
            return new WaitingEvent(events.readVersioned(in), in.readLong());
        }
    }
}
