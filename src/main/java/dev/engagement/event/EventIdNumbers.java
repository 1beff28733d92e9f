package dev.engagement.event;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * A number for each id, for what keeps sets of ids as bits: of a number itself, of a text its place in the order in which
 * texts were met. Holds some 150 bytes for each text. Thread-safe.
 */
public final class EventIdNumbers {

    private final EventIdKind kind;
    private final Map<String, Long> numbers = new HashMap<>();
    private final List<String> texts = new ArrayList<>();

    /** For ids of one kind. */
    public EventIdNumbers(EventIdKind kind) {
        this.kind = kind;
    }

    /** What the ids are. */
    public EventIdKind kind() {
        return kind;
    }

    /** The number of an id; one of the other kind, as an old letter may name, has the number of no id of this one. */
    public long of(EventId id) {
        if (kind == EventIdKind.LONG) {
            return id.number();
        }
        return ofText(id.text() == null ? "#" + id : id.text());
    }

    private synchronized long ofText(String text) {
        Long known = numbers.get(text);
        if (known != null) {
            return known;
        }
        long number = texts.size();
        texts.add(text);
        numbers.put(text, number);
        return number;
    }

    /** The number of an id if it has one already, or needs none: empty for a text that was never met. */
    public OptionalLong find(EventId id) {
        if (kind == EventIdKind.LONG) {
            return id.text() == null ? OptionalLong.of(id.number()) : OptionalLong.empty();
        }
        synchronized (this) {
            Long known = id.text() == null ? null : numbers.get(id.text());
            return known == null ? OptionalLong.empty() : OptionalLong.of(known);
        }
    }

    /** The order of two ids, by their numbers: as {@link EventId}'s. */
    public int compare(long number, long other) {
        return kind == EventIdKind.LONG
                ? Long.compare(number, other)
                : id(number).compareTo(id(other));
    }

    /** Of a number that {@link #of} gave, the id. */
    public EventId id(long number) {
        if (kind == EventIdKind.LONG) {
            return EventId.of(number);
        }
        synchronized (this) {
            return EventId.of(texts.get((int) number));
        }
    }
}
