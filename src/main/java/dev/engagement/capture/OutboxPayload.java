package dev.engagement.capture;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.io.JsonStringEncoder;
import dev.engagement.event.EventId;
import dev.engagement.event.Integers;
import dev.engagement.event.JsonText;
import dev.engagement.event.Timestamps;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/**
 * A payload of an outbox, read front to back without a tree, and written as capturing its table would have written that row:
 * the columns in use in the table's order, times in UTC, {@code raw_payload} as the text of its JSON. A value of another type
 * than its column's goes on as it is, for the stream to judge, as one of a table does.
 *
 * <p>It is read into the same fields again and again: for one thread, and good until the next {@link #read}.
 */
final class OutboxPayload {

    /** What a payload is. */
    enum Kind {
        /** Nothing: no text, null, or an object without fields. */
        EMPTY,
        /** An object; what its fields are worth is another question. */
        OBJECT,
        /** No JSON object: see {@link #problem}. */
        BROKEN
    }

    private static final String ID = "id";
    private static final String RAW_PAYLOAD = "raw_payload";
    private static final List<String> TIMES = List.of("event_ts", "publish_ts");

    private static final int MAX_COLUMNS = 8;

    static final JsonFactory JSON = new JsonFactoryBuilder()
            // The names come from outside: a run of colliding ones must not turn into an exception.
            .disable(JsonFactory.Feature.FAIL_ON_SYMBOL_HASH_OVERFLOW)
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            // A number is copied and never converted: the size of the row is limit enough.
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNumberLength(Integer.MAX_VALUE)
                    .maxNameLength(Integer.MAX_VALUE)
                    .maxStringLength(Integer.MAX_VALUE)
                    .build())
            .build();

    private final @Nullable String[] values = new String[MAX_COLUMNS];
    private final boolean[] texts = new boolean[MAX_COLUMNS];
    private final boolean[] found = new boolean[MAX_COLUMNS];
    private final @Nullable String[] problems = new String[MAX_COLUMNS];
    private CapturedTable table = CapturedTable.EVENTS;
    private @Nullable String problem;

    /** Reads a payload that should be a row of that table. */
    Kind read(@Nullable String payload, CapturedTable of) {
        table = of;
        problem = null;
        Arrays.fill(values, null);
        Arrays.fill(found, false);
        Arrays.fill(problems, null);
        if (payload == null) {
            return Kind.EMPTY;
        }
        try (JsonParser parser = JSON.createParser(payload)) {
            JsonToken first = parser.nextToken();
            if (first == null || first == JsonToken.VALUE_NULL) {
                return parser.nextToken() == null ? Kind.EMPTY : broken("something follows its JSON");
            }
            if (first != JsonToken.START_OBJECT) {
                return broken("it is no JSON object");
            }
            boolean isEmpty = true;
            for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
                isEmpty = false;
                parser.nextToken();
                int column = table.columns().indexOf(name);
                if (column >= 0) {
                    take(column, name, parser, payload);
                } else {
                    parser.skipChildren();
                }
            }
            if (parser.nextToken() != null) {
                return broken("something follows its JSON object");
            }
            return isEmpty ? Kind.EMPTY : Kind.OBJECT;
        } catch (JacksonException e) {
            return broken("it is not readable as JSON: " + e.getOriginalMessage());
        } catch (IOException e) {
            return broken("it is not readable: " + e);
        }
    }

    private Kind broken(String what) {
        problem = what;
        return Kind.BROKEN;
    }

    /** Of a repeated field the last counts. */
    private void take(int column, String name, JsonParser parser, String payload) throws IOException {
        found[column] = true;
        problems[column] = null;
        texts[column] = false;
        JsonToken token = parser.currentToken();
        if (token == JsonToken.VALUE_NULL) {
            values[column] = null;
        } else if (name.equals(RAW_PAYLOAD)) {
            values[column] = json(token, parser, payload);
            texts[column] = true;
        } else if (token.isStructStart()) {
            problems[column] = name + " is " + (token == JsonToken.START_OBJECT ? "an object" : "an array")
                    + ", which no column but " + RAW_PAYLOAD + " holds";
            parser.skipChildren();
        } else {
            String text = parser.getText();
            texts[column] = token == JsonToken.VALUE_STRING;
            if (texts[column] && !JsonText.isWellFormed(text)) {
                problems[column] = name + " holds half of a surrogate pair, which no text in PostgreSQL can";
            }
            values[column] = texts[column] && TIMES.contains(name) ? utc(text) : text;
        }
    }

    /** The text of a value as it stands. */
    private static String json(JsonToken token, JsonParser parser, String payload) throws IOException {
        if (token.isStructStart()) {
            return verbatim(parser, payload);
        }
        String text = parser.getText();
        return token == JsonToken.VALUE_STRING
                ? '"' + new String(JsonStringEncoder.getInstance().quoteAsString(text)) + '"'
                : text;
    }

    /** The text of the object or array that the parser stands on, which it leaves at its end. */
    static String verbatim(JsonParser parser, String whole) throws IOException {
        int from = (int) parser.currentTokenLocation().getCharOffset();
        parser.skipChildren();
        return whole.substring(from, (int) parser.currentLocation().getCharOffset());
    }

    /** A time without a zone is one in UTC. What is no time stays as it is: the stream says so. */
    private static String utc(String text) {
        int length = text.length();
        if (length >= 20 && text.charAt(10) == 'T') {
            if (text.charAt(length - 1) == 'Z') {
                return text;
            }
            if (text.endsWith("+00:00")) {
                return text.substring(0, length - "+00:00".length()) + 'Z';
            }
        }
        long micros = Timestamps.parse(text);
        if (micros == Timestamps.INVALID) {
            micros = Timestamps.parse(text + 'Z');
        }
        return micros == Timestamps.INVALID ? text : Timestamps.format(micros);
    }

    /**
     * What is wrong with it as a row of its table; null if nothing is.
     *
     * @param mayLack whether columns in use may be missing
     */
    @Nullable
    String problem(boolean mayLack) {
        if (problem != null) {
            return problem;
        }
        List<String> columns = table.columns();
        StringJoiner missing = new StringJoiner(", ");
        for (int i = 0; i < columns.size(); i++) {
            if (problems[i] != null) {
                return problems[i];
            }
            if (!found[i] && !mayLack) {
                missing.add(columns.get(i));
            }
        }
        if (missing.length() > 0) {
            return "it has no " + missing;
        }
        return hasId() ? null : "its id is missing or null";
    }

    /** Whether it says which row it is. */
    boolean hasId() {
        int column = table.columns().indexOf(ID);
        String id = values[column];
        return problem == null && problems[column] == null && id != null && !id.isEmpty();
    }

    /** The event's id, if it is one; null if not. */
    @Nullable
    EventId eventId() {
        return hasId() && table == CapturedTable.EVENTS
                ? EventId.ofAnyKind(values[table.columns().indexOf(ID)])
                : null;
    }

    /** Forgets all but the id, if there is one; else takes that one: a number if it looks like one. */
    void keepOnlyId(String orElse) {
        int column = table.columns().indexOf(ID);
        if (!hasId()) {
            values[column] = orElse;
            texts[column] = Integers.parse(orElse).isEmpty();
        }
        for (int i = 0; i < values.length; i++) {
            if (i != column) {
                values[i] = null;
            }
        }
    }

    /** The record's key. */
    void writeKey(JsonGenerator json) throws IOException {
        json.writeStartObject();
        write(json, table.columns().indexOf(ID));
        json.writeEndObject();
    }

    /** The row: all columns in use, null where there is nothing. */
    void writeRow(JsonGenerator json) throws IOException {
        json.writeStartObject();
        for (int i = 0; i < table.columns().size(); i++) {
            write(json, i);
        }
        json.writeEndObject();
    }

    private void write(JsonGenerator json, int column) throws IOException {
        json.writeFieldName(table.columns().get(column));
        String value = values[column];
        if (value == null) {
            json.writeNull();
        } else if (texts[column]) {
            json.writeString(value);
        } else {
            // A number, true or false, as it stood there.
            json.writeRawValue(value);
        }
    }
}
