package dev.engagement.api.read;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.engagement.rollup.definition.KeyPart;
import dev.engagement.rollup.definition.Measure;
import dev.engagement.rollup.definition.RollupDefinition;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One window of one key of a rollup, whichever store it is from. Immutable.
 *
 * @param startMillis its first moment, milliseconds since the epoch
 * @param endMillis the first moment behind it
 * @param key the parts of the key, in the definition's order, without the window's size
 * @param values of the measures, in the definition's order; null where it is the least or the greatest of nothing
 * @param exact whether every number of users was counted, as against estimated
 */
record RollupWindow(
        long startMillis, long endMillis, List<String> key, List<@Nullable BigDecimal> values, boolean exact) {

    RollupWindow {
        key = List.copyOf(key);
        values = Collections.unmodifiableList(Arrays.asList(values.toArray(new BigDecimal[0])));
    }

    /** What the live view has; null if it is no window of that rollup, because somebody else wrote it. */
    static @Nullable RollupWindow of(String member, RollupDefinition definition) {
        ObjectNode json = AnswerJson.object(member);
        if (json == null
                || !json.path(RollupDefinition.WINDOW_START).isIntegralNumber()
                || !json.path(RollupDefinition.WINDOW_END).isIntegralNumber()) {
            return null;
        }
        List<String> key = new ArrayList<>();
        for (KeyPart part : definition.eventKey()) {
            key.add(json.path(part.column()).asText(""));
        }
        List<@Nullable BigDecimal> values = new ArrayList<>();
        for (Measure measure : definition.measures()) {
            JsonNode value = json.path(measure.column());
            values.add(value.isNumber() ? value.decimalValue() : null);
        }
        return new RollupWindow(
                json.path(RollupDefinition.WINDOW_START).longValue(),
                json.path(RollupDefinition.WINDOW_END).longValue(),
                key,
                values,
                json.path(RollupDefinition.UNIQUE_USERS_EXACT).asBoolean(true));
    }

    /** Whether no number of any of them is an estimate. */
    static boolean areExact(List<RollupWindow> windows) {
        return windows.stream().allMatch(RollupWindow::exact);
    }

    /** Everything that is known of it, under the columns' names. */
    ObjectNode json(RollupDefinition definition) {
        ObjectNode json = AnswerJson.newObject();
        json.put(RollupDefinition.WINDOW_START, startMillis);
        json.put(RollupDefinition.WINDOW_END, endMillis);
        List<KeyPart> parts = definition.eventKey();
        for (int i = 0; i < parts.size(); i++) {
            json.put(parts.get(i).column(), key.get(i));
        }
        putValues(json, definition);
        if (definition.countsUsers()) {
            json.put(RollupDefinition.UNIQUE_USERS_EXACT, exact);
        }
        return json;
    }

    /** Its start and its numbers alone. */
    ObjectNode metricJson(RollupDefinition definition) {
        ObjectNode json = AnswerJson.newObject();
        json.put(RollupDefinition.WINDOW_START, startMillis);
        putValues(json, definition);
        return json;
    }

    /** The bounds, those measures that the columns name, and whether users were counted. */
    ObjectNode json(RollupDefinition definition, List<String> columns) {
        ObjectNode all = json(definition);
        ObjectNode json = AnswerJson.newObject();
        json.put(RollupDefinition.WINDOW_START, startMillis);
        json.put(RollupDefinition.WINDOW_END, endMillis);
        columns.forEach(column -> json.set(column, all.get(column)));
        json.put(RollupDefinition.UNIQUE_USERS_EXACT, exact);
        return json;
    }

    private void putValues(ObjectNode json, RollupDefinition definition) {
        List<Measure> measures = definition.measures();
        for (int i = 0; i < measures.size(); i++) {
            BigDecimal value = values.get(i);
            String column = measures.get(i).column();
            if (value != null && measures.get(i).function().isWhole()) {
                json.put(column, value.longValue());
            } else {
                json.put(column, value);
            }
        }
    }
}
