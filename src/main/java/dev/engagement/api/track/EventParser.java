package dev.engagement.api.track;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.engagement.api.definition.ApiDefinition;
import dev.engagement.api.track.TrackRefusedException.Refusal;
import dev.engagement.event.Integers;
import dev.engagement.event.JsonText;
import dev.engagement.event.Timestamps;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Reads the events of a body, as a stream of tokens. One that would not do says where and why, and the others are
 * looked at all the same, so that a producer learns of all that is wrong at once. What passes here no type, range or
 * text of the shipped tables refuses; what only the database knows, such as whether there is such a content, is its
 * affair. Thread-safe.
 */
final class EventParser {

    /** More are not looked for. */
    static final int MAX_REFUSALS = 20;

    /** Levels of a payload. */
    static final int MAX_DEPTH = 32;

    private static final int MAX_DEVICE_BYTES = 256;

    /** More than any way of writing a moment needs. */
    private static final int MAX_INSTANT_CHARS = 40;

    private static final String CONTENT_ID = "content_id";
    private static final String USER_ID = "user_id";
    private static final String EVENT_TYPE = "event_type";
    private static final String EVENT_TS = "event_ts";
    private static final String DURATION_MS = "duration_ms";
    private static final String DEVICE = "device";
    private static final String PAYLOAD = "payload";
    private static final String EVENT_KEY = "event_key";

    private static final List<String> FIELDS =
            List.of(CONTENT_ID, USER_ID, EVENT_TYPE, EVENT_TS, DURATION_MS, DEVICE, PAYLOAD, EVENT_KEY);

    private static final List<String> REQUIRED = List.of(CONTENT_ID, USER_ID, EVENT_TYPE);

    /** Names are anybody's: none is remembered. What is nested very deep, or a number very long, it refuses itself. */
    static final JsonFactory JSON = new JsonFactoryBuilder()
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .build();

    private final TrackOptions options;
    private final Clock clock;

    /** @param clock when an event happened that does not say, and how far ahead is too far */
    EventParser(TrackOptions options, Clock clock) {
        this.options = options;
        this.clock = clock;
    }

    /**
     * The events of a body, in their order; at least one.
     *
     * @param contentIds form of the contents' ids
     * @param userIds form of the users' ids
     * @throws TrackRefusedException if anything of it would not do
     */
    List<TrackEvent> parse(byte[] body, BodyForm form, IdForm contentIds, IdForm userIds) throws TrackRefusedException {
        if (body.length > options.maxBodyBytes()) {
            throw TrackRefusedException.tooLarge(
                    "has " + body.length + " bytes, of " + options.maxBodyBytes() + " that it may have",
                    "send it in several requests");
        }
        if (JsonText.scan(body) == JsonText.Encoding.BROKEN) {
            throw TrackRefusedException.unprocessable(
                    List.of(new Refusal(0, "body", "is not UTF-8", "encode it as UTF-8")));
        }
        String text = withoutMark(new String(body, StandardCharsets.UTF_8));
        Reading reading = new Reading(contentIds, userIds, clock.instant());
        if (form == BodyForm.LINES) {
            reading.lines(text);
        } else {
            reading.document(text);
        }
        return reading.result();
    }

    /** One body on its way. */
    private final class Reading {

        private final IdForm contentIds;
        private final IdForm userIds;
        private final Instant now;
        private final List<TrackEvent> events = new ArrayList<>();
        private final List<Refusal> refusals = new ArrayList<>();

        Reading(IdForm contentIds, IdForm userIds, Instant now) {
            this.contentIds = contentIds;
            this.userIds = userIds;
            this.now = now;
        }

        List<TrackEvent> result() throws TrackRefusedException {
            if (refusals.isEmpty() && events.isEmpty()) {
                refuse(0, "body", "has no event", "send one at least");
            }
            if (!refusals.isEmpty()) {
                throw TrackRefusedException.unprocessable(refusals);
            }
            return events;
        }

        private boolean isEnough() {
            return refusals.size() >= MAX_REFUSALS;
        }

        private void refuse(int line, String field, String what, String wayOut) {
            if (!isEnough()) {
                refusals.add(new Refusal(line, field, what, wayOut));
            }
        }

        void lines(String text) throws TrackRefusedException {
            int line = 0;
            int start = 0;
            while (start < text.length() && !isEnough()) {
                int end = text.indexOf('\n', start);
                end = end < 0 ? text.length() : end;
                String one = text.substring(start, end);
                start = end + 1;
                line++;
                if (!one.isBlank()) {
                    line(one, line);
                }
            }
        }

        private void line(String text, int line) throws TrackRefusedException {
            try (JsonParser json = JSON.createParser(text.toCharArray())) {
                if (json.nextToken() != JsonToken.START_OBJECT) {
                    refuse(line, "body", "has a line that is no JSON object", "write one event in each line");
                    return;
                }
                event(json, text, line);
                if (json.nextToken() != null) {
                    refuse(line, "body", "has a line with more than one JSON value", "write one event in each line");
                }
            } catch (IOException e) {
                notJson(line, e);
            }
        }

