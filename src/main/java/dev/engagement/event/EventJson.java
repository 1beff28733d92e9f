package dev.engagement.event;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** The JSON forms of events. Thread-safe. */
public final class EventJson {

    private EventJson() {}

    /**
     * The enriched event as every reader gets it: Redis {@code content:last} and the HTTP body. Fields in the contract's
     * order, timestamps in UTC with six fraction digits, nulls written, {@code raw_payload} embedded verbatim.
     */
    public static byte[] enriched(EnrichedEvent enriched) {
        EngagementEvent event = enriched.event();
        Content content = enriched.content();
        Engagement engagement = enriched.engagement();
        return EnvelopeJson.document(json -> {
            json.writeStartObject();
            EventId.write("event_id", event.id(), event.textId(), json);
            facts(json, event);
            json.writeFieldName("raw_payload");
            if (event.rawPayload() == null) {
                json.writeNull();
            } else {
                json.writeRawValue(event.rawPayload());
            }
            text(json, "slug", content.slug());
            text(json, "title", content.title());
            text(json, "content_type", content.contentType());
            number(json, "length_seconds", content.lengthSeconds());
            text(
                    json,
                    "publish_ts",
                    content.publishTsMicros() == null ? null : Timestamps.format(content.publishTsMicros()));
            decimal(json, "engagement_seconds", engagement.hasSeconds() ? engagement.secondsText() : null);
            decimal(json, "engagement_pct", engagement.hasPct() ? engagement.pctText() : null);
            json.writeEndObject();
        });
    }

    /**
     * The event's canonical Debezium envelope: what any decoder of this project reads back as the same event, Kafka
     * position aside.
     */
    public static byte[] envelope(EngagementEvent event) {
        return EnvelopeJson.of(event.snapshot() ? "r" : "c", event.committedAtMillis(), json -> {
            EventId.write("id", event.id(), event.textId(), json);
            facts(json, event);
            text(json, "raw_payload", event.rawPayload());
        });
    }

    /**
     * A content's canonical Debezium envelope, as a snapshot would write it: what any decoder of this project reads back as
     * the same content.
     */
    public static byte[] envelope(Content content) {
        return EnvelopeJson.of("r", 0, json -> {
            text(json, "id", content.id());
            text(json, "slug", content.slug());
            text(json, "title", content.title());
            text(json, "content_type", content.contentType());
            number(json, "length_seconds", content.lengthSeconds());
            text(
                    json,
                    "publish_ts",
                    content.publishTsMicros() == null ? null : Timestamps.format(content.publishTsMicros()));
        });
    }

    private static void facts(JsonGenerator json, EngagementEvent event) throws IOException {
        text(json, "content_id", event.contentId());
        text(json, "user_id", event.userId());
        text(json, "event_type", event.eventType());
        json.writeStringField("event_ts", Timestamps.format(event.eventTsMicros()));
        number(json, "duration_ms", event.hasDuration() ? (Integer) event.durationMs() : null);
        text(json, "device", event.device());
    }

    private static void text(JsonGenerator json, String name, @Nullable String value) throws IOException {
        if (value == null) {
            json.writeNullField(name);
        } else {
            json.writeStringField(name, value);
        }
    }

    private static void number(JsonGenerator json, String name, @Nullable Integer value) throws IOException {
        if (value == null) {
            json.writeNullField(name);
        } else {
            json.writeNumberField(name, value);
        }
    }

    private static void decimal(JsonGenerator json, String name, @Nullable String digits) throws IOException {
        json.writeFieldName(name);
        if (digits == null) {
            json.writeNull();
        } else {
            json.writeNumber(digits);
        }
    }
}
