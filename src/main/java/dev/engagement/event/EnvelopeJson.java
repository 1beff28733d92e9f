package dev.engagement.event;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.ByteArrayBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;

/** Debezium's envelope of one row, as this project writes it. Thread-safe. */
public final class EnvelopeJson {

    private static final JsonFactory FACTORY = new JsonFactory();

    private EnvelopeJson() {}

    /** Writes some JSON. */
    @FunctionalInterface
    public interface Body {
        void writeTo(JsonGenerator json) throws IOException;
    }

    /**
     * An envelope of a row that is there.
     *
     * @param op {@code r} or {@code c}
     * @param committedAtMillis milliseconds since the epoch; 0 if it is not known
     * @param columns writes the row's fields
     */
    public static byte[] of(String op, long committedAtMillis, Body columns) {
        return document(json -> {
            json.writeStartObject();
            json.writeNullField("before");
            json.writeObjectFieldStart("after");
            columns.writeTo(json);
            json.writeEndObject();
            json.writeObjectFieldStart("source");
            json.writeNumberField("ts_ms", committedAtMillis);
            json.writeEndObject();
            json.writeStringField("op", op);
            json.writeEndObject();
        });
    }

    /** Any JSON document, in UTF-8. */
    public static byte[] document(Body body) {
        try (ByteArrayBuilder bytes = new ByteArrayBuilder(512)) {
            try (JsonGenerator json = FACTORY.createGenerator(bytes)) {
                body.writeTo(json);
            }
            return bytes.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException("Writing JSON into memory failed", e);
        }
    }
}
