package dev.engagement.capture;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.EventId;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.functions.util.ListCollector;
import org.apache.flink.cdc.connectors.shaded.org.apache.kafka.connect.data.Schema;
import org.apache.flink.cdc.connectors.shaded.org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.flink.cdc.connectors.shaded.org.apache.kafka.connect.data.Struct;
import org.apache.flink.cdc.connectors.shaded.org.apache.kafka.connect.source.SourceRecord;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;

class RowDeserializerTest {

    private static final Schema SOURCE = SchemaBuilder.struct()
            .field("schema", Schema.STRING_SCHEMA)
            .field("table", Schema.STRING_SCHEMA)
            .field("lsn", Schema.OPTIONAL_INT64_SCHEMA)
            .field("ts_ms", Schema.INT64_SCHEMA)
            .build();
    private static final Schema KEY =
            SchemaBuilder.struct().field("id", Schema.INT64_SCHEMA).build();
    private static final Schema ROW = SchemaBuilder.struct()
            .optional()
            .field("id", Schema.INT64_SCHEMA)
            .field("device", Schema.OPTIONAL_STRING_SCHEMA)
            .build();
    private static final Schema ENVELOPE = SchemaBuilder.struct()
            .field("before", ROW)
            .field("after", ROW)
            .field("source", SOURCE)
            .field("op", Schema.STRING_SCHEMA)
            .field("ts_ms", Schema.INT64_SCHEMA)
            .build();

    private static final Struct KEY_OF_16 = new Struct(KEY).put("id", 16L);

    private final RowDeserializer deserializer = new RowDeserializer(CaptureSamples.options());

    @Test
    void anEventIsKeyAndEnvelopeWithoutSchema() {
        List<Captured> captured = deserialize("public", "engagement_events", "c", "web");

        Captured.Row row = (Captured.Row) captured.get(0);
        assertThat(captured).hasSize(1);
        assertThat(row.table()).isEqualTo(CapturedTable.EVENTS);
        assertThat(text(row.key())).isEqualTo("{\"id\":16}");
        assertThat(text(row.value()))
                .isEqualTo(
                        "{\"before\":null,\"after\":{\"id\":16,\"device\":\"web\"},\"source\":{\"schema\":\"public\","
                                + "\"table\":\"engagement_events\",\"lsn\":4711,\"ts_ms\":1700000000000},\"op\":\"c\",\"ts_ms\":1}");
    }

    @Test
    void aDeletedContentIsFollowedByATombstone() {
        List<Captured> captured = deserialize("public", "content", "d", null);

        assertThat(captured).hasSize(2);
        assertThat(((Captured.Row) captured.get(1)).value()).isNull();
        assertThat(((Captured.Row) captured.get(1)).table()).isEqualTo(CapturedTable.CONTENT);
    }

    @Test
    void aDeletedEventIsNot() {
        assertThat(deserialize("public", "engagement_events", "d", null)).hasSize(1);
    }

    @Test
    void heartbeatsAndTablesOfOtherSchemasGiveNothing() {
        assertThat(deserialize("public", "heartbeat", "u", null)).isEmpty();
        assertThat(deserialize("other", "engagement_events", "c", null)).isEmpty();
    }

    @Test
    void anOversizeRowIsAReference() {
        List<Captured> captured = deserialize("public", "engagement_events", "c", "x".repeat(2000));

        assertThat(captured)
                .singleElement()
                .asInstanceOf(InstanceOfAssertFactories.type(Captured.Oversize.class))
                .satisfies(row -> {
                    assertThat(row.table()).isEqualTo("public.engagement_events");
                    assertThat(row.key()).isEqualTo("{\"id\":16}");
                    assertThat(row.operation()).isEqualTo("c");
                    assertThat(row.bytes()).isGreaterThan(2000);
                    assertThat(row.lsn()).isEqualTo(4711);
                    assertThat(row.committedAtMillis()).isEqualTo(1_700_000_000_000L);
                    assertThat(row.eventId()).isEqualTo(EventId.of(16));
                });
    }

