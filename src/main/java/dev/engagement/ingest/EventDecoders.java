package dev.engagement.ingest;

import dev.engagement.event.EngagementEvent;
import java.time.Clock;

/** Decoders of the events topic, by its format. */
public final class EventDecoders {

    private EventDecoders() {}

    /**
     * Makes a decoder.
     *
     * @param format what the topic's values are
     * @param topic named in dead letters
     * @param maxRecordBytes largest accepted value
     * @param contentRequired whether an event without a {@code content_id} is INVALID
     * @param clock says when a letter was written
     */
    public static Decoder<EngagementEvent> of(
            IngestFormat format, String topic, long maxRecordBytes, boolean contentRequired, Clock clock) {
        return switch (format) {
            case AUTO -> new EventDecoder(topic, maxRecordBytes, contentRequired, clock);
            case FLAT -> new FlatEventDecoder(topic, maxRecordBytes, contentRequired, clock);
        };
    }
}
