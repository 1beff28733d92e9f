package dev.engagement.local.receiver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What the receiver does with a post, as an object of {@code POST /behaviour} says it.
 *
 * @param status of the answer; what the mode's usual one is, if the object names none
 * @param retryAfter the answer's {@code Retry-After}, verbatim; null for none
 * @param delayMillis how much later it is answered than it came
 * @param share of the posts that meet it, 0 to 1; the others meet the next behaviour, or none
 * @param times how many posts it is for
 * @param forMillis how long it lasts
 */
record Behaviour(
        Mode mode,
        int status,
        @Nullable String retryAfter,
        long delayMillis,
        double share,
        long times,
        long forMillis) {

    static final Behaviour OK = new Behaviour(Mode.OK, 200, null, 0, 1, Long.MAX_VALUE, Long.MAX_VALUE);

    private static final ObjectMapper MAPPER = new ObjectMapper();

    /** What is answered. */
    enum Mode {
        /** Recorded and answered. */
        OK(200),
        /** As OK, by {@code delayMillis} later; recorded when it comes. */
        SLOW(200),
        /** Not recorded: the receiver has a bad moment. */
        FAIL(503),
        /** Not recorded: the receiver does not want it. */
        REJECT(400),
        /** Not recorded: sent elsewhere, to {@code /redirected}. */
        REDIRECT(301),
        /** Not recorded, and says so only in the body of what looks like a success: {@code {"status":"error"}}. */
        ERROR_BODY(200),
        /** Not recorded and never answered. */
        HANG(0),
        /** Not recorded; the connection is reset. */
        RESET(0),
        /** Recorded; the connection is reset instead of an answer. */
        LOSE(0),
        /** An answer whose body has no end. Recorded if the status is a success, because then the sender may stop reading. */
        ENDLESS(200);

        private final int usualStatus;

        Mode(int usualStatus) {
            this.usualStatus = usualStatus;
        }

        String text() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /** Whether a post that meets it counts as received. */
    boolean records() {
        return switch (mode) {
            case OK, SLOW, LOSE -> true;
            case ENDLESS -> status / 100 == 2;
            case FAIL, REJECT, REDIRECT, ERROR_BODY, HANG, RESET -> false;
        };
    }

    /** @throws Refused if a member is none, or its value does not fit */
    static Behaviour of(JsonNode wanted) throws Refused {
        if (!wanted.isObject()) {
            throw refused("a behaviour is an object, not " + wanted);
        }
        Mode mode = mode(wanted.path("mode").asText());
        int status = mode.usualStatus;
        String retryAfter = null;
        long delayMillis = 0;
        double share = 1;
        long times = Long.MAX_VALUE;
        long forMillis = Long.MAX_VALUE;
        for (Iterator<String> names = wanted.fieldNames(); names.hasNext(); ) {
            String name = names.next();
            JsonNode value = wanted.get(name);
            switch (name) {
                // The seed is of all of them.
                case "mode", "seed" -> {}
                case "status" -> status = (int) whole(name, value, 200, 599);
                case "retryAfter" -> retryAfter = headerText(value);
                case "delayMillis" -> delayMillis = whole(name, value, 0, Integer.MAX_VALUE);
                case "share" -> share = share(value);
                case "times" -> times = whole(name, value, 0, Long.MAX_VALUE);
                case "forMillis" -> forMillis = whole(name, value, 0, Long.MAX_VALUE);
                default -> throw refused("a behaviour has no " + name);
            }
        }
        return new Behaviour(mode, status, retryAfter, delayMillis, share, times, forMillis);
    }

    private static Mode mode(String text) throws Refused {
        for (Mode mode : Mode.values()) {
            if (mode.text().equals(text)) {
                return mode;
            }
        }
        throw refused("mode is '" + text + "'; there are "
                + Arrays.stream(Mode.values()).map(Mode::text).collect(Collectors.joining(", ")));
    }

    private static long whole(String name, JsonNode value, long min, long max) throws Refused {
        if (!value.isIntegralNumber() || !value.canConvertToLong() || value.asLong() < min || value.asLong() > max) {
            throw refused(name + " is " + value + "; it needs to be a whole number from " + min + " to " + max);
        }
        return value.asLong();
    }

    private static double share(JsonNode value) throws Refused {
        if (!value.isNumber() || !(value.asDouble() >= 0 && value.asDouble() <= 1)) {
            throw refused("share is " + value + "; it needs to be a number from 0 to 1");
        }
        return value.asDouble();
    }

    private static String headerText(JsonNode value) throws Refused {
        String text = value.asText();
        if (text.chars().anyMatch(c -> c < ' ' || c > '~')) {
            throw refused("retryAfter is " + value + ", which a header cannot hold");
        }
        return text;
    }

    private static Refused refused(String what) {
        return new Refused(400, "Not a behaviour: " + what);
    }

    /** As {@link #of} takes it, of what differs from the usual. */
    ObjectNode toJson() {
        ObjectNode json = MAPPER.createObjectNode().put("mode", mode.text());
        if (status != 0) {
            json.put("status", status);
        }
        if (retryAfter != null) {
            json.put("retryAfter", retryAfter);
        }
        if (delayMillis > 0) {
            json.put("delayMillis", delayMillis);
        }
        if (share < 1) {
            json.put("share", share);
        }
        if (times != Long.MAX_VALUE) {
            json.put("times", times);
        }
        if (forMillis != Long.MAX_VALUE) {
            json.put("forMillis", forMillis);
        }
        return json;
    }

    /** Several, in the order in which a post meets them. */
    static List<Behaviour> all(JsonNode wanted) throws Refused {
        if (!wanted.isArray()) {
            return List.of(of(wanted));
        }
        List<Behaviour> all = new ArrayList<>();
        for (JsonNode each : wanted) {
            all.add(of(each));
        }
        return all;
    }
}
