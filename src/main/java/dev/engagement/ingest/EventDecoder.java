package dev.engagement.ingest;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.engagement.deadletter.Reason;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EventId;
import dev.engagement.event.EventIdKind;
import dev.engagement.event.JsonText;
import dev.engagement.event.Position;
import dev.engagement.event.Timestamps;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/**
 * Decodes the events topic. Facts are immutable: {@code op} c and r count; u, d, t, m and tombstones are ignored.
 *
 * <p>What is not an event still shows how far its partition has come: up to when its row was changed, as the source says,
 * and never further than its own Kafka timestamp. Behind an outage of the capture the two are far apart, and events that
 * follow are as old as the former.
 *
 * <p>UNDECODABLE: not a readable envelope. INVALID: the row has no usable {@code id}, {@code content_id} or
 * {@code event_ts}, a negative duration, a field of another type than its column's, or a {@code raw_payload} that is not
 * one JSON value; where an event need not have a content, {@code content_id} may be missing, and must not be empty.
 * OVERSIZE: larger than the limit.
 */
public sealed class EventDecoder extends EnvelopeDecoder<EngagementEvent> permits FlatEventDecoder {

    private static final Set<String> COLUMNS =
            Set.of("id", "content_id", "user_id", "event_type", "event_ts", "duration_ms", "device", "raw_payload");

    // In the order in which problems are reported.
    private static final int ID = 0;
    private static final int CONTENT_ID = 1;
    private static final int EVENT_TS = 2;
    private static final int DURATION_MS = 3;
    private static final int USER_ID = 4;
    private static final int EVENT_TYPE = 5;
    private static final int DEVICE = 6;
    private static final int RAW_PAYLOAD = 7;

    private final boolean contentRequired;
    private final TextCache eventTypes = new TextCache();
    private final TextCache devices = new TextCache();

    private final boolean textIds;

    private boolean hasId;
    private long id;
    private @Nullable String textId;
    private @Nullable String contentId;
    private @Nullable String userId;
    private @Nullable String eventType;
    private long eventTsMicros;
    private int durationMs;
    private @Nullable String device;
    private @Nullable String rawPayload;

    /**
     * Makes a decoder of events whose ids are numbers and that must have a content.
     *
     * @param topic named in dead letters
     * @param maxRecordBytes largest accepted value
     * @param clock says when a letter was written
     */
    public EventDecoder(String topic, long maxRecordBytes, Clock clock) {
        this(topic, maxRecordBytes, EventRules.DEFAULT, clock);
    }

    /**
     * Makes a decoder.
     *
     * @param topic named in dead letters
     * @param maxRecordBytes largest accepted value
     * @param rules what an event must have
     * @param clock says when a letter was written
     */
    public EventDecoder(String topic, long maxRecordBytes, EventRules rules, Clock clock) {
        this(topic, maxRecordBytes, rules, clock, RecordFormat.JSON);
    }

    /** @param format what the records may be */
    EventDecoder(String topic, long maxRecordBytes, EventRules rules, Clock clock, RecordFormat format) {
        super(topic, maxRecordBytes, clock, format, COLUMNS);
        this.textIds = rules.ids() == EventIdKind.TEXT;
        this.contentRequired = rules.contentRequired();
    }

    @Override
    void clearRow() {
        hasId = false;
        contentId = null;
        userId = null;
        eventType = null;
        eventTsMicros = Timestamps.INVALID;
        durationMs = EngagementEvent.NO_DURATION;
        device = null;
        rawPayload = null;
    }

    @Override
    void readRowField(String name, JsonParser parser) throws IOException {
        switch (name) {
            case "id" -> readId(parser);
            case "content_id" -> contentId = identifier(parser, CONTENT_ID, name);
            case "user_id" -> userId = identifier(parser, USER_ID, name);
            case "event_type" -> eventType = repeatedText(parser, EVENT_TYPE, name, eventTypes);
            case "event_ts" -> readEventTs(parser);
            case "duration_ms" -> readDuration(parser);
            case "device" -> device = repeatedText(parser, DEVICE, name, devices);
            case "raw_payload" -> readRawPayload(parser);
            default -> parser.skipChildren();
        }
    }

    /** Whether {@link #readRowField} takes a field of this name. */
    static boolean isColumn(String name) {
        return switch (name) {
            case "id", "content_id", "user_id", "event_type", "event_ts", "duration_ms", "device", "raw_payload" ->
                true;
            default -> false;
        };
    }

    /** Whether the row has a payload, be it a bad one. */
    final boolean hasPayload() {
        return rawPayload != null;
    }

    /** Gives the row a payload, which must be one JSON value. */
    final void setPayload(String json) {
        rawPayload = json;
        if (!JsonText.isOneValue(json)) {
            bad(RAW_PAYLOAD, "raw_payload is not one JSON value");
        }
    }

