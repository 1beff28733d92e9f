package dev.engagement.warehouse;

import com.fasterxml.jackson.annotation.JsonFormat;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The few small JSON documents of the REST interface, as maps, lists, texts, numbers, booleans and nulls. */
final class RestJson {

    private static final ObjectMapper MAPPER = new ObjectMapper();

    static {
        // Google's JSON has integers of 64 bits as texts.
        MAPPER.configOverride(Long.class).setFormat(JsonFormat.Value.forShape(JsonFormat.Shape.STRING));
    }

    private RestJson() {}

    /** An object's fields; none if the text is empty. */
    static Map<String, @Nullable Object> object(String text) throws IOException {
        return text.isBlank()
                ? Map.of()
                : asObject(MAPPER.readValue(text, new TypeReference<Map<String, Object>>() {}));
    }

    /** The fields of what should be an object; none if it is missing. */
    @SuppressWarnings("unchecked") // Jackson makes maps with texts for keys
    static Map<String, @Nullable Object> asObject(@Nullable Object value) throws IOException {
        if (value == null) {
            return Map.of();
        }
        if (value instanceof Map<?, ?> map) {
            return (Map<String, @Nullable Object>) map;
        }
        throw new IOException("BigQuery's answer has a value where an object should be");
    }

    /** The elements of what should be an array; none if it is missing. */
    static List<?> asList(@Nullable Object value) throws IOException {
        if (value == null) {
            return List.of();
        }
        if (value instanceof List<?> list) {
            return list;
        }
        throw new IOException("BigQuery's answer has a value where an array should be");
    }

    static String write(Object value) {
        try {
            return MAPPER.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException("Writing JSON into memory failed", e);
        }
    }
}
