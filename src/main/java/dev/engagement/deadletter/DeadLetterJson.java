package dev.engagement.deadletter;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import dev.engagement.event.EventId;
import dev.engagement.event.Timestamps;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A dead letter as JSON. The payload stands there as text where that says every byte, and as base64
 * ({@code payload_encoding}) where it is no UTF-8, or where its escapes would make it longer than base64: a letter is
 * never larger than 4/3 of its payload and headers and a little.
 */
public final class DeadLetterJson {

    /** A payload is one text, as long as the largest letter. */
    private static final JsonFactory FACTORY = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxStringLength(Integer.MAX_VALUE)
                    .build())
            .build();

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
            if (letter.eventId() == null) {
                json.writeNullField("event_id");
            } else {
                letter.eventId().write("event_id", json);
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

    /** A text in the topic is no letter; the message says why. */
    public static final class UnreadableLetterException extends IOException {

        private static final long serialVersionUID = 1L;

        UnreadableLetterException(String message) {
            super(message);
        }
    }

    /**
     * What {@link #toBytes} wrote, whichever build it was: the same letter, payload and headers byte for byte. Fields may
     * stand in any order, unknown ones are skipped.
     *
     * @throws UnreadableLetterException if it is no letter, or of a reason that this build does not know
     */
    public static DeadLetter read(byte[] json) throws UnreadableLetterException {
        return read(json, true);
    }

    /**
     * The letter's id, reason, stage, time, source and event id, for those who go through many: what stands behind these,
     * as payload and headers do, is not looked at.
     *
     * @throws UnreadableLetterException if it is no letter, or of a reason that this build does not know
     */
    public static DeadLetter readHead(byte[] json) throws UnreadableLetterException {
        return read(json, false);
    }

    private static DeadLetter read(byte[] json, boolean whole) throws UnreadableLetterException {
        Reading letter = new Reading();
        try (JsonParser parser = FACTORY.createParser(json)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw new UnreadableLetterException("it is no JSON object");
            }
            for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
                parser.nextToken();
                letter.field(name, parser);
                if (!whole && letter.hasHead()) {
                    break;
                }
            }
        } catch (UnreadableLetterException e) {
            throw e;
        } catch (JacksonException e) {
            throw new UnreadableLetterException("it is not readable as JSON: " + e.getOriginalMessage());
        } catch (IOException e) {
            throw new UncheckedIOException("Reading JSON from memory failed", e);
        }
        return letter.done();
    }

    /** Bytes as they stand in JSON. */
    private static final class Bytes {
        private @Nullable String text;
        private boolean base64;

        byte @Nullable [] done(String what) throws UnreadableLetterException {
            if (text == null) {
                return null;
            }
            try {
                return base64 ? Base64.getDecoder().decode(text) : text.getBytes(StandardCharsets.UTF_8);
            } catch (IllegalArgumentException e) {
                throw new UnreadableLetterException(what + " is not base64, as its encoding says");
            }
        }

        boolean field(String name, String own, JsonParser parser) throws IOException {
            if (name.equals(own)) {
                text = textOrNull(own, parser);
                return true;
            }
            if (name.equals(own + "_encoding")) {
                String encoding = textOrNull(name, parser);
                if (encoding != null && !encoding.equals("base64")) {
                    throw new UnreadableLetterException(name + " is '" + encoding + "'; known is base64");
                }
                base64 = encoding != null;
                return true;
            }
            return false;
        }
    }

    private static final class Reading {
        private @Nullable String id;
        private @Nullable Reason reason;
        private @Nullable String stage;
        private String error = "";
        private int attempts = 1;
        private @Nullable Long failedAtMillis;
        private DeadLetter.@Nullable Source source;
        private boolean eventIdSeen;
        private @Nullable EventId eventId;
        private final Bytes payload = new Bytes();
        private final List<DeadLetter.Header> headers = new ArrayList<>();

        boolean hasHead() {
            return id != null
                    && reason != null
                    && stage != null
                    && failedAtMillis != null
                    && source != null
                    && eventIdSeen;
        }

        void field(String name, JsonParser parser) throws IOException {
            switch (name) {
                case "id" -> id = text(name, parser);
                case "reason" -> reason = reason(text(name, parser));
                case "stage" -> stage = text(name, parser);
                case "error" -> error = text(name, parser);
                case "attempts" -> attempts = (int) number(name, parser);
                case "failed_at" -> failedAtMillis = time(text(name, parser));
                case "source" -> source = source(parser);
                case "event_id" -> {
                    eventIdSeen = true;
                    eventId = eventId(parser);
                }
                case "headers" -> headers(parser);
                default -> {
                    if (!payload.field(name, "payload", parser)) {
                        parser.skipChildren();
                    }
                }
            }
        }

        private static @Nullable EventId eventId(JsonParser parser) throws IOException {
            if (parser.currentToken() != JsonToken.VALUE_STRING) {
                return parser.currentToken() == JsonToken.VALUE_NULL ? null : EventId.of(number("event_id", parser));
            }
            if (!EventId.isText(parser.getText())) {
                throw new UnreadableLetterException("event_id is not " + EventId.TEXT_RULE);
            }
            return EventId.of(parser.getText());
        }

        private static Reason reason(String name) throws UnreadableLetterException {
            try {
                return Reason.valueOf(name);
            } catch (IllegalArgumentException e) {
                throw new UnreadableLetterException("its reason is '" + name + "', which this build does not know");
            }
        }

        private static long time(String text) throws UnreadableLetterException {
            long micros = Timestamps.parse(text);
            if (micros == Timestamps.INVALID) {
                throw new UnreadableLetterException("its failed_at is '" + text + "', which is no time");
            }
            return Math.floorDiv(micros, 1_000);
        }

        private static DeadLetter.Source source(JsonParser parser) throws IOException {
            @Nullable String topic = null;
            long partition = -1;
            long offset = -1;
            long timestamp = -1;
            expect("source", parser, JsonToken.START_OBJECT, "an object");
            for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
                parser.nextToken();
                switch (name) {
                    case "topic" -> topic = text(name, parser);
                    case "partition" -> partition = number(name, parser);
                    case "offset" -> offset = number(name, parser);
                    case "timestamp" -> timestamp = number(name, parser);
                    default -> parser.skipChildren();
                }
            }
            if (topic == null) {
                throw new UnreadableLetterException("its source has no topic");
            }
            return new DeadLetter.Source(topic, (int) partition, offset, timestamp);
        }

        private void headers(JsonParser parser) throws IOException {
            expect("headers", parser, JsonToken.START_ARRAY, "an array");
            while (parser.nextToken() != JsonToken.END_ARRAY) {
                expect("a header", parser, JsonToken.START_OBJECT, "an object");
                @Nullable String key = null;
                Bytes value = new Bytes();
                for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
                    parser.nextToken();
                    if (name.equals("key")) {
                        key = text(name, parser);
                    } else if (!value.field(name, "value", parser)) {
                        parser.skipChildren();
                    }
                }
                if (key == null) {
                    throw new UnreadableLetterException("a header has no key");
                }
                headers.add(new DeadLetter.Header(key, value.done("the value of header " + key)));
            }
        }

        DeadLetter done() throws UnreadableLetterException {
            if (id == null || reason == null || stage == null || failedAtMillis == null || source == null) {
                throw new UnreadableLetterException("it lacks one of id, reason, stage, failed_at and source");
            }
            return new DeadLetter(
                    id,
                    reason,
                    stage,
                    error,
                    attempts,
                    failedAtMillis,
                    source,
                    eventId,
                    payload.done("its payload"),
                    headers);
        }
    }

    private static String text(String name, JsonParser parser) throws IOException {
        expect(name, parser, JsonToken.VALUE_STRING, "a text");
        return parser.getText();
    }

    private static @Nullable String textOrNull(String name, JsonParser parser) throws IOException {
        return parser.currentToken() == JsonToken.VALUE_NULL ? null : text(name, parser);
    }

    private static long number(String name, JsonParser parser) throws IOException {
        expect(name, parser, JsonToken.VALUE_NUMBER_INT, "a whole number");
        return parser.getLongValue();
    }

    private static void expect(String name, JsonParser parser, JsonToken wanted, String said) throws IOException {
        if (parser.currentToken() != wanted) {
            throw new UnreadableLetterException(name + " is not " + said);
        }
    }
}
