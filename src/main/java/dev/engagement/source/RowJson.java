package dev.engagement.source;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.engagement.event.EnvelopeJson;
import dev.engagement.event.Timestamps;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Rows as capture's snapshot would write them: {@code op} r, no commit time. Any row has an envelope, a bad one as well, of
 * which the decoder makes the letter that it always makes. Thread-safe.
 */
public final class RowJson {

    private RowJson() {}

    /** An event's row. */
    public static byte[] envelope(EventRow row) {
        return envelope(json -> {
            row.eventId().write("id", json);
            json.writeStringField("content_id", row.contentId());
            json.writeStringField("user_id", row.userId());
            json.writeStringField("event_type", row.eventType());
            json.writeStringField("event_ts", time(row.eventTs()));
            number(json, "duration_ms", row.durationMs());
            json.writeStringField("device", row.device());
            json.writeStringField("raw_payload", row.rawPayload());
        });
    }

    /** A content's row. */
    public static byte[] envelope(ContentRow row) {
        return envelope(json -> {
            json.writeStringField("id", row.id());
            json.writeStringField("slug", row.slug());
            json.writeStringField("title", row.title());
            json.writeStringField("content_type", row.contentType());
            number(json, "length_seconds", row.lengthSeconds());
            json.writeStringField("publish_ts", row.publishTs() == null ? null : time(row.publishTs()));
        });
    }

    /** A time within years 1..9999 in the form of every other envelope; any other as PostgreSQL says it. */
    private static String time(String text) {
        long micros = Timestamps.parse(text);
        return micros == Timestamps.INVALID ? text : Timestamps.format(micros);
    }

    private static void number(JsonGenerator json, String name, @Nullable Integer value) throws IOException {
        json.writeFieldName(name);
        if (value == null) {
            json.writeNull();
        } else {
            json.writeNumber(value);
        }
    }

    private static byte[] envelope(EnvelopeJson.Body columns) {
        return EnvelopeJson.of("r", 0, columns);
    }
}
