package dev.engagement.event;

import java.math.BigDecimal;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The value of one cell of a rollup: of a key, in a window of event time. It is absolute and versioned, so whoever keeps the
 * one with the highest version of each {@link #id} has the right value, whatever was lost, repeated or late. Immutable.
 *
 * @param rollup the definition's name
 * @param windowStartMillis the window's first moment, milliseconds since the epoch
 * @param windowEndMillis the first moment behind it
 * @param key the parts of the key in their order, without the window's size; an event that has no such part counts under the
 *     empty text
 * @param values one for each measure, in order; null where it is the least or the greatest of nothing
 * @param exact whether every number of users among the values is a count; otherwise some are estimates
 * @param skipped events that some measure could not use
 * @param version higher, the newer; compared within one id
 * @param closed whether event time had passed the window's end; if not, more events are expected
 */
public record RollupRow(
        String rollup,
        long windowStartMillis,
        long windowEndMillis,
        List<String> key,
        List<@Nullable BigDecimal> values,
        boolean exact,
        long skipped,
        long version,
        boolean closed) {

    public RollupRow {
        key = List.copyOf(key);
        values = Collections.unmodifiableList(Arrays.asList(values.toArray(new BigDecimal[0])));
    }

    /**
     * Which cell it is of: the same for all its values, and another one for any other cell. Each part of the key stands
     * behind its length, as anything may be in it.
     */
    public String id() {
        StringBuilder id = new StringBuilder(rollup).append('@').append(windowStartMillis);
        for (String part : key) {
            id.append('/').append(part.length()).append(':').append(part);
        }
        return id.toString();
    }
}
