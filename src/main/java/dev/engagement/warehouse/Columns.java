package dev.engagement.warehouse;

import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.EventIdKind;
import java.io.IOException;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The table: its columns in order, and how an event becomes a row. Whatever speaks of columns (the schema for REST, the
 * descriptor of the rows, the rows themselves, the check of an existing table) is derived from {@link #of}, so a new
 * field is one entry at its end. An entry's place is its field number: none is ever moved or left out.
 */
final class Columns {

    private static final Column NUMBER_ID = required(
            "event_id", ColumnType.INT64, (e, row) -> row.int64(e.event().id()));

    private static final Column TEXT_ID = required(
            "event_id",
            ColumnType.STRING,
            (e, row) -> row.text(e.event().eventId().toString()));

    /** Of events whose ids are numbers. */
    static final List<Column> ALL = List.of(
            NUMBER_ID,
            nullable(
                    "content_id",
                    ColumnType.STRING,
                    (e, row) -> row.text(e.event().contentId())),
            nullable(
                    "user_id", ColumnType.STRING, (e, row) -> row.text(e.event().userId())),
            nullable(
                    "event_type",
                    ColumnType.STRING,
                    (e, row) -> row.text(e.event().eventType())),
            required(
                    "event_ts",
                    ColumnType.TIMESTAMP,
                    (e, row) -> row.int64(e.event().eventTsMicros())),
            nullable("duration_ms", ColumnType.INT64, (e, row) -> {
                if (e.event().hasDuration()) {
                    row.int64(e.event().durationMs());
                }
            }),
            nullable("device", ColumnType.STRING, (e, row) -> row.text(e.event().device())),
            nullable(
                    "raw_payload",
                    ColumnType.JSON,
                    (e, row) -> row.text(e.event().rawPayload())),
            nullable("slug", ColumnType.STRING, (e, row) -> row.text(e.content().slug())),
            nullable(
                    "title", ColumnType.STRING, (e, row) -> row.text(e.content().title())),
            nullable(
                    "content_type",
                    ColumnType.STRING,
                    (e, row) -> row.text(e.content().contentType())),
            nullable("length_seconds", ColumnType.INT64, (e, row) -> {
                Integer length = e.content().lengthSeconds();
                if (length != null) {
                    row.int64(length);
                }
            }),
            nullable("publish_ts", ColumnType.TIMESTAMP, (e, row) -> {
                Long micros = e.content().publishTsMicros();
                if (micros != null) {
                    row.int64(micros);
                }
            }),
            nullable("engagement_seconds", ColumnType.NUMERIC, (e, row) -> {
                if (e.engagement().hasSeconds()) {
                    row.text(e.engagement().secondsText());
                }
            }),
            nullable("engagement_pct", ColumnType.NUMERIC, (e, row) -> {
                if (e.engagement().hasPct()) {
                    row.text(e.engagement().pctText());
                }
            }));

    /** Of events whose ids are texts: the first column is one, and all others are as they are. */
    private static final List<Column> WITH_TEXT_ID =
            Stream.concat(Stream.of(TEXT_ID), ALL.stream().skip(1)).toList();

    private Columns() {}

    /** The columns of a table of events with such ids. */
    static List<Column> of(EventIdKind ids) {
        return ids == EventIdKind.TEXT ? WITH_TEXT_ID : ALL;
    }

    /** What the rows of an append are, for BigQuery. */
    static DescriptorProto descriptor(EventIdKind ids) {
        List<Column> columns = of(ids);
        return DescriptorProto.newBuilder()
                .setName("EngagementEvent")
                .addAllField(IntStream.range(0, columns.size())
                        .mapToObj(i -> FieldDescriptorProto.newBuilder()
                                .setName(columns.get(i).name())
                                .setNumber(i + 1)
                                .setType(columns.get(i).type().inRows())
                                .setLabel(
                                        columns.get(i).required()
                                                ? FieldDescriptorProto.Label.LABEL_REQUIRED
                                                : FieldDescriptorProto.Label.LABEL_OPTIONAL)
                                .build())
                        .toList())
                .build();
    }

    /** What events are put together by. */
    static final List<String> CLUSTERING = List.of("content_type", "event_type");

    /** What partitions are made by. */
    static final String PARTITIONING = "event_ts";

    /** A column's type. */
    enum ColumnType {
        /** {@code int64}. */
        INT64(FieldDescriptorProto.Type.TYPE_INT64, "INTEGER"),
        /** UTF-8. */
        STRING(FieldDescriptorProto.Type.TYPE_STRING, "STRING"),
        /** {@code int64}, microseconds since the epoch. */
        TIMESTAMP(FieldDescriptorProto.Type.TYPE_INT64, "TIMESTAMP"),
        /** Its text. */
        JSON(FieldDescriptorProto.Type.TYPE_STRING, "JSON"),
        /** Its decimal text, at most 9 digits after the point. */
        NUMERIC(FieldDescriptorProto.Type.TYPE_STRING, "NUMERIC");

        private final FieldDescriptorProto.Type inRows;
        private final String inRest;

        ColumnType(FieldDescriptorProto.Type inRows, String inRest) {
            this.inRows = inRows;
            this.inRest = inRest;
        }

        FieldDescriptorProto.Type inRows() {
            return inRows;
        }

        /** What BigQuery's REST interface calls it; it also takes and never answers INT64 for INTEGER. */
        String inRest() {
            return inRest;
        }
    }

    /** Writes a column's value, or nothing if it is null. */
    @FunctionalInterface
    interface Value {
        void write(EnrichedEvent event, Row row) throws IOException;
    }

    /**
     * A column.
     *
     * @param name its name
     * @param type its type
     * @param required whether it is never null
     * @param value what stands in it
     */
    record Column(String name, ColumnType type, boolean required, Value value) {}

    /** Where a row is written: what {@link Value} writes becomes the field of the column that stands there. */
    interface Row {
        void int64(long value) throws IOException;

        void text(@Nullable String value) throws IOException;
    }

    private static Column required(String name, ColumnType type, Value value) {
        return new Column(name, type, true, value);
    }

    private static Column nullable(String name, ColumnType type, Value value) {
        return new Column(name, type, false, value);
    }
}
