package dev.engagement.capture;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * A row of an outbox that never was in a table: the content of a {@code pg_logical_emit_message}, a JSON object whose fields
 * are the outbox's columns. The payload may be an object, or text as in a column of type text.
 *
 * @param row what it says
 * @param problem why it says nothing, or null
 */
record OutboxMessage(OutboxReading.Row row, @Nullable String problem) {

    static OutboxMessage of(String content, OutboxOptions outbox) {
        @Nullable String[] values = new String[outbox.columns().size()];
        try (JsonParser parser = OutboxPayload.JSON.createParser(content)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                return broken(content, "it is no JSON object");
            }
            for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
                JsonToken token = parser.nextToken();
                int column = outbox.columns().indexOf(name);
                if (column < 0) {
                    parser.skipChildren();
                } else {
                    values[column] = token == JsonToken.VALUE_NULL
                            ? null
                            : token.isStructStart() ? OutboxPayload.verbatim(parser, content) : parser.getText();
                }
            }
            if (parser.nextToken() != null) {
                return broken(content, "something follows its JSON object");
            }
        } catch (JacksonException e) {
            return broken(content, "it is not readable as JSON: " + e.getOriginalMessage());
        } catch (IOException e) {
            return broken(content, "it is not readable: " + e);
        }
        // In the order of the columns.
        return new OutboxMessage(new OutboxReading.Row(values[0], values[1], values[2], values[3], values[4]), null);
    }

    private static OutboxMessage broken(String content, String what) {
        return new OutboxMessage(
                new OutboxReading.Row(null, null, null, null, content),
                "it is a message and no row of the outbox: " + what + "; expected is one JSON object with the fields of"
                        + " the outbox's columns");
    }
}
