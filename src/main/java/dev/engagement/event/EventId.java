package dev.engagement.event;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * The identity of an event: a number, or a text. Immutable. For letters, deliveries and reports; an event itself has the two
 * parts, so that one with a number needs no object for it.
 *
 * <p>Numbers are ordered as numbers and texts by their bytes, which for these characters is the order of Java's strings.
 *
 * @param number the number; of a text its {@link #hash}, by which events are spread
 * @param text the text, or null if the id is a number
 */
public record EventId(long number, @Nullable String text) implements Comparable<EventId> {

    /** Longest text, in characters. */
    public static final int MAX_CHARS = 128;

    /** What a text must be, for messages. */
    public static final String TEXT_RULE = "a text of 1 to " + MAX_CHARS + " characters of A-Z, a-z, 0-9, _ and -";

    /** An id that is a number. */
    public static EventId of(long number) {
        return new EventId(number, null);
    }

    /** An id that is a text, of those that {@link #isText} takes. */
    public static EventId of(String text) {
        return new EventId(hash(text), text);
    }

    /**
     * What stands in a key, or on a command line.
     *
     * @return null if it is no id of that kind
     */
    public static @Nullable EventId parse(@Nullable String id, EventIdKind kind) {
        if (id == null) {
            return null;
        }
        if (kind == EventIdKind.TEXT) {
            return isText(id) ? of(id) : null;
        }
        var number = Integers.parse(id);
        return number.isPresent() ? of(number.getAsLong()) : null;
    }

    /** A number if it looks like one, else a text; null if it is no id of either kind. For letters, which only name it. */
    public static @Nullable EventId ofAnyKind(@Nullable String id) {
        EventId number = parse(id, EventIdKind.LONG);
        return number == null ? parse(id, EventIdKind.TEXT) : number;
    }

    /** Whether a text may be an id. */
    public static boolean isText(String text) {
        if (text.isEmpty() || text.length() > MAX_CHARS) {
            return false;
        }
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean fits = c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c >= 'A' && c <= 'Z' || c == '_';
            if (!fits) {
                return false;
            }
        }
        return true;
    }

    /**
     * 64 bits of a text, each of which depends on every character, so that texts that count upwards or begin with a time are
     * spread as random ones are. Part of every savepoint: it never changes. Texts that differ may have one hash.
     */
    public static long hash(String text) {
        long hash = text.length();
        for (int i = 0; i < text.length(); i++) {
            hash = (hash ^ text.charAt(i)) * 0x9E3779B97F4A7C15L;
            hash ^= hash >>> 32;
        }
        hash = (hash ^ hash >>> 30) * 0xBF58476D1CE4E5B9L;
        hash = (hash ^ hash >>> 27) * 0x94D049BB133111EBL;
        return hash ^ hash >>> 31;
    }

    /** Which of the two it is. */
    public EventIdKind kind() {
        return text == null ? EventIdKind.LONG : EventIdKind.TEXT;
    }

    /** Writes it as a field, a number or a text. */
    public void write(String field, JsonGenerator json) throws IOException {
        write(field, number, text, json);
    }

    static void write(String field, long number, @Nullable String text, JsonGenerator json) throws IOException {
        if (text == null) {
            json.writeNumberField(field, number);
        } else {
            json.writeStringField(field, text);
        }
    }

    /** Numbers stand before texts. */
    @Override
    public int compareTo(EventId other) {
        return compare(number, text, other.number, other.text);
    }

    static int compare(long number, @Nullable String text, long otherNumber, @Nullable String otherText) {
        if (text == null || otherText == null) {
            return text == otherText ? Long.compare(number, otherNumber) : text == null ? -1 : 1;
        }
        return text.compareTo(otherText);
    }

    /** The digits of a number, or the text: as it stands in keys and in names such as {@code evt_…}. */
    @Override
    public String toString() {
        return text == null ? Long.toString(number) : text;
    }
}