    @Test
    void anOversizeContentHasNoEventId() {
        Captured.Oversize row = (Captured.Oversize)
                deserialize("public", "content", "u", "x".repeat(2000)).get(0);
        assertThat(row.eventId()).isNull();
    }

    @Test
    void aRowWithoutItsKeyIsALetterAndNeverADeleteOfNothing() {
        Schema text = SchemaBuilder.struct().field("id", Schema.STRING_SCHEMA).build();
        for (Struct key : java.util.Arrays.asList(null, new Struct(text).put("id", ""))) {
            assertThat(deserialize("public", "content", "d", null, key))
                    .singleElement()
                    .asInstanceOf(InstanceOfAssertFactories.type(Captured.Unreadable.class))
                    .satisfies(row -> {
                        assertThat(row.table()).isEqualTo("public.content");
                        assertThat(row.problem()).contains("without its key").contains("REPLICA IDENTITY DEFAULT");
                        assertThat(row.lsn()).isEqualTo(4711);
                        assertThat(row.eventId()).isNull();
                    });
        }
    }

    @Test
    void aRowThatCannotBeReadIsALetterAndADeleteOfOneIsADelete() {
        Struct row = new UnreadableRow(new Struct(ROW).put("id", 16L), "its column device holds 'x'");

        assertThat(deserialize(envelope("public", "engagement_events", "u", null, row), KEY_OF_16))
                .singleElement()
                .asInstanceOf(InstanceOfAssertFactories.type(Captured.Unreadable.class))
                .satisfies(unreadable -> {
                    assertThat(unreadable.problem()).isEqualTo("its column device holds 'x'");
                    assertThat(unreadable.key()).isEqualTo("{\"id\":16}");
                    assertThat(unreadable.eventId()).isEqualTo(EventId.of(16));
                });
        assertThat(deserialize(envelope("public", "engagement_events", "d", row, null), KEY_OF_16))
                .singleElement()
                .isInstanceOf(Captured.Row.class);
    }

    @Test
    void aKeyThatCannotBeReadIsALetter() {
        Struct key = new UnreadableRow(new Struct(KEY).put("id", 16L), "its column tenant holds 'NaN'");
        assertThat(deserialize("public", "content", "d", null, key))
                .singleElement()
                .asInstanceOf(InstanceOfAssertFactories.type(Captured.Unreadable.class))
                .satisfies(unreadable -> assertThat(unreadable.problem()).contains("tenant"));
    }

    private List<Captured> deserialize(String schema, String table, String op, String device) {
        return deserialize(schema, table, op, device, KEY_OF_16);
    }

    private List<Captured> deserialize(String schema, String table, String op, String device, Struct key) {
        Struct row = new Struct(ROW).put("id", 16L).put("device", device);
        boolean deleted = op.equals("d");
        return deserialize(envelope(schema, table, op, deleted ? row : null, deleted ? null : row), key);
    }

    private static Struct envelope(String schema, String table, String op, Struct before, Struct after) {
        return new Struct(ENVELOPE)
                .put("before", before)
                .put("after", after)
                .put(
                        "source",
                        new Struct(SOURCE)
                                .put("schema", schema)
                                .put("table", table)
                                .put("lsn", 4711L)
                                .put("ts_ms", 1_700_000_000_000L))
                .put("op", op)
                .put("ts_ms", 1L);
    }

    private List<Captured> deserialize(Struct envelope, Struct key) {
        List<Captured> captured = new java.util.ArrayList<>();
        SourceRecord record = new SourceRecord(
                Map.of(), Map.of(), "t", null, key == null ? null : key.schema(), key, ENVELOPE, envelope);
        try {
            deserializer.deserialize(record, new ListCollector<>(captured));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return captured;
    }

    private static String text(byte[] json) {
        return new String(json, StandardCharsets.UTF_8);
    }
}
