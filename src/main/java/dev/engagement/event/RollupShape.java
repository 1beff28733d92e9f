package dev.engagement.event;

import java.io.Serializable;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the values of a {@link RollupRow} are called, for whoever shows rows and knows no definitions. Immutable.
 *
 * @param rollup the rollup's name, as in {@link RollupRow#rollup}
 * @param keyColumns names of the parts of {@link RollupRow#key}, in their order: without the window's size
 * @param measureColumns names of {@link RollupRow#values}, in their order
 * @param windowSizeText the window's size, such as {@code 30s}, if it is a part of the key; otherwise null
 * @param countsUsers whether any of the values counts distinct users, so that it has to be said whether they are exact
 * @param live whether the live view shows the rollup
 */
public record RollupShape(
        String rollup,
        List<String> keyColumns,
        List<String> measureColumns,
        @Nullable String windowSizeText,
        boolean countsUsers,
        boolean live)
        implements Serializable {

    private static final long serialVersionUID = 1L;

    /** Fields that stand in the JSON of a window beside the rollup's own columns. */
    private static final List<String> FIELDS_OF_ALL =
            List.of("window_start", "window_end", "window_size", "unique_users_exact", "rollup");

    public RollupShape {
        keyColumns = List.copyOf(keyColumns);
        measureColumns = List.copyOf(measureColumns);
        Set<String> names = new HashSet<>(FIELDS_OF_ALL);
        for (List<String> columns : List.of(keyColumns, measureColumns)) {
            for (String column : columns) {
                if (!names.add(column)) {
                    throw new IllegalArgumentException("rollup." + rollup + " has a column " + column
                            + ", and the JSON of its windows has that name already; give the column another one, as in"
                            + " by=NAME=… or measures=NAME=…");
                }
            }
        }
    }

    /**
     * Whether its key is the event type and the window's size, and nothing else: the live view keeps such windows by event
     * type and size, whatever the rollup is called.
     */
    public boolean isMetric() {
        return windowSizeText != null && keyColumns.equals(List.of("event_type"));
    }
}
