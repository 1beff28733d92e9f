package dev.engagement.event;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.math.BigDecimal;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The JSON form of a rollup's windows. Thread-safe. */
public final class RollupJson {

    private RollupJson() {}

    /**
     * One window, as every reader of the live view gets it: its bounds in milliseconds since the epoch, the values, the
     * key's parts and the window's size if that is one of them, whether unique users are exact if any are counted, and the
     * rollup's name unless key and size say it all. Numbers are plain decimals with the scale that they have; the smallest
     * or greatest of nothing is null.
     *
     * @throws IllegalArgumentException if the row is of another shape
     */
    public static byte[] window(RollupRow row, RollupShape shape) {
        List<String> key = row.key();
        List<@Nullable BigDecimal> values = row.values();
        if (key.size() != shape.keyColumns().size()
                || values.size() != shape.measureColumns().size()) {
            throw new IllegalArgumentException("A row of the rollup " + row.rollup() + " has " + key.size()
                    + " parts of a key and " + values.size() + " values; its columns are " + shape.keyColumns()
                    + " and "
                    + shape.measureColumns());
        }
        return EnvelopeJson.document(json -> {
            json.writeStartObject();
            json.writeNumberField("window_start", row.windowStartMillis());
            json.writeNumberField("window_end", row.windowEndMillis());
            for (int i = 0; i < values.size(); i++) {
                decimal(json, shape.measureColumns().get(i), values.get(i));
            }
            for (int i = 0; i < key.size(); i++) {
                json.writeStringField(shape.keyColumns().get(i), key.get(i));
            }
            if (shape.windowSizeText() != null) {
                json.writeStringField("window_size", shape.windowSizeText());
            }
            if (shape.countsUsers()) {
                json.writeBooleanField("unique_users_exact", row.exact());
            }
            if (!shape.isMetric()) {
                json.writeStringField("rollup", row.rollup());
            }
            json.writeEndObject();
        });
    }

    private static void decimal(JsonGenerator json, String name, @Nullable BigDecimal value) throws IOException {
        json.writeFieldName(name);
        if (value == null) {
            json.writeNull();
        } else {
            json.writeNumber(value.toPlainString());
        }
    }
}
