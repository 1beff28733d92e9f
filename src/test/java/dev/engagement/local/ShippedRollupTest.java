package dev.engagement.local;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.rollup.definition.KeyPart;
import dev.engagement.rollup.definition.Measure;
import dev.engagement.rollup.definition.RollupDefinition;
import dev.engagement.rollup.definition.RollupDefinitions;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The self-check leaves out no rollup that is shipped, and none of its numbers. */
class ShippedRollupTest {

    /** What there is to compare; what it means is compared by numbers. */
    private record Outline(
            String name,
            String table,
            String windowSize,
            long windowMillis,
            List<String> key,
            List<String> measures,
            List<Boolean> areUsers) {}

    @Test
    void everyShippedRollupIsComparedInEveryNumber() {
        assertThat(Arrays.stream(ShippedRollup.values()).map(ShippedRollupTest::outline))
                .containsExactlyElementsOf(RollupDefinitions.shipped().stream()
                        .map(ShippedRollupTest::outline)
                        .toList());
    }

    private static Outline outline(ShippedRollup rollup) {
        return new Outline(
                rollup.rollup(),
                rollup.table(),
                rollup.windowSize(),
                rollup.windowMillis(),
                rollup.key().stream().map(ShippedRollup.Part::column).toList(),
                rollup.measures().stream().map(ShippedRollup.Measure::column).toList(),
                rollup.measures().stream().map(ShippedRollup.Measure::isUsers).toList());
    }

    private static Outline outline(RollupDefinition rollup) {
        return new Outline(
                rollup.name(),
                rollup.table(),
                rollup.hasWindowSize() ? rollup.windowSizeText() : "",
                rollup.windowMillis(),
                rollup.eventKey().stream().map(KeyPart::column).toList(),
                rollup.measures().stream().map(Measure::column).toList(),
                rollup.measures().stream()
                        .map(measure -> measure.function().countsUsers())
                        .toList());
    }
}
