package dev.engagement.api.track;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.engagement.event.JsonText;
import java.io.IOException;
import java.io.StringWriter;
import org.jspecify.annotations.Nullable;

/**
 * Copies one JSON value, and finds what is JSON and yet not to be had in a column {@code jsonb}: the character NUL,
 * half of a surrogate pair, a number beyond a double's exponent. Such a number is short here and long wherever it is
 * shown, as {@code jsonb} writes numbers without an exponent; so what exponents add counts as bytes too. For one value.
 */
final class PayloadCopy {

    /** As a double's: far from what a numeric of PostgreSQL ends at. */
    private static final int MAX_EXPONENT = 308;

    private final int maxBytes;
    private long exponents;
    private @Nullable String problem;

    /** @param maxBytes that the value may have once every number is written out */
    PayloadCopy(int maxBytes) {
        this.maxBytes = maxBytes;
    }

    /** Why the value would not do; null if it does. */
    @Nullable
    String problem() {
        return problem;
    }

    /**
     * Reads the value to its end, whatever is wrong with it.
     *
     * @param first its first token, where the parser is
     * @return the value, not to be used if there is a {@link #problem}
     */
    String of(JsonParser json, JsonToken first) throws IOException {
        StringWriter text = new StringWriter();
        try (JsonGenerator out = EventParser.JSON.createGenerator(text)) {
            int depth = 0;
            JsonToken token = first;
            while (true) {
                depth += copy(json, token, out);
                if (depth == 0) {
                    break;
                }
                if (depth > EventParser.MAX_DEPTH) {
                    fail("is nested more than " + EventParser.MAX_DEPTH + " levels deep");
                }
                token = json.nextToken();
            }
        }
        if (text.getBuffer().length() + exponents > maxBytes) {
            fail("has more than " + maxBytes + " bytes once its numbers are written out");
        }
        return text.toString();
    }

    /** By how many levels the token goes down. */
    private int copy(JsonParser json, JsonToken token, JsonGenerator out) throws IOException {
        switch (token) {
            case START_OBJECT -> {
                out.writeStartObject();
                return 1;
            }
            case START_ARRAY -> {
                out.writeStartArray();
                return 1;
            }
            case END_OBJECT -> {
                out.writeEndObject();
                return -1;
            }
            case END_ARRAY -> {
                out.writeEndArray();
                return -1;
            }
            case FIELD_NAME -> out.writeFieldName(checked(json.currentName()));
            case VALUE_STRING -> out.writeString(checked(json.getText()));
            case VALUE_NUMBER_INT -> out.writeNumber(json.getText());
            case VALUE_NUMBER_FLOAT -> out.writeNumber(number(json.getText()));
            case VALUE_TRUE -> out.writeBoolean(true);
            case VALUE_FALSE -> out.writeBoolean(false);
            default -> out.writeNull();
        }
        return 0;
    }

    private String checked(String text) {
        if (text.indexOf('\0') >= 0) {
            fail("has the character NUL, which PostgreSQL holds in no text");
        } else if (!JsonText.isWellFormed(text)) {
            fail("has half of a surrogate pair, which is no character");
        }
        return text;
    }

    private String number(String text) {
        int at = Math.max(text.indexOf('e'), text.indexOf('E'));
        if (at < 0) {
            return text;
        }
        // At most a thousand digits, of which zeros may come first.
        int exponent = 0;
        for (int i = at + 1; i < text.length() && exponent <= MAX_EXPONENT; i++) {
            char c = text.charAt(i);
            if (c >= '0' && c <= '9') {
                exponent = exponent * 10 + (c - '0');
            }
        }
        if (exponent > MAX_EXPONENT) {
            fail("has the number " + BodyForm.shown(text) + ", with an exponent beyond " + MAX_EXPONENT);
        }
        exponents += exponent;
        return text;
    }

    private void fail(String why) {
        problem = problem == null ? why : problem;
    }
}
