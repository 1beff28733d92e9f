package dev.engagement.liveview.sink;

import dev.engagement.event.types.ImmutableSerializer;
import dev.engagement.event.types.ImmutableType;
import dev.engagement.event.types.Wire;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import org.apache.flink.api.common.typeinfo.TypeInformation;

/**
 * A part of a count: how many distinct events of a content one task saw since it last said so. Nobody changes the arrays.
 *
 * @param contentId of which content
 * @param events how many, at least 1
 * @param minutes of event time, since the epoch, in which some of them are shown
 * @param eventsInMinute how many in each of the minutes
 */
public record CountPartial(String contentId, long events, long[] minutes, long[] eventsInMinute) {

    /** Its type, explicit. */
    public static final TypeInformation<CountPartial> TYPE =
            ImmutableType.of(CountPartial.class, CountPartialSerializer::new);

    /** Serializer of {@link CountPartial}. */
    public static final class CountPartialSerializer extends ImmutableSerializer<CountPartial> {
        private static final long serialVersionUID = 1L;

        @Override
        protected int version() {
            return 1;
        }

        @Override
        protected void write(CountPartial partial, DataOutput out) throws IOException {
            Wire.writeText(partial.contentId(), out);
            Wire.writeUnsigned(partial.events(), out);
            Tallies.writeMinutes(partial.minutes(), partial.eventsInMinute(), out);
        }

        @Override
        protected CountPartial read(int version, DataInput in) throws IOException {
            String contentId = Wire.readRequiredText(in);
            long events = Wire.readUnsigned(in);
            long[] minutes = Tallies.readMinutes(in);
            return new CountPartial(contentId, events, minutes, Tallies.readEvents(minutes.length, in));
        }
    }
}
