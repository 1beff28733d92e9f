package dev.engagement.api.read;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.engagement.api.definition.Parameters;
import dev.engagement.rollup.definition.RollupDefinition;
import java.time.Clock;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@code realtime}: the newest windows of an event type, as the live view shows them. */
final class RealtimeRead implements Read {

    private final MetricRollups metrics;
    private final LiveWindows live;
    private final Clock clock;

    RealtimeRead(MetricRollups metrics, LiveWindows live, Clock clock) {
        this.metrics = metrics;
        this.live = live;
        this.clock = clock;
    }

    @Override
    public Answer answer(Parameters parameters) throws UnavailableException {
        String eventType = parameters.text("event_type");
        String windowSize = parameters.text("window_size");
        RollupDefinition definition = metrics.live(windowSize);
        List<RollupWindow> windows = definition == null
                ? List.of()
                : live.newest(definition, List.of(eventType), null, parameters.integer("limit"));
        return Answer.ofNow(AnswerJson.finish(
                body(eventType, windowSize, definition, windows),
                clock.instant(),
                definition == null ? null : Long.valueOf(definition.windowMillis()),
                RollupWindow.areExact(windows)));
    }

    /** The form that the newest windows and those of the past have in common. */
    static ObjectNode body(
            String eventType, String windowSize, @Nullable RollupDefinition definition, List<RollupWindow> windows) {
        ObjectNode body = AnswerJson.newObject();
        body.put("event_type", eventType);
        body.put("window_size", windowSize);
        ArrayNode entries = body.putArray("entries");
        if (definition != null) {
            windows.forEach(window -> entries.add(window.metricJson(definition)));
        }
        return body;
    }
}
