package dev.engagement.api.read;

import java.time.Clock;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Answers that cannot change for a while, as many as have so many entries at most. Thread-safe. */
final class AnswerCache {

    /** Of the past only a repair changes anything; for so long it may go unnoticed. */
    static final int MAX_AGE_SECONDS = 60;

    private static final int MAX_ENTRIES = 20_000;

    private final Clock clock;
    private final Map<List<Object>, Held> held = new LinkedHashMap<>(16, 0.75f, true);
    private int entries;

    private record Held(Answer answer, int entries, long untilMillis) {}

    AnswerCache(Clock clock) {
        this.clock = clock;
    }

    /** The answer to that question, for as long as it may still be given; null if there is none. */
    synchronized @Nullable Answer get(List<Object> question) {
        Held found = held.get(question);
        if (found == null) {
            return null;
        }
        long left = found.untilMillis - clock.millis();
        if (left <= 0 || left > MAX_AGE_SECONDS * 1_000L) {
            held.remove(question);
            entries -= found.entries;
            return null;
        }
        return new Answer(found.answer.body(), (int) (left / 1_000));
    }

    /**
     * Keeps an answer for as long as it says.
     *
     * @param size how many entries it has
     */
    synchronized void put(List<Object> question, Answer answer, int size) {
        if (answer.maxAgeSeconds() == 0 || size > MAX_ENTRIES) {
            return;
        }
        // An empty answer takes some room, too.
        Held added = new Held(answer, size + 1, clock.millis() + answer.maxAgeSeconds() * 1_000L);
        Held before = held.put(question, added);
        entries += added.entries - (before == null ? 0 : before.entries);
        Iterator<Held> eldest = held.values().iterator();
        while (entries > MAX_ENTRIES && eldest.hasNext()) {
            entries -= eldest.next().entries;
            eldest.remove();
        }
    }
}
