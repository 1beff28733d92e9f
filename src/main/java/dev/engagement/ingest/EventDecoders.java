package dev.engagement.ingest;

import dev.engagement.event.EngagementEvent;
import java.time.Clock;

/** Decoders of the events topic, by its format. */
public final class EventDecoders {

    private EventDecoders() {}

    /**
     * Makes a decoder of what is no schema registry's.
     *
     * @param format what the topic's values are
     * @param topic named in dead letters
     * @param maxRecordBytes largest accepted value
     * @param rules what an event must have
     * @param clock says when a letter was written
     */
    public static Decoder<EngagementEvent> of(
            IngestFormat format, String topic, long maxRecordBytes, EventRules rules, Clock clock) {
        return of(new RecordFormat(format, WireFormat.CONFLUENT, null), topic, maxRecordBytes, rules, clock);
    }

    static Decoder<EngagementEvent> of(
            RecordFormat format, String topic, long maxRecordBytes, EventRules rules, Clock clock) {
        return format.ingest() == IngestFormat.FLAT
                ? new FlatEventDecoder(topic, maxRecordBytes, rules, clock)
                : new EventDecoder(topic, maxRecordBytes, rules, clock, format);
    }
}
