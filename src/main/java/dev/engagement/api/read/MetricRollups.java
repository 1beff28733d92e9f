package dev.engagement.api.read;

import dev.engagement.rollup.definition.RollupDefinition;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The rollups by event type and window size, found by the size of their windows. */
final class MetricRollups {

    private final List<RollupDefinition> metrics;

    MetricRollups(List<RollupDefinition> rollups) {
        this.metrics = rollups.stream().filter(RollupDefinition::isMetric).toList();
    }

    /** The one that the live view shows; null if it shows none of that size. */
    @Nullable
    RollupDefinition live(String windowSize) {
        for (RollupDefinition metric : metrics) {
            if (metric.live() && metric.windowSizeText().equals(windowSize)) {
                return metric;
            }
        }
        return null;
    }

    /** The one that has a table: that of the live view, if there are several; null if there is none of that size. */
    @Nullable
    RollupDefinition any(String windowSize) {
        RollupDefinition shown = live(windowSize);
        if (shown != null) {
            return shown;
        }
        for (RollupDefinition metric : metrics) {
            if (metric.windowSizeText().equals(windowSize)) {
                return metric;
            }
        }
        return null;
    }
}
