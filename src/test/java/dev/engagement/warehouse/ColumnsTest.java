package dev.engagement.warehouse;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.cloud.bigquery.storage.v1.BQTableSchemaToProtoDescriptor;
import com.google.cloud.bigquery.storage.v1.TableFieldSchema;
import com.google.cloud.bigquery.storage.v1.TableSchema;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.DynamicMessage;
import dev.engagement.event.Content;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EngagementRule;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.EventIdKind;
import dev.engagement.event.Position;
import dev.engagement.event.Samples;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class ColumnsTest {

    @Test
    void the_table_is_the_contracts() {
        assertThat(Columns.ALL.stream()
                        .map(column -> column.name() + " " + column.type() + (column.required() ? " REQUIRED" : "")))
                .containsExactly(
                        "event_id INT64 REQUIRED",
                        "content_id STRING",
                        "user_id STRING",
                        "event_type STRING",
                        "event_ts TIMESTAMP REQUIRED",
                        "duration_ms INT64",
                        "device STRING",
                        "raw_payload JSON",
                        "slug STRING",
                        "title STRING",
                        "content_type STRING",
                        "length_seconds INT64",
                        "publish_ts TIMESTAMP",
                        "engagement_seconds NUMERIC",
                        "engagement_pct NUMERIC");
    }

    @Test
    void a_row_is_read_by_protobuf_as_its_descriptor_says() throws Exception {
        Map<String, Object> row = read(Samples.enriched(16, 1));

        assertThat(row)
                .containsEntry("event_id", 16L)
                .containsEntry("content_id", Samples.contentId(1))
                .containsEntry("event_type", "play")
                .containsEntry("event_ts", Samples.BASE_MICROS + 16_000)
                .containsEntry("duration_ms", 7_000L)
                .containsEntry("device", "web")
                .containsEntry("raw_payload", "{\"a\": 1}")
                .containsEntry("slug", "slug-1")
                .containsEntry("title", "Title 1")
                .containsEntry("content_type", "podcast")
                .containsEntry("length_seconds", 300L)
                .containsEntry("publish_ts", Samples.BASE_MICROS - 86_400_000_000L)
                .containsEntry("engagement_seconds", "7.0")
                .containsEntry("engagement_pct", "0.02")
                .hasSize(Columns.ALL.size());
    }

    @Test
    void what_is_null_is_not_written() throws Exception {
        EngagementEvent bare = new EngagementEvent(
                1, "c", null, null, -5, EngagementEvent.NO_DURATION, null, null, true, 0, new Position(0, 0, 0));
        EnrichedEvent enriched = EngagementRule.DEFAULT.enrich(bare, new Content("c", null, null, null, null, null));

        assertThat(read(enriched)).containsOnlyKeys("event_id", "content_id", "event_ts");
    }

    @Test
    void a_row_larger_than_all_before_is_whole() throws Exception {
        String payload = "\"" + "é".repeat(100_000) + "\"";
        EngagementEvent large =
                new EngagementEvent(1, "c", null, null, 5, 1, null, payload, true, 0, new Position(0, 0, 0));

        assertThat(read(EngagementRule.DEFAULT.enrich(large, Samples.content(1))))
                .containsEntry("raw_payload", payload)
                .containsEntry("slug", "slug-1");
    }

    /** Google's own client derives a descriptor from a table: ours is one that it would take for the same table. */
    @Test
    void the_descriptor_fits_the_table_as_googles_client_sees_it() throws Exception {
        TableSchema schema = TableSchema.newBuilder()
                .addAllFields(Columns.ALL.stream()
                        .map(column -> TableFieldSchema.newBuilder()
                                .setName(column.name())
                                .setType(TableFieldSchema.Type.valueOf(
                                        column.type().name()))
                                .setMode(
                                        column.required()
                                                ? TableFieldSchema.Mode.REQUIRED
                                                : TableFieldSchema.Mode.NULLABLE)
                                .build())
                        .toList())
                .build();
        Descriptor theirs = BQTableSchemaToProtoDescriptor.convertBQTableSchemaToProtoDescriptor(schema);

        // They write NUMERIC as encoded bytes, we as text, which BigQuery takes as well.
        List<String> numeric = List.of("engagement_seconds", "engagement_pct");
        for (FieldDescriptor field : descriptor().getFields()) {
            FieldDescriptor other = theirs.findFieldByName(field.getName());
            assertThat(other.getNumber()).as(field.getName()).isEqualTo(field.getNumber());
            assertThat(other.isRequired()).as(field.getName()).isEqualTo(field.isRequired());
            if (numeric.contains(field.getName())) {
                assertThat(field.getType()).isEqualTo(FieldDescriptor.Type.STRING);
            } else {
                assertThat(other.getType()).as(field.getName()).isEqualTo(field.getType());
            }
        }
    }

    private static Map<String, Object> read(EnrichedEvent event) throws Exception {
        DynamicMessage row = DynamicMessage.parseFrom(
                descriptor(),
                WrittenRows.rows(List.of(Samples.enriched(99, 9), event)).get(1));
        assertThat(row.getUnknownFields().asMap()).isEmpty();
        return row.getAllFields().entrySet().stream()
                .collect(Collectors.toMap(
                        field -> field.getKey().getName(), Map.Entry::getValue, (a, b) -> a, LinkedHashMap::new));
    }

    private static Descriptor descriptor() throws Exception {
        FileDescriptorProto file = FileDescriptorProto.newBuilder()
                .setName("row.proto")
                .addMessageType(Columns.descriptor(EventIdKind.LONG))
                .build();
        return FileDescriptor.buildFrom(file, new FileDescriptor[0]).findMessageTypeByName("EngagementEvent");
    }
}
