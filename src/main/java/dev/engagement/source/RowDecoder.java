package dev.engagement.source;

import dev.engagement.event.ContentChange;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EventId;
import dev.engagement.event.EventIdKind;
import dev.engagement.event.JsonText;
import dev.engagement.event.Position;
import dev.engagement.event.Timestamps;
import dev.engagement.ingest.ContentDecoder;
import dev.engagement.ingest.DecodedRecord;
import dev.engagement.ingest.EventDecoder;
import dev.engagement.ingest.EventRules;
import java.time.Clock;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;

/**
 * Turns a row into exactly what decoding its captured envelope gives. A good event is made directly, which costs a quarter;
 * whatever is not plainly good goes by its envelope through the decoder of the topic, so that the letter is the same. For
 * one thread.
 */
public final class RowDecoder {

    /** Partition of what never was in Kafka. */
    public static final int NO_PARTITION = -1;

    private final EventDecoder events;
    private final EventDecoder textEvents;
    private final ContentDecoder contents;
    private final boolean contentRequired;
    private final String eventsTopic;
    private final String contentTopic;
    private final long maxRecordBytes;
    private final long readAtMillis;

    /**
     * A decoder.
     *
     * @param eventsTopic named in letters
     * @param contentTopic named in letters
     * @param maxRecordBytes largest accepted envelope
     * @param contentRequired whether an event without a {@code content_id} is INVALID
     * @param readAtMillis stands for the Kafka timestamp, milliseconds since the epoch
     * @param clock says when a letter was written
     */
    public RowDecoder(
            String eventsTopic,
            String contentTopic,
            long maxRecordBytes,
            boolean contentRequired,
            long readAtMillis,
            Clock clock) {
        this.events =
                new EventDecoder(eventsTopic, maxRecordBytes, new EventRules(EventIdKind.LONG, contentRequired), clock);
        this.textEvents =
                new EventDecoder(eventsTopic, maxRecordBytes, new EventRules(EventIdKind.TEXT, contentRequired), clock);
        this.contentRequired = contentRequired;
        this.contents = new ContentDecoder(contentTopic, maxRecordBytes, clock);
        this.eventsTopic = eventsTopic;
        this.contentTopic = contentTopic;
        this.maxRecordBytes = maxRecordBytes;
        this.readAtMillis = readAtMillis;
    }

    /** Says in {@code out} what an event's row is. Its place is its id: the same row gives the same letter each time. */
    public void decode(EventRow row, DecodedRecord<EngagementEvent> out) {
        String contentId = row.contentId();
        long micros = Timestamps.parse(row.eventTs());
        Integer duration = row.durationMs();
        if ((contentId == null ? contentRequired : contentId.isEmpty() && !contentRequired)
                || micros == Timestamps.INVALID
                || (duration != null && duration < 0)
                || row.maxBytes() > maxRecordBytes
                || (row.textId() != null && !EventId.isText(row.textId()))
                || (row.rawPayload() != null && !JsonText.isOneValue(row.rawPayload()))) {
            (row.textId() == null ? events : textEvents)
                    .decode(record(eventsTopic, row.id(), RowJson.envelope(row)), out);
            return;
        }
        out.accept(
                new EngagementEvent(
                        row.id(),
                        row.textId(),
                        contentId,
                        row.userId(),
                        row.eventType(),
                        micros,
                        duration == null ? EngagementEvent.NO_DURATION : duration,
                        row.device(),
                        row.rawPayload(),
                        true,
                        EngagementEvent.UNKNOWN_TIME,
                        new Position(NO_PARTITION, row.id(), readAtMillis)),
                readAtMillis);
    }

    /**
     * Says in {@code out} what a content's row is.
     *
     * @param number of the row, in the order of reading
     */
    public void decode(ContentRow row, long number, DecodedRecord<ContentChange> out) {
        contents.decode(record(contentTopic, number, RowJson.envelope(row)), out);
    }

    private ConsumerRecord<byte[], byte[]> record(String topic, long offset, byte[] value) {
        return new ConsumerRecord<>(
                topic,
                NO_PARTITION,
                offset,
                readAtMillis,
                TimestampType.CREATE_TIME,
                ConsumerRecord.NULL_SIZE,
                value.length,
                null,
                value,
                new RecordHeaders(),
                Optional.empty());
    }
}
