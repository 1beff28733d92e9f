package dev.engagement.api.read;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.engagement.api.definition.InvalidParameterException;
import dev.engagement.api.definition.Parameters;
import dev.engagement.rollup.definition.KeyPart;
import dev.engagement.rollup.definition.RollupDefinition;
import java.time.Clock;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * {@code rollup}: windows of any rollup. Of one key without a range they come out of the live view, and go on in
 * PostgreSQL where that ends; everything else comes out of PostgreSQL.
 */
final class RollupRead implements Read {

    private final Map<String, RollupDefinition> rollups = new LinkedHashMap<>();
    private final LiveWindows live;
    private final History history;
    private final Clock clock;

    RollupRead(List<RollupDefinition> rollups, LiveWindows live, History history, Clock clock) {
        rollups.forEach(rollup -> this.rollups.put(rollup.name(), rollup));
        this.live = live;
        this.history = history;
        this.clock = clock;
    }

    @Override
    public Answer answer(Parameters parameters) throws NotFoundException, UnavailableException {
        RollupDefinition definition = rollups.get(parameters.text("name"));
        if (definition == null) {
            throw new NotFoundException(
                    "There is no rollup of that name, only " + String.join(", ", rollups.keySet()),
                    "ask for one of these");
        }
        List<String> columns =
                definition.eventKey().stream().map(KeyPart::column).toList();
        List<String> key = key(parameters.textOrNull("key"), columns, definition);
        String cursor = parameters.textOrNull("cursor");
        History.Question question = new History.Question(
                definition,
                key,
                parameters.instantOrNull("start_time"),
                parameters.instantOrNull("end_time"),
                cursor == null ? null : WindowCursor.parse(cursor, key == null ? columns.size() : 0),
                parameters.integer("limit"));
        if (key != null && definition.live() && question.from() == null && question.before() == null) {
            Answer shown = shown(question, key);
            if (shown != null) {
                return shown;
            }
        }
        return history.answer(question, (windows, next) -> body(definition, windows, next));
    }

    private static @Nullable List<String> key(
            @Nullable String text, List<String> columns, RollupDefinition definition) {
        if (columns.isEmpty()) {
            if (text != null) {
                throw new InvalidParameterException(
                        "key", text, "leave it out: " + definition.name() + " is one total, and has no key");
            }
            return List.of();
        }
        return text == null ? null : RollupKeyText.parse(text, columns);
    }

    /** What the live view has; null if it has nothing more of it, and PostgreSQL may. */
    private @Nullable Answer shown(History.Question question, List<String> key) throws UnavailableException {
        RollupDefinition definition = question.definition();
        WindowCursor cursor = question.cursor();
        int limit = question.limit();
        List<RollupWindow> found =
                live.newest(definition, key, cursor == null ? null : cursor.startMillis(), limit + 1);
        if (found.isEmpty() && cursor != null && history.isThere()) {
            return null;
        }
        boolean hasMore = found.size() > limit;
        List<RollupWindow> windows = hasMore ? found.subList(0, limit) : found;
        Instant now = clock.instant();
        String next = null;
        if (hasMore || history.isThere()) {
            long last = windows.isEmpty()
                    ? now.toEpochMilli()
                    : windows.get(windows.size() - 1).startMillis();
            next = new WindowCursor(last, List.of()).text();
        }
        return Answer.ofNow(AnswerJson.finish(
                body(definition, windows, next), now, definition.windowMillis(), RollupWindow.areExact(windows)));
    }

    private static ObjectNode body(RollupDefinition definition, List<RollupWindow> windows, @Nullable String next) {
        ObjectNode body = AnswerJson.newObject();
        body.put("rollup", definition.name());
        body.put("window_size", definition.windowSizeText());
        ArrayNode entries = body.putArray("entries");
        windows.forEach(window -> entries.add(window.json(definition)));
        body.put("next_cursor", next);
        return body;
    }
}
