package dev.engagement.api.live;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * A window of a rollup, as a message or a sorted set of the live view has it.
 *
 * @param subject the same for all messages about this window: its start, and the parts of its key
 * @param endMillis milliseconds since the epoch, exclusive
 * @param eventType null if that is no part of its key
 * @param windowSize null if that is no part of its key
 * @param rollup null if event type and window size say it all
 * @param json as it came, in a line
 */
record WindowUpdate(
        String subject,
        long endMillis,
        @Nullable String eventType,
        @Nullable String windowSize,
        @Nullable String rollup,
        String json) {

    /** Of a message that is read at all; those of the job have some hundred. */
    static final int MAX_CHARS = 64 * 1024;

    private static final JsonFactory JSON = new JsonFactoryBuilder()
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .build();

    /** Whether it is one of those by event type and window size, of which the live view keeps {@code metric:…}. */
    boolean isMetric() {
        return rollup == null && eventType != null && windowSize != null;
    }

    /** Reads one; null if it is none, since the channel may be written to by others too. */
    static @Nullable WindowUpdate parse(String text) {
        if (text.length() > MAX_CHARS) {
            return null;
        }
        // Between tokens they are spaces, and within a text JSON does not allow them. A message must be a line.
        String line = text.replace('\n', ' ').replace('\r', ' ');
        try (JsonParser json = JSON.createParser(line)) {
            return json.nextToken() == JsonToken.START_OBJECT ? window(json, line) : null;
        } catch (IOException notJson) {
            return null;
        }
    }

    private static @Nullable WindowUpdate window(JsonParser json, String line) throws IOException {
        StringBuilder subject = new StringBuilder(64);
        Long start = null;
        Long end = null;
        String eventType = null;
        String windowSize = null;
        String rollup = null;
        while (json.nextToken() == JsonToken.FIELD_NAME) {
            String name = json.currentName();
            JsonToken value = json.nextToken();
            if (value == JsonToken.VALUE_STRING) {
                // What is text in a window is a part of its key: measures are numbers.
                String part = json.getText();
                subject.append(name).append('=').append(part).append('\n');
                switch (name) {
                    case "event_type" -> eventType = part;
                    case "window_size" -> windowSize = part;
                    case "rollup" -> rollup = part;
                    default -> {}
                }
            } else if (value == JsonToken.VALUE_NUMBER_INT && name.equals("window_start")) {
                start = json.getLongValue();
            } else if (value == JsonToken.VALUE_NUMBER_INT && name.equals("window_end")) {
                end = json.getLongValue();
            } else {
                json.skipChildren();
            }
        }
        if (json.currentToken() != JsonToken.END_OBJECT || json.nextToken() != null || start == null || end == null) {
            return null;
        }
        return new WindowUpdate(subject.append(start).toString(), end, eventType, windowSize, rollup, line);
    }
}
