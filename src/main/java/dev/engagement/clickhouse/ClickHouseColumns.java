package dev.engagement.clickhouse;

import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.EventIdKind;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The table: its columns in order, and how an event becomes a row. Whatever speaks of columns (the statement that makes the
 * table, the check of an existing one, an insert) is derived from {@link #of}.
 */
final class ClickHouseColumns {

    /** 1900-01-01, the earliest time that {@code DateTime64} holds, in microseconds since the epoch. */
    static final long MIN_MICROS = -2_208_988_800_000_000L;

    /** The last microsecond of 2299. */
    static final long MAX_MICROS = 10_413_791_999_999_999L;

    /** Digits behind the point of {@code engagement_pct}. */
    private static final int PCT_SCALE = 9;

    private static final long[] POWERS_OF_TEN = {
        1L, 10L, 100L, 1_000L, 10_000L, 100_000L, 1_000_000L, 10_000_000L, 100_000_000L, 1_000_000_000L
    };

    private ClickHouseColumns() {}

    /** Writes a column's value. */
    @FunctionalInterface
    interface Value {
        void write(EnrichedEvent event, RowBinary row);
    }

    /**
     * A column.
     *
     * @param name its name
     * @param type as ClickHouse writes it
     * @param value what stands in it
     */
    record Column(String name, String type, Value value) {

        /** Whether rows without it are good, so that it can be added to a table that has some. */
        boolean isNullable() {
            return type.contains("Nullable(");
        }
    }

    /** The columns of the table that is wanted. */
    static List<Column> of(ClickHouseOptions options) {
        return of(options.eventIds(), options.layout().payload());
    }

    private static List<Column> of(EventIdKind ids, ClickHouseOptions.Payload payload) {
        return List.of(
                ids == EventIdKind.TEXT
                        ? new Column(
                                "event_id",
                                "String",
                                (e, row) -> row.text(e.event().eventId().toString()))
                        : new Column(
                                "event_id",
                                "Int64",
                                (e, row) -> row.int64(e.event().id())),
                // Part of the key, so never null; no id is empty where an event may be without a content.
                new Column(
                        "content_id",
                        "String",
                        (e, row) ->
                                row.text(Objects.requireNonNullElse(e.event().contentId(), ""))),
                text("user_id", "Nullable(String)", e -> e.event().userId()),
                text("event_type", "LowCardinality(Nullable(String))", e -> e.event()
                        .eventType()),
                new Column(
                        "event_ts",
                        "DateTime64(6, 'UTC')",
                        (e, row) -> row.int64(e.event().eventTsMicros())),
                new Column("duration_ms", "Nullable(Int32)", (e, row) -> {
                    row.present(e.event().hasDuration());
                    if (e.event().hasDuration()) {
                        row.int32(e.event().durationMs());
                    }
                }),
                text("device", "LowCardinality(Nullable(String))", e -> e.event()
                        .device()),
                text("raw_payload", payload.type(), e -> e.event().rawPayload()),
                text("slug", "Nullable(String)", e -> e.content().slug()),
                text("title", "Nullable(String)", e -> e.content().title()),
                text("content_type", "LowCardinality(Nullable(String))", e -> e.content()
                        .contentType()),
                new Column("length_seconds", "Nullable(Int32)", (e, row) -> {
                    Integer length = e.content().lengthSeconds();
                    row.present(length != null);
                    if (length != null) {
                        row.int32(length);
                    }
                }),
                new Column("publish_ts", "Nullable(DateTime64(6, 'UTC'))", (e, row) -> {
                    Long micros = e.content().publishTsMicros();
                    row.present(micros != null);
                    if (micros != null) {
                        row.int64(micros);
                    }
                }),
                new Column("engagement_seconds", "Nullable(Decimal(18, 3))", (e, row) -> {
                    row.present(e.engagement().hasSeconds());
                    if (e.engagement().hasSeconds()) {
                        row.int64(e.engagement().millis());
                    }
                }),
                new Column("engagement_pct", "Nullable(Decimal(18, " + PCT_SCALE + "))", (e, row) -> {
                    row.present(e.engagement().hasPct());
                    if (e.engagement().hasPct()) {
                        row.int64(e.engagement().pctUnscaled()
                                * POWERS_OF_TEN[PCT_SCALE - e.engagement().pctScale()]);
                    }
                }));
    }

    @FunctionalInterface
    private interface Text {
        @Nullable
        String of(EnrichedEvent event);
    }

    private static Column text(String name, String type, Text text) {
        return new Column(name, type, (e, row) -> {
            String value = text.of(e);
            row.present(value != null);
            if (value != null) {
                row.text(value);
            }
        });
    }
}
