package dev.engagement.rollup.sink;

import dev.engagement.event.RollupRow;
import dev.engagement.rollup.definition.KeyPart;
import dev.engagement.rollup.definition.KeyPart.Source;
import dev.engagement.rollup.definition.Measure;
import dev.engagement.rollup.definition.Measure.Function;
import dev.engagement.rollup.definition.RollupDefinition;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Rollups and rows of them. */
final class SampleRows {

    static final long START = 1_767_882_120_000L;

    /** Into the table {@code views}, by content. */
    static final RollupDefinition VIEWS = new RollupDefinition(
            "content_views",
            List.of(new KeyPart("content_id", Source.CONTENT_ID, null)),
            null,
            120_000,
            120_000,
            List.of(new Measure("view_count", Function.COUNT, null, null)),
            "views",
            Duration.ofDays(30),
            true);

    /** Into the table {@code metrics}, by window size and event type. */
    static final RollupDefinition METRICS = metrics("metrics_30s", 30);

    /** Into the same table. */
    static final RollupDefinition LONGER_METRICS = metrics("metrics_1m", 60);

    /** Into the table {@code order}, which is one of SQL's words, without a key. */
    static final RollupDefinition EXTREMES = new RollupDefinition(
            "extremes",
            List.of(),
            null,
            60_000,
            60_000,
            List.of(
                    new Measure("min", Function.MIN, "price", null),
                    new Measure("select", Function.MAX, "price", null)),
            "order",
            Duration.ofHours(2),
            true);

    static final List<RollupDefinition> ALL = List.of(VIEWS, METRICS, LONGER_METRICS, EXTREMES);

    private SampleRows() {}

    private static RollupDefinition metrics(String name, int seconds) {
        return new RollupDefinition(
                name,
                List.of(
                        new KeyPart("window_size", Source.WINDOW_SIZE, null),
                        new KeyPart("event_type", Source.EVENT_TYPE, null)),
                null,
                seconds * 1_000L,
                10_000,
                List.of(
                        new Measure("count", Function.COUNT, null, null),
                        new Measure("total_value", Function.SUM, "value", null),
                        new Measure("unique_users", Function.UNIQUE, null, null)),
                "metrics",
                Duration.ofDays(1),
                true);
    }

    /** So many views of a content in the window at {@link #START}; their number is the version. */
    static RollupRow views(String contentId, long count) {
        return views(contentId, START, count, true);
    }

    static RollupRow views(String contentId, long start, long count, boolean closed) {
        return new RollupRow(
                VIEWS.name(),
                start,
                start + VIEWS.windowMillis(),
                List.of(contentId),
                List.of(BigDecimal.valueOf(count)),
                true,
                0,
                count,
                closed);
    }

    static RollupRow metrics(RollupDefinition of, String eventType, long count, String value) {
        return new RollupRow(
                of.name(),
                START,
                START + of.windowMillis(),
                List.of(eventType),
                List.of(BigDecimal.valueOf(count), new BigDecimal(value), BigDecimal.ONE),
                count < 3,
                1,
                count,
                true);
    }

    static RollupRow extremes(long version, @Nullable BigDecimal least, @Nullable BigDecimal greatest) {
        return new RollupRow(
                EXTREMES.name(),
                START,
                START + EXTREMES.windowMillis(),
                List.of(),
                Arrays.asList(least, greatest),
                true,
                0,
                version,
                true);
    }
}
