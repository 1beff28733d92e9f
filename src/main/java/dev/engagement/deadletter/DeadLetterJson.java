package dev.engagement.deadletter;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.engagement.event.Timestamps;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/**
 * A dead letter as JSON. The payload stands there as text where that says every byte, and as base64
 * ({@code payload_encoding}) where it is no UTF-8, or where its escapes would make it longer than base64: a letter is
 * never larger than 4/3 of its payload and headers and a little.
 */
public final class DeadLetterJson {

    private static final JsonFactory FACTORY = new JsonFactory();

    private DeadLetterJson() {}

    /**
     * The letter as it stands in the topic.
     *
     * @param build version of the build that writes it
     */
    public static byte[] toBytes(DeadLetter letter, String build) {
        byte[] payload = letter.payload();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(512 + (payload == null ? 0 : payload.length * 5 / 4));
        try (JsonGenerator json = FACTORY.createGenerator(bytes)) {
            json.writeStartObject();
            json.writeStringField("id", letter.id());
            json.writeStringField("reason", letter.reason().name());
            json.writeStringField("stage", letter.stage());
            json.writeStringField("error", withoutHalfPairs(letter.error()));
            json.writeNumberField("attempts", letter.attempts());
            json.writeStringField("failed_at", Timestamps.format(letter.failedAtMillis() * 1_000));
            json.writeStringField("version", build);
            json.writeObjectFieldStart("source");
            json.writeStringField("topic", letter.source().topic());
            json.writeNumberField("partition", letter.source().partition());
            json.writeNumberField("offset", letter.source().offset());
            json.writeNumberField("timestamp", letter.source().timestampMillis());
            json.writeEndObject();
            json.writeFieldName("event_id");
            if (letter.eventId() == null) {
                json.writeNull();
            } else {
                json.writeNumber(letter.eventId());
            }
            bytes(json, "payload", payload);
            json.writeArrayFieldStart("headers");
            for (DeadLetter.Header header : letter.headers()) {
                json.writeStartObject();
                json.writeStringField("key", withoutHalfPairs(header.key()));
                bytes(json, "value", header.value());
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException("Writing JSON into memory failed", e);
        }
        return bytes.toByteArray();
    }

    private static void bytes(JsonGenerator json, String name, byte @Nullable [] value) throws IOException {
        if (value == null) {
            json.writeNullField(name);
            return;
        }
        String text = asText(value);
        if (text != null) {
            json.writeStringField(name, text);
        } else {
            json.writeStringField(name + "_encoding", "base64");
            json.writeStringField(name, Base64.getEncoder().encodeToString(value));
        }
    }

    private static @Nullable String asText(byte[] bytes) {
        long escaped = bytes.length;
        for (byte b : bytes) {
            if (b == '"' || b == '\\') {
                escaped++;
            } else if (b >= 0 && b < ' ') {
                escaped += 5;
            }
        }
        if (escaped > bytes.length * 4L / 3 + 16) {
            return null;
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            // Not text: base64 says every byte.
            return null;
        }
    }

    /** Error texts quote bad input, which may hold halves of surrogate pairs that JSON writers refuse. */
    private static String withoutHalfPairs(String text) {
        return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
    }
}