        void document(String text) throws TrackRefusedException {
            int place = 1;
            try (JsonParser json = JSON.createParser(text.toCharArray())) {
                JsonToken first = json.nextToken();
                if (first == null) {
                    return;
                }
                if (first == JsonToken.START_OBJECT) {
                    event(json, text, place);
                } else if (first == JsonToken.START_ARRAY) {
                    for (JsonToken next = json.nextToken(); next != JsonToken.END_ARRAY; next = json.nextToken()) {
                        if (next == null || isEnough()) {
                            return;
                        }
                        if (next == JsonToken.START_OBJECT) {
                            event(json, text, place);
                        } else {
                            refuse(
                                    place,
                                    "body",
                                    "has " + kind(next) + " in the array",
                                    "put nothing but events into it");
                            json.skipChildren();
                        }
                        place++;
                    }
                } else {
                    refuse(0, "body", "is " + kind(first), "send an event or an array of events");
                    return;
                }
                if (json.nextToken() != null) {
                    refuse(
                            0,
                            "body",
                            "has more than one JSON value",
                            "put the events into an array, or send them as application/x-ndjson");
                }
            } catch (IOException e) {
                notJson(place, e);
            }
        }

        private void notJson(int line, IOException e) {
            String where = "";
            String said = String.valueOf(e.getMessage());
            if (e instanceof JacksonException json) {
                JsonLocation location = json.getLocation();
                said = json.getOriginalMessage();
                where = location == null
                        ? ""
                        : " at line " + location.getLineNr() + ", column " + location.getColumnNr() + " of it";
            }
            refuse(
                    line,
                    "body",
                    "cannot be read as JSON" + where + " (" + BodyForm.shown(said) + ")",
                    "write JSON as RFC 8259 has it, nested at most " + MAX_DEPTH + " levels deep");
        }

        /** The parser is at the event's first brace, and afterwards at its last. */
        private void event(JsonParser json, String text, int line) throws IOException, TrackRefusedException {
            if (events.size() >= options.maxEvents()) {
                throw TrackRefusedException.tooLarge(
                        "has more than " + options.maxEvents() + " events", "send them in several requests");
            }
            int before = refusals.size();
            int start = (int) json.currentLocation().getCharOffset() - 1;
            int seen = 0;
            int given = 0;
            String contentId = null;
            String userId = null;
            String eventType = null;
            long eventTsMicros = Timestamps.microsOf(now);
            Integer durationMs = null;
            String device = null;
            String payload = null;
            String key = null;
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String name = json.currentName();
                JsonToken value = json.nextToken();
                int field = FIELDS.indexOf(name);
                if (field < 0) {
                    refuse(
                            line,
                            BodyForm.shown(name),
                            "is not known",
                            "put it into payload, or name it one of " + String.join(", ", FIELDS));
                    json.skipChildren();
                    continue;
                }
                int bit = 1 << field;
                if ((seen & bit) != 0) {
                    refuse(line, name, "is there twice", "give it once");
                    json.skipChildren();
                    continue;
                }
                seen |= bit;
                if (value == JsonToken.VALUE_NULL) {
                    continue;
                }
                given |= bit;
                switch (name) {
                    case CONTENT_ID -> contentId = id(json, value, line, name, contentIds);
                    case USER_ID -> userId = id(json, value, line, name, userIds);
                    case EVENT_TYPE -> eventType = eventType(json, value, line);
                    case EVENT_TS -> eventTsMicros = eventTs(json, value, line);
                    case DURATION_MS -> durationMs = durationMs(json, value, line);
                    case DEVICE -> device = text(json, value, line, name, 0, MAX_DEVICE_BYTES);
                    case PAYLOAD -> payload = payload(json, value, line);
                    default -> key = text(json, value, line, name, 1, ApiDefinition.MAX_KEY_BYTES);
                }
            }
            for (String name : REQUIRED) {
                int bit = 1 << FIELDS.indexOf(name);
                if ((given & bit) == 0) {
                    refuse(line, name, "is missing", "give it");
                }
            }
            int end = (int) json.currentLocation().getCharOffset();
            if (isLongerThan(options.maxEventBytes(), text, start, end)) {
                refuse(
                        line,
                        PAYLOAD,
                        "makes an event of more than " + options.maxEventBytes() + " bytes",
                        "put less into it");
            }
            if (refusals.size() == before && contentId != null && userId != null && eventType != null) {
                events.add(new TrackEvent(
                        line, contentId, userId, eventType, eventTsMicros, durationMs, device, payload, key));
            }
        }

        private @Nullable String id(JsonParser json, JsonToken value, int line, String field, IdForm form)
                throws IOException {
            if (value != JsonToken.VALUE_STRING && value != JsonToken.VALUE_NUMBER_INT) {
                refuse(line, field, "is " + kind(value), form.wayOut());
                json.skipChildren();
                return null;
            }
            String text = json.getText();
            if (!form.accepts(text)) {
                refuse(line, field, "is '" + BodyForm.shown(text) + "'", form.wayOut());
                return null;
            }
            return text;
        }