    private void readId(JsonParser parser) throws IOException {
        good(ID);
        hasId = false;
        if (parser.currentToken() == JsonToken.VALUE_NULL) {
            return;
        }
        if (textIds) {
            readTextId(parser);
            return;
        }
        if (parser.currentToken() != JsonToken.VALUE_NUMBER_INT
                || parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER) {
            notOfType(parser, ID, "id", "a whole number of 64 bits");
            return;
        }
        id = parser.getLongValue();
        hasId = true;
    }

    private void readTextId(JsonParser parser) throws IOException {
        if (parser.currentToken() != JsonToken.VALUE_STRING || !EventId.isText(parser.getText())) {
            notOfType(parser, ID, "id", EventId.TEXT_RULE);
            return;
        }
        textId = parser.getText();
        id = EventId.hash(textId);
        hasId = true;
    }

    private void readEventTs(JsonParser parser) throws IOException {
        good(EVENT_TS);
        eventTsMicros = time(parser);
        if (eventTsMicros == Timestamps.INVALID && parser.currentToken() != JsonToken.VALUE_NULL) {
            notOfType(parser, EVENT_TS, "event_ts", "an ISO-8601 time with a zone, within years 1..9999");
        }
    }

    private void readDuration(JsonParser parser) throws IOException {
        // Not integer(), which would box a number per event.
        good(DURATION_MS);
        durationMs = EngagementEvent.NO_DURATION;
        if (parser.currentToken() == JsonToken.VALUE_NULL) {
            return;
        }
        if (parser.currentToken() != JsonToken.VALUE_NUMBER_INT
                || parser.getNumberType() != JsonParser.NumberType.INT
                || parser.getIntValue() < 0) {
            notOfType(parser, DURATION_MS, "duration_ms", "a whole number of milliseconds, 0 to 2147483647");
            return;
        }
        durationMs = parser.getIntValue();
    }

    private void readRawPayload(JsonParser parser) throws IOException {
        good(RAW_PAYLOAD);
        rawPayload = null;
        switch (parser.currentToken()) {
            case VALUE_NULL -> {}
            // A transform before Kafka has turned the text into JSON: its source text is the payload.
            case START_OBJECT, START_ARRAY -> {
                setPayload(new String(verbatim(parser), StandardCharsets.UTF_8));
            }
            default -> {
                rawPayload = parser.getText();
                if (!JsonText.isOneValue(rawPayload)) {
                    bad(RAW_PAYLOAD, "raw_payload is '" + bounded(rawPayload) + "'; it must be one JSON value");
                }
            }
        }
    }

    @Override
    void tombstone(ConsumerRecord<byte[], byte[]> record, DecodedRecord<EngagementEvent> out) {
        out.ignore();
    }

    @Override
    void judge(ConsumerRecord<byte[], byte[]> record, Op op, DecodedRecord<EngagementEvent> out) {
        if (op != Op.CREATE && op != Op.READ) {
            out.ignore();
            out.markKnownUntil(
                    committedAtMillis() == 0 ? record.timestamp() : Math.min(record.timestamp(), committedAtMillis()));
            return;
        }
        if (!hasAfter()) {
            undecodable(record, "the envelope has no after", out);
            return;
        }
        boolean snapshot = op == Op.READ;
        boolean good = judgeRow(record, snapshot, snapshot ? EngagementEvent.UNKNOWN_TIME : committedAtMillis(), out);
        // A row of the snapshot stands before older ones.
        if (!good && !snapshot && committedAtMillis() != 0) {
            out.markKnownUntil(Math.min(record.timestamp(), committedAtMillis()));
        }
    }

    /**
     * Says what the row is: an event, or a letter.
     *
     * @param committedAtMillis milliseconds since the epoch, or {@link EngagementEvent#UNKNOWN_TIME}
     * @return whether it is an event
     */
    final boolean judgeRow(
            ConsumerRecord<byte[], byte[]> record,
            boolean snapshot,
            long committedAtMillis,
            DecodedRecord<EngagementEvent> out) {
        if (!hasId && problem() == null) {
            bad(ID, "id is missing");
        }
        if (contentRequired && contentId == null && problem() == null) {
            bad(CONTENT_ID, "content_id is missing: an event without a content cannot be enriched");
        }
        if (!contentRequired && contentId != null && contentId.isEmpty() && problem() == null) {
            bad(CONTENT_ID, "content_id is an empty text; where an event has no content, leave it out or write null");
        }
        if (eventTsMicros == Timestamps.INVALID && problem() == null) {
            bad(EVENT_TS, "event_ts is missing");
        }
        String problem = problem();
        if (problem != null) {
            reject(record, Reason.INVALID, problem, hasId ? new EventId(id, textId) : null, out);
            return false;
        }
        out.accept(
                new EngagementEvent(
                        id,
                        textId,
                        contentId,
                        userId,
                        eventType,
                        eventTsMicros,
                        durationMs,
                        device,
                        rawPayload,
                        snapshot,
                        committedAtMillis,
                        new Position(record.partition(), record.offset(), record.timestamp())),
                record.timestamp());
        return true;
    }
}
