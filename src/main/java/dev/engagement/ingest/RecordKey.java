package dev.engagement.ingest;

import dev.engagement.event.EnvelopeJson;
import dev.engagement.event.EventId;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/** Keys of the two topics. */
public final class RecordKey {

    private RecordKey() {}

    /** The id of {@code {"id":…}}, with or without the Connect wrapper, as text; null if there is none. */
    public static @Nullable String idOf(byte @Nullable [] key) {
        return EnvelopeDecoder.idOfKey(key);
    }

    /**
     * What tells the records of one content from those of another: the id of its key, or of a key of a schema registry its
     * bytes; null if there is none.
     */
    public static @Nullable String identityOf(byte @Nullable [] key) {
        return key != null && WireFormat.isFramed(key)
                ? "key " + Base64.getEncoder().encodeToString(key)
                : idOf(key);
    }

    /**
     * The key of a content, as capture writes it: {@code {"id":"…"}} or {@code {"id":N}}.
     *
     * @param isNumber whether the column's type is an integer; what is none is a text nevertheless
     */
    public static byte[] ofContent(String id, boolean isNumber) {
        return EnvelopeJson.document(json -> {
            json.writeStartObject();
            json.writeFieldName("id");
            if (isNumber && isInteger(id)) {
                json.writeNumber(id);
            } else {
                json.writeString(id);
            }
            json.writeEndObject();
        });
    }

    private static boolean isInteger(String id) {
        int begin = id.startsWith("-") ? 1 : 0;
        return id.length() > begin && id.chars().skip(begin).allMatch(digit -> digit >= '0' && digit <= '9');
    }

    /** The key of an event, as capture writes it: {@code {"id":N}} or {@code {"id":"…"}}. */
    public static byte[] ofEvent(EventId id) {
        String quote = id.text() == null ? "" : "\"";
        return ("{\"id\":" + quote + id + quote + '}').getBytes(StandardCharsets.UTF_8);
    }
}
