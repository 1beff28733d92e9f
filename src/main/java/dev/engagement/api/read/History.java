package dev.engagement.api.read;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.engagement.rollup.definition.RollupDefinition;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * Answers of one form about windows that have ended, out of PostgreSQL, page by page. Thread-safe.
 *
 * <p>An answer about windows that late events correct no more is kept for a while.
 */
final class History {

    /** {@code rollup.allowed-lateness}, unless it was changed: how long late events correct a window. */
    private static final Duration ALLOWED_LATENESS = Duration.ofHours(1);

    private final @Nullable RollupRows rows;
    private final Clock clock;
    private final AnswerCache cache;

    /** @param rows the tables; null if there are none */
    History(@Nullable RollupRows rows, Clock clock) {
        this.rows = rows;
        this.clock = clock;
        this.cache = new AnswerCache(clock);
    }

    /**
     * Which windows.
     *
     * @param key the parts of the key; null: all keys
     * @param from the first window begins then or later; null: the first that is kept
     * @param before the last one begins before; null: the newest
     * @param cursor of the answer before, or null
     * @param limit how many at most
     */
    record Question(
            RollupDefinition definition,
            @Nullable List<String> key,
            @Nullable Instant from,
            @Nullable Instant before,
            @Nullable WindowCursor cursor,
            int limit) {

        /** Everything that the answer depends on. */
        private List<Object> everything() {
            List<Object> everything = new ArrayList<>();
            everything.add(definition.name());
            everything.add(key == null ? "" : key);
            everything.add(from == null ? "" : from);
            everything.add(before == null ? "" : before);
            everything.add(cursor == null ? "" : cursor);
            everything.add(limit);
            return everything;
        }
    }

    /** Whether there is any. */
    boolean isThere() {
        return rows != null;
    }

    /**
     * The answer.
     *
     * @param body makes it of the windows and of the next cursor, which may be null
     */
    Answer answer(Question question, BiFunction<List<RollupWindow>, @Nullable String, ObjectNode> body)
            throws UnavailableException {
        if (rows == null) {
            throw PostgresStore.notConfigured("the tables of the rollups: set rollup.postgres.url");
        }
        List<Object> everything = question.everything();
        Answer held = cache.get(everything);
        if (held != null) {
            return held;
        }
        RollupDefinition definition = question.definition();
        Instant now = clock.instant();
        Instant before = question.before() == null || question.before().isAfter(now) ? now : question.before();
        int limit = question.limit();
        List<RollupWindow> found = rows.rows(
                definition,
                new RollupRows.Range(question.key(), question.from(), before, now, question.cursor(), limit + 1));
        boolean hasMore = found.size() > limit;
        List<RollupWindow> windows = hasMore ? found.subList(0, limit) : found;
        String next =
                hasMore ? cursor(windows.get(windows.size() - 1), question).text() : null;
        ObjectNode json = AnswerJson.finish(
                body.apply(windows, next), now, definition.windowMillis(), RollupWindow.areExact(windows));
        Answer answer = new Answer(json, isOver(question, before, now) ? AnswerCache.MAX_AGE_SECONDS : 0);
        cache.put(everything, answer, windows.size());
        return answer;
    }

    private static WindowCursor cursor(RollupWindow last, Question question) {
        return new WindowCursor(last.startMillis(), question.key() == null ? last.key() : List.of());
    }

    /** Whether no event that still comes changes any window that may be in the answer. */
    private static boolean isOver(Question question, Instant before, Instant now) {
        WindowCursor cursor = question.cursor();
        // Windows that begin when the cursor's does may be in it.
        Instant behindCursor = cursor == null ? before : Instant.ofEpochMilli(cursor.startMillis() + 1);
        Instant lastStart = behindCursor.isBefore(before) ? behindCursor : before;
        return lastStart
                .plusMillis(question.definition().windowMillis())
                .plus(ALLOWED_LATENESS)
                .isBefore(now);
    }
}