        private @Nullable String eventType(JsonParser json, JsonToken value, int line) throws IOException {
            String wayOut = "choose one of " + String.join(", ", options.eventTypes());
            if (value != JsonToken.VALUE_STRING) {
                refuse(line, EVENT_TYPE, "is " + kind(value), wayOut);
                json.skipChildren();
                return null;
            }
            String text = json.getText();
            if (!options.eventTypes().contains(text)) {
                refuse(line, EVENT_TYPE, "is '" + BodyForm.shown(text) + "'", wayOut);
                return null;
            }
            return text;
        }

        /** Microseconds since the epoch; anything if it was refused. */
        private long eventTs(JsonParser json, JsonToken value, int line) throws IOException {
            long micros = Timestamps.INVALID;
            String text = "";
            if (value == JsonToken.VALUE_STRING) {
                text = json.getText();
                micros = text.length() <= MAX_INSTANT_CHARS ? Timestamps.parse(text) : Timestamps.INVALID;
            } else if (value == JsonToken.VALUE_NUMBER_INT) {
                text = json.getText();
                OptionalLong millis = Integers.parse(text);
                if (millis.isPresent()
                        && millis.getAsLong() >= Timestamps.MIN_MICROS / 1_000
                        && millis.getAsLong() <= Timestamps.MAX_MICROS / 1_000) {
                    micros = millis.getAsLong() * 1_000;
                }
            } else {
                json.skipChildren();
            }
            if (micros == Timestamps.INVALID) {
                refuse(
                        line,
                        EVENT_TS,
                        text.isEmpty() ? "is " + kind(value) : "is '" + BodyForm.shown(text) + "'",
                        "give a moment like 2026-01-08T09:00:00Z, or milliseconds since the epoch, within years 1 to"
                                + " 9999; or leave it out, and it is now");
            } else if (Timestamps.isAhead(
                    micros, now.toEpochMilli(), options.maxAhead().toMillis())) {
                refuse(
                        line,
                        EVENT_TS,
                        "is '" + BodyForm.shown(text) + "', more than "
                                + options.maxAhead().toSeconds() + " s ahead of " + now,
                        "set the clock, or leave it out, and it is now");
            }
            return micros;
        }

        private @Nullable Integer durationMs(JsonParser json, JsonToken value, int line) throws IOException {
            if (value == JsonToken.VALUE_NUMBER_INT) {
                OptionalLong number = Integers.parse(json.getText());
                if (number.isPresent() && number.getAsLong() >= 0 && number.getAsLong() <= Integer.MAX_VALUE) {
                    return (int) number.getAsLong();
                }
            }
            refuse(
                    line,
                    DURATION_MS,
                    value.isScalarValue() ? "is '" + BodyForm.shown(json.getText()) + "'" : "is " + kind(value),
                    "give a whole number of milliseconds from 0 to " + Integer.MAX_VALUE + ", or leave it out");
            json.skipChildren();
            return null;
        }

        private @Nullable String text(
                JsonParser json, JsonToken value, int line, String field, int minChars, int maxBytes)
                throws IOException {
            String wayOut = "give a text of " + minChars + " to " + maxBytes
                    + " bytes in UTF-8 without control characters, or leave it out";
            if (value != JsonToken.VALUE_STRING) {
                refuse(line, field, "is " + kind(value), wayOut);
                json.skipChildren();
                return null;
            }
            String text = json.getText();
            if (text.length() < minChars
                    || isLongerThan(maxBytes, text, 0, text.length())
                    || text.chars().anyMatch(Character::isISOControl)
                    || !JsonText.isWellFormed(text)) {
                refuse(line, field, "is '" + BodyForm.shown(text) + "'", wayOut);
                return null;
            }
            return text;
        }

        private @Nullable String payload(JsonParser json, JsonToken value, int line) throws IOException {
            PayloadCopy copy = new PayloadCopy(options.maxEventBytes());
            String text = copy.of(json, value);
            String problem = copy.problem();
            if (problem != null) {
                refuse(line, PAYLOAD, problem, "leave that out, or write it as a text");
                return null;
            }
            return text;
        }
    }

    /** Some programs begin UTF-8 with a byte order mark, which is no JSON. */
    private static String withoutMark(String text) {
        return text.startsWith("\uFEFF") ? text.substring(1) : text;
    }

    /** Whether a part of a text has more than so many bytes in UTF-8. */
    private static boolean isLongerThan(int maxBytes, String text, int start, int end) {
        int chars = end - start;
        if (chars > maxBytes || chars * 3L <= maxBytes) {
            return chars > maxBytes;
        }
        return text.substring(start, end).getBytes(StandardCharsets.UTF_8).length > maxBytes;
    }

    private static String kind(@Nullable JsonToken token) {
        if (token == null) {
            return "nothing";
        }
        return switch (token) {
            case START_OBJECT -> "an object";
            case START_ARRAY -> "an array";
            case VALUE_STRING -> "a text";
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> "a number";
            case VALUE_TRUE, VALUE_FALSE -> "true or false";
            case VALUE_NULL -> "null";
            default -> "something else";
        };
    }
}
