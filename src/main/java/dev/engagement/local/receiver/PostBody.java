package dev.engagement.local.receiver;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.async.ByteBufferFeeder;
import com.fasterxml.jackson.core.exc.InputCoercionException;
import com.fasterxml.jackson.core.io.JsonEOFException;
import dev.engagement.event.EventId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads a post's body as it comes in: one event, or a batch of them as an array. Keeps of it the events' ids alone, so that
 * a huge body takes no more than its longest text. Not thread safe.
 */
final class PostBody {

    /** The most events of a batch. */
    static final int MAX_EVENTS = 100_000;

    private static final String EVENT_ID = "event_id";
    /** What PostgreSQL takes as jsonb is longer and deeper than what Jackson takes by itself. */
    private static final JsonFactory FACTORY = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(Integer.MAX_VALUE)
                    .maxStringLength(Integer.MAX_VALUE)
                    .maxNumberLength(Integer.MAX_VALUE)
                    .maxNameLength(Integer.MAX_VALUE)
                    .build())
            // Names are the outside's to choose, and an interned one stays.
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .build();

    private final JsonParser parser;
    private final ByteBufferFeeder feeder;
    private final List<EventId> ids = new ArrayList<>(1);
    private int depth;
    /** At which depth an event's members are; 0 before the first token. */
    private int eventDepth;

    private boolean ended;
    private boolean idFollows;
    private boolean hasId;

    PostBody() {
        try {
            parser = FACTORY.createNonBlockingByteBufferParser();
        } catch (IOException e) {
            throw new IllegalStateException("A parser of nothing yet reads nothing", e);
        }
        feeder = (ByteBufferFeeder) parser.getNonBlockingInputFeeder();
    }

    /**
     * Reads all that is in the buffer, which is the caller's again afterwards.
     *
     * @throws Refused if that is no event and no batch
     */
    void read(ByteBuffer part) throws Refused {
        try {
            feeder.feedInput(part);
            readTokens();
        } catch (IOException e) {
            throw notJson(e);
        }
        part.position(part.limit());
    }

    /**
     * The ids of the events, in the body's order.
     *
     * @throws Refused if the body is not complete
     */
    List<EventId> end() throws Refused {
        feeder.endOfInput();
        try {
            readTokens();
        } catch (IOException e) {
            throw notJson(e);
        }
        if (!ended) {
            throw new Refused(400, "The body is empty; it needs to be an event, or an array of events");
        }
        if (ids.isEmpty()) {
            throw new Refused(400, "The batch has no events");
        }
        return List.copyOf(ids);
    }

    private void readTokens() throws IOException, Refused {
        for (JsonToken token = parser.nextToken();
                token != null && token != JsonToken.NOT_AVAILABLE;
                token = parser.nextToken()) {
            take(token);
        }
    }

    private void take(JsonToken token) throws IOException, Refused {
        if (ended) {
            throw new Refused(400, "Something follows the body's end");
        }
        if (idFollows) {
            takeId(token);
            return;
        }
        switch (token) {
            case START_OBJECT -> {
                depth++;
                if (eventDepth == 0) {
                    eventDepth = 1;
                }
                if (depth == eventDepth) {
                    hasId = false;
                }
            }
            case START_ARRAY -> {
                depth++;
                if (eventDepth == 0) {
                    eventDepth = 2;
                } else if (depth == eventDepth) {
                    throw noEvent();
                }
            }
            case END_OBJECT -> {
                if (depth == eventDepth && !hasId) {
                    throw new Refused(400, "An event has no " + EVENT_ID);
                }
                ended = --depth == 0;
            }
            case END_ARRAY -> ended = --depth == 0;
            case FIELD_NAME ->
                idFollows = depth == eventDepth && parser.currentName().equals(EVENT_ID);
            default -> {
                if (depth < eventDepth || eventDepth == 0) {
                    throw noEvent();
                }
            }
        }
    }

    private void takeId(JsonToken token) throws IOException, Refused {
        idFollows = false;
        if (hasId) {
            throw new Refused(400, "An event has two " + EVENT_ID);
        }
        boolean isText = token == JsonToken.VALUE_STRING;
        if (!isText && token != JsonToken.VALUE_NUMBER_INT) {
            throw new Refused(400, "An event's " + EVENT_ID + " is neither a whole number nor a text");
        }
        if (ids.size() == MAX_EVENTS) {
            throw new Refused(413, "A batch has at most " + MAX_EVENTS + " events here");
        }
        if (isText && !EventId.isText(parser.getText())) {
            throw new Refused(400, "An event's " + EVENT_ID + " is not " + EventId.TEXT_RULE);
        }
        try {
            ids.add(isText ? EventId.of(parser.getText()) : EventId.of(parser.getLongValue()));
        } catch (InputCoercionException e) {
            throw new Refused(400, "An event's " + EVENT_ID + " is beyond 64 bits");
        }
        hasId = true;
    }

    private static Refused noEvent() {
        return new Refused(400, "The body is neither an event nor an array of events");
    }

    private static Refused notJson(IOException e) {
        if (e instanceof JsonEOFException) {
            return new Refused(400, "The body is not JSON: it ends too early");
        }
        String why = e instanceof JsonProcessingException json ? json.getOriginalMessage() : String.valueOf(e);
        return new Refused(400, "The body is not JSON: " + why);
    }
}
