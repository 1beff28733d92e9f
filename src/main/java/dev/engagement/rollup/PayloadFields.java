package dev.engagement.rollup;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The fields of {@code raw_payload} that rollups ask for, found in one pass and without a tree; of most payloads, which
 * escape nothing, without a parser. Of a field that is there
 * twice the last one counts, as in {@code jsonb}. A payload that is no object has no fields. Not thread-safe.
 */
final class PayloadFields {

    /** What a field holds. */
    enum Kind {
        ABSENT,
        NULL,
        TEXT,
        NUMBER,
        BOOLEAN,
        /** An object or an array. */
        NESTED
    }

    /** The payload was accepted with its event, whatever is in it: nothing here refuses it for its size. */
    private static final JsonFactory FACTORY = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(Integer.MAX_VALUE)
                    .maxNumberLength(Integer.MAX_VALUE)
                    .maxStringLength(Integer.MAX_VALUE)
                    .maxNameLength(Integer.MAX_VALUE)
                    .build())
            .build();

    private final String[] names;
    /** As the name stands in a payload that escapes nothing. */
    private final String[] quoted;

    private final Kind[] kinds;
    private final @Nullable String[] texts;

    /** @param names of the fields, each once */
    PayloadFields(List<String> names) {
        this.names = names.toArray(String[]::new);
        this.quoted = names.stream().map(name -> '"' + name + '"').toArray(String[]::new);
        this.kinds = new Kind[this.names.length];
        this.texts = new String[this.names.length];
    }

    /** The place of a name. */
    int indexOf(String name) {
        int index = Arrays.asList(names).indexOf(name);
        if (index < 0) {
            throw new IllegalArgumentException("No rollup asks for the field '" + name + "'");
        }
        return index;
    }

    /** Looks at the payload of the next event. */
    void read(@Nullable String payload) {
        Arrays.fill(kinds, Kind.ABSENT);
        if (payload == null || !mayHaveAny(payload)) {
            return;
        }
        Arrays.fill(texts, null);
        if (payload.indexOf('\\') < 0 && scan(payload)) {
            return;
        }
        Arrays.fill(kinds, Kind.ABSENT);
        parse(payload);
    }

    private void parse(String payload) {
        try (JsonParser parser = FACTORY.createParser(payload)) {
            if (parser.nextToken() == JsonToken.START_OBJECT) {
                while (parser.nextToken() == JsonToken.FIELD_NAME) {
                    int index = find(parser.currentName());
                    JsonToken value = parser.nextToken();
                    if (index >= 0) {
                        take(index, value, parser);
                    }
                    parser.skipChildren();
                }
            }
        } catch (IOException e) {
            throw new IllegalStateException("A payload that was accepted as JSON cannot be read", e);
        }
    }

    Kind kind(int index) {
        return kinds[index];
    }

    /** A string's text, a number's digits, or {@code true} and {@code false}; null of any other kind. */
    @Nullable
    String text(int index) {
        return kinds[index] == Kind.ABSENT ? null : texts[index];
    }

    /** Most payloads have none, and are not read. A name may be written with escapes. */
    private boolean mayHaveAny(String payload) {
        for (String name : quoted) {
            if (payload.contains(name)) {
                return true;
            }
        }
        return quoted.length > 0 && payload.indexOf('\\') >= 0;
    }

    /**
     * Looks at a payload that escapes nothing, so that a string ends at the next quotation mark.
     *
     * @return whether it could be read that way; if not, what was found does not count
     */
    private boolean scan(String payload) {
        int at = skipSpace(payload, 0);
        if (!is(payload, at, '{')) {
            // Values of other kinds have no fields.
            return at < payload.length();
        }
        at = skipSpace(payload, at + 1);
        if (is(payload, at, '}')) {
            return true;
        }
        while (is(payload, at, '"')) {
            int nameEnd = payload.indexOf('"', at + 1);
            int index = nameEnd < 0 ? -1 : find(payload, at, nameEnd + 1);
            int colon = skipSpace(payload, nameEnd + 1);
            if (nameEnd < 0 || !is(payload, colon, ':')) {
                return false;
            }
            int begin = skipSpace(payload, colon + 1);
            int end = endOfValue(payload, begin);
            if (end <= begin) {
                return false;
            }
            if (index >= 0) {
                take(index, payload, begin, end);
            }
            at = skipSpace(payload, end);
            if (is(payload, at, '}')) {
                return true;
            }
            if (!is(payload, at, ',')) {
                return false;
            }
            at = skipSpace(payload, at + 1);
        }
        return false;
    }

    private static boolean is(String text, int at, char c) {
        return at < text.length() && text.charAt(at) == c;
    }

    private static int skipSpace(String text, int from) {
        int at = from;
        while (at < text.length() && isSpace(text.charAt(at))) {
            at++;
        }
        return at;
    }

    private static boolean isSpace(char c) {
        return c == ' ' || c == '\n' || c == '\t' || c == '\r';
    }

    /** Behind the value that begins there; what stands before it if there is none. */
    private static int endOfValue(String text, int begin) {
        if (is(text, begin, '"')) {
            return text.indexOf('"', begin + 1) + 1;
        }
        int at = begin;
        int depth = 0;
        while (at < text.length()) {
            char c = text.charAt(at);
            if (c == '"') {
                at = text.indexOf('"', at + 1);
                if (at < 0) {
                    return -1;
                }
            } else if (c == '{' || c == '[') {
                depth++;
            } else if (c == '}' || c == ']') {
                if (depth == 0) {
                    return at;
                }
                depth--;
                if (depth == 0) {
                    return at + 1;
                }
            } else if (depth == 0 && (c == ',' || isSpace(c))) {
                return at;
            }
            at++;
        }
        return -1;
    }

    private void take(int index, String payload, int begin, int end) {
        kinds[index] = switch (payload.charAt(begin)) {
            case '"' -> Kind.TEXT;
            case '{', '[' -> Kind.NESTED;
            case 'n' -> Kind.NULL;
            case 't', 'f' -> Kind.BOOLEAN;
            default -> Kind.NUMBER;
        };
        texts[index] = switch (kinds[index]) {
            case TEXT -> payload.substring(begin + 1, end - 1);
            case NUMBER, BOOLEAN -> payload.substring(begin, end);
            default -> null;
        };
    }

    /** The place of a name that stands there in its quotation marks. */
    private int find(String payload, int begin, int end) {
        for (int i = 0; i < quoted.length; i++) {
            if (quoted[i].length() == end - begin && payload.startsWith(quoted[i], begin)) {
                return i;
            }
        }
        return -1;
    }

    private int find(String name) {
        for (int i = 0; i < names.length; i++) {
            if (names[i].equals(name)) {
                return i;
            }
        }
        return -1;
    }

    private void take(int index, JsonToken value, JsonParser parser) throws IOException {
        kinds[index] = switch (value) {
            case VALUE_STRING -> Kind.TEXT;
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> Kind.NUMBER;
            case VALUE_TRUE, VALUE_FALSE -> Kind.BOOLEAN;
            case VALUE_NULL -> Kind.NULL;
            default -> Kind.NESTED;
        };
        texts[index] = value.isScalarValue() && value != JsonToken.VALUE_NULL ? parser.getText() : null;
    }
}
