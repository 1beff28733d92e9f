package dev.engagement.api.read;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.engagement.api.definition.Parameters;
import dev.engagement.rollup.definition.RollupDefinition;
import java.time.Clock;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code history}: the windows of an event type that have ended, as their table has them. */
final class HistoryRead implements Read {

    private final MetricRollups metrics;
    private final History history;
    private final Clock clock;

    HistoryRead(MetricRollups metrics, History history, Clock clock) {
        this.metrics = metrics;
        this.history = history;
        this.clock = clock;
    }

    @Override
    public Answer answer(Parameters parameters) throws UnavailableException {
        String eventType = parameters.text("event_type");
        String windowSize = parameters.text("window_size");
        String cursor = parameters.textOrNull("cursor");
        WindowCursor behind = cursor == null ? null : WindowCursor.parse(cursor, 0);
        RollupDefinition definition = metrics.any(windowSize);
        if (definition == null) {
            ObjectNode nothing = body(eventType, windowSize, null, List.of(), null);
            return Answer.ofNow(AnswerJson.finish(nothing, clock.instant(), null, true));
        }
        return history.answer(
                new History.Question(
                        definition,
                        List.of(eventType),
                        parameters.instantOrNull("start_time"),
                        parameters.instantOrNull("end_time"),
                        behind,
                        parameters.integer("limit")),
                (windows, next) -> body(eventType, windowSize, definition, windows, next));
    }

    private static ObjectNode body(
            String eventType,
            String windowSize,
            @Nullable RollupDefinition definition,
            List<RollupWindow> windows,
            @Nullable String next) {
        ObjectNode body = RealtimeRead.body(eventType, windowSize, definition, windows);
        body.put("next_cursor", next);
        return body;
    }
}
