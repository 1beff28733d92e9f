package dev.engagement.warehouse;

import dev.engagement.rowstore.CheckpointLineage;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The {@link CheckpointLineage.FencingLabel} as labels of the table, where whoever looks at the table sees it too. */
final class LineMarks {

    /** The run. */
    static final String RUN = "engagement-line";

    /** The checkpoint. */
    static final String CHECKPOINT = "engagement-checkpoint";

    private LineMarks() {}

    /** The mark on a table, or null if there is none. */
    static CheckpointLineage.@Nullable FencingLabel on(TableApi.Table table) {
        String run = table.labels().get(RUN);
        String checkpoint = table.labels().get(CHECKPOINT);
        if (run == null || checkpoint == null || !checkpoint.matches("\\d{1,18}")) {
            return null;
        }
        return new CheckpointLineage.FencingLabel(run, Long.parseLong(checkpoint));
    }

    /** The labels that say a mark. */
    static Map<String, String> labels(CheckpointLineage.FencingLabel mark) {
        Map<String, String> labels = new LinkedHashMap<>();
        labels.put(RUN, mark.run());
        labels.put(CHECKPOINT, Long.toString(mark.checkpoint()));
        return labels;
    }
}
