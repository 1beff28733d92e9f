package dev.engagement.ingest;

import dev.engagement.event.EnvelopeJson;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Keys of the two topics. */
public final class RecordKey {

    private RecordKey() {}

    /** The id of {@code {"id":…}}, with or without the Connect wrapper, as text; null if there is none. */
    public static @Nullable String idOf(byte @Nullable [] key) {
        return EnvelopeDecoder.idOfKey(key);
    }

    /**
     * The key of a content, as capture writes it: {@code {"id":"…"}} or {@code {"id":N}}.
     *
     * @param isNumber whether the column's type is an integer
     */
    public static byte[] ofContent(String id, boolean isNumber) {
        return EnvelopeJson.document(json -> {
            json.writeStartObject();
            json.writeFieldName("id");
            if (isNumber) {
                json.writeNumber(id);
            } else {
                json.writeString(id);
            }
            json.writeEndObject();
        });
    }

    /** The key of an event, as capture writes it. */
    public static byte[] ofEvent(long id) {
        return ("{\"id\":" + id + "}").getBytes(StandardCharsets.UTF_8);
    }
}
