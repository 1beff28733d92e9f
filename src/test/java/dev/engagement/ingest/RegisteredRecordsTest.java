package dev.engagement.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.engagement.connection.registry.RegisteredSchema;
import dev.engagement.deadletter.Reason;
import dev.engagement.event.ContentChange;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.Timestamps;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Records of a schema registry: what becomes of each, by the rules that hold for JSON. */
class RegisteredRecordsTest {

    private static final String TIME = "2026-01-08T14:21:52.123456Z";
    private static final long MICROS = Timestamps.parse(TIME);

    private static final String ROW = """
            {"type":"record","name":"Value","fields":[
              {"name":"id","type":"long"},
              {"name":"content_id","type":["null",{"type":"string","connect.name":"io.debezium.data.Uuid"}],"default":null},
              {"name":"user_id","type":["null","string"],"default":null},
              {"name":"event_type","type":["null",{"type":"enum","name":"kind","symbols":["play","pause"]}],"default":null},
              {"name":"event_ts","type":%s},
              {"name":"duration_ms","type":["null","int"],"default":null},
              {"name":"device","type":["null","string"],"default":null},
              {"name":"raw_payload","type":["null",{"type":"string","connect.name":"io.debezium.data.Json"}],"default":null}]}
            """;

    private static final String ENVELOPE = """
            {"type":"record","name":"Envelope","namespace":"dbserver1.public.engagement_events","fields":[
              {"name":"before","type":["null",%s],"default":null},
              {"name":"after","type":["null","Value"],"default":null},
              {"name":"source","type":{"type":"record","name":"Source","fields":[
                {"name":"version","type":"string"},{"name":"ts_ms","type":"long"},
                {"name":"snapshot","type":[{"type":"string","connect.default":"false"},"null"],"default":"false"},
                {"name":"lsn","type":["null","long"],"default":null}]}},
              {"name":"op","type":"string"},
              {"name":"ts_ms","type":["null","long"],"default":null},
              {"name":"transaction","type":["null",{"type":"record","name":"block","fields":[
                {"name":"id","type":"string"},{"name":"total_order","type":"long"}]}],"default":null}]}
            """;

    private final KnownSchemas schemas = new KnownSchemas();

    @Test
    void an_envelope_of_the_avro_converter() throws IOException {
        Schema envelope = avro(ENVELOPE.formatted(ROW.formatted("\"string\"")));

        EngagementEvent event = event(framed(envelope, envelope(envelope, "c", row -> {})));

        assertEquals(16, event.id());
        assertEquals("6f1c1c52", event.contentId());
        assertEquals("play", event.eventType());
        assertEquals(MICROS, event.eventTsMicros());
        assertEquals(7_000, event.durationMs());
        assertEquals("{\"a\": 1}", event.rawPayload());
        assertEquals(1_767_882_112_000L, event.committedAtMillis());
        assertThat(event.snapshot()).isFalse();
        assertThat(event(framed(envelope, envelope(envelope, "r", row -> {}))).snapshot())
                .isTrue();
        assertThat(decodeEvent(framed(envelope, envelope(envelope, "u", row -> {})))
                        .kind())
                .isEqualTo(DecodedRecord.Kind.IGNORED);
    }

    @Test
    void a_flat_row_is_inserted() throws IOException {
        Schema row = avro(ROW.formatted("\"string\""));
        assertEquals(16, event(framed(row, row(row))).id());
    }

    @Test
    void debezium_s_own_flattening_says_what_happened_to_a_row() throws IOException {
        Schema row = avro("""
                {"type":"record","name":"Flat","fields":[{"name":"id","type":"string"},{"name":"slug","type":"string"},
                  {"name":"__op","type":["null","string"]},{"name":"__deleted","type":["null","string"]}]}
                """);
        Schema key = avro("{\"type\":\"record\",\"name\":\"Key\",\"fields\":[{\"name\":\"id\",\"type\":\"string\"}]}");
        GenericRecord flat = new GenericData.Record(row);
        flat.put("id", "a");
        flat.put("slug", "s");
        flat.put("__op", "u");
        flat.put("__deleted", "false");
        GenericRecord keyed = new GenericData.Record(key);
        keyed.put("id", "a");
        byte[] keyBytes = framed(key, keyed);

        assertThat(change(keyBytes, framed(row, flat))).isInstanceOf(ContentChange.Put.class);
        flat.put("__op", "d");
        flat.put("__deleted", "true");
        assertThat(change(keyBytes, framed(row, flat)))
                .isInstanceOfSatisfying(ContentChange.Delete.class, deleted -> assertEquals("a", deleted.contentId()));
        assertThat(change(keyBytes, null))
                .as("a tombstone")
                .isInstanceOfSatisfying(ContentChange.Delete.class, deleted -> assertEquals("a", deleted.contentId()));
    }

    @Test
    void logical_types_become_what_they_are() throws IOException {
        for (Map.Entry<String, Object> each : Map.<String, Object>of(
                        "{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}",
                        MICROS,
                        "{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}",
                        MICROS / 1_000,
                        "{\"type\":\"long\",\"logicalType\":\"timestamp-nanos\"}",
                        MICROS * 1_000 + 7,
                        "{\"type\":\"string\",\"connect.name\":\"io.debezium.time.ZonedTimestamp\"}",
                        TIME)
                .entrySet()) {
            Schema row = avro(ROW.formatted(each.getKey()));
            GenericRecord record = row(row);
            record.put("event_ts", each.getValue());
            long expected = each.getKey().contains("millis") ? MICROS / 1_000 * 1_000 : MICROS;
            assertEquals(expected, event(framed(row, record)).eventTsMicros(), each.getKey());
        }
        Schema decimals = avro("""
                {"type":"record","name":"Decimals","fields":[
                  {"name":"id","type":{"type":"bytes","logicalType":"decimal","precision":20,"scale":0}},
                  {"name":"content_id","type":{"type":"string","logicalType":"uuid"}},
                  {"name":"event_ts","type":"string"},
                  {"name":"duration_ms","type":{"type":"bytes","logicalType":"decimal","precision":12,"scale":2}}]}
                """);
        GenericRecord record = new GenericData.Record(decimals);
        record.put("id", decimal("1234567890123", 0));
        record.put("content_id", "6f1c1c52-8f0e-4f5e-9d2c-0d3c2b7a9e11");
        record.put("event_ts", TIME);
        record.put("duration_ms", decimal("7000.00", 2));
        EngagementEvent event = event(framed(decimals, record));
        assertEquals(1_234_567_890_123L, event.id());
        assertEquals(7_000, event.durationMs());
        record.put("duration_ms", decimal("7000.50", 2));
        assertInvalid(framed(decimals, record), "duration_ms is '7000.50'");
    }

    /** The rules are those of JSON, with their words. */
    @Test
    void a_row_that_breaks_a_rule_is_invalid() throws IOException {
        Schema row = avro(ROW.formatted("{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}"));
        GenericRecord record = row(row);
        record.put("event_ts", MICROS);
        record.put("duration_ms", -1);
        assertInvalid(framed(row, record), "duration_ms is '-1'; it must be a whole number of milliseconds");
        record.put("duration_ms", null);
        record.put("content_id", null);
        assertInvalid(framed(row, record), "content_id is missing");
        record.put("content_id", "a");
        record.put("raw_payload", "{");
        assertInvalid(framed(row, record), "raw_payload");
        record.put("raw_payload", null);
        record.put("event_ts", Long.MAX_VALUE);
        assertInvalid(framed(row, record), "event_ts is '9223372036854775807'");
    }

    /** A column that is an object is that object's JSON, as in JSON. */
    @Test
    void a_nested_payload_becomes_json() throws IOException {
        Schema row = avro("""
                {"type":"record","name":"Nested","fields":[{"name":"raw_payload","type":
                  {"type":"record","name":"P","fields":[{"name":"position","type":"int"},{"name":"tags","type":
                    {"type":"array","items":"string"}},{"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}}]}},
                  {"name":"id","type":"long"},{"name":"content_id","type":"string"},{"name":"event_ts","type":"string"}]}
                """);
        GenericRecord payload =
                new GenericData.Record(row.getField("raw_payload").schema());
        payload.put("position", 3);
        payload.put("tags", List.of("x", "y"));
        payload.put("at", 0L);
        GenericRecord record = new GenericData.Record(row);
        record.put("raw_payload", payload);
        record.put("id", 1L);
        record.put("content_id", "a");
        record.put("event_ts", TIME);
        assertEquals(
                "{\"position\":3,\"tags\":[\"x\",\"y\"],\"at\":\"1970-01-01T00:00:00.000000Z\"}",
                event(framed(row, record)).rawPayload());
    }

    /** Fields come, go, move and change their types from one version to the next, all mixed. */
    @Test
    void ten_versions_mixed_in_one_topic() throws IOException {
        List<Schema> versions = new ArrayList<>();
        for (int version = 0; version < 10; version++) {
            List<String> fields = new ArrayList<>(
                    List.of(
                            "{\"name\":\"id\",\"type\":\"" + (version % 2 == 0 ? "long" : "int") + "\"}",
                            "{\"name\":\"content_id\",\"type\":"
                                    + (version % 3 == 0 ? "\"string\"" : "[\"null\",\"string\"]") + "}",
                            version % 4 == 0
                                    ? "{\"name\":\"event_ts\",\"type\":\"string\"}"
                                    : "{\"name\":\"event_ts\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}}"));
            for (int extra = 0; extra < version; extra++) {
                fields.add((extra * 7) % fields.size(), "{\"name\":\"added_" + extra + "\",\"type\":\"string\"}");
            }
            versions.add(avro("{\"type\":\"record\",\"name\":\"V\",\"fields\":[" + String.join(",", fields) + "]}"));
        }
        EventDecoder decoder = eventDecoder();
        DecodedRecord<EngagementEvent> decoded = new DecodedRecord<>();
        for (int i = 0; i < 200; i++) {
            Schema version = versions.get(i * 7 % 10);
            GenericRecord record = new GenericData.Record(version);
            version.getFields().forEach(field -> record.put(field.pos(), "extra"));
            boolean wide = version.getField("id").schema().getType() == Schema.Type.LONG;
            record.put("id", wide ? (Object) (long) i : (Object) i);
            record.put("content_id", "c" + i);
            boolean text = version.getField("event_ts").schema().getType() == Schema.Type.STRING;
            record.put("event_ts", text ? TIME : (Object) MICROS);
            decoder.decode(record(null, framed(version, record)), decoded);
            assertEquals(i, decoded.value().id());
            assertEquals("c" + i, decoded.value().contentId());
            assertEquals(MICROS, decoded.value().eventTsMicros());
        }
    }

    @Test
    void an_id_that_is_not_known_is_a_letter_with_bytes_and_id_until_it_is() throws IOException {
        byte[] value = {0, 0, 0, 1, 2, 42};
        DecodedRecord<EngagementEvent> decoded = new DecodedRecord<>();
        EventDecoder decoder = eventDecoder();
        decoder.decode(record(null, value), decoded);
        assertEquals(Reason.UNDECODABLE, decoded.letter().reason());
        assertThat(decoded.letter().error()).contains("id 258").contains("redrive");
        assertThat(decoded.letter().payload()).isEqualTo(value);

        Schema row = new Schema.Parser().parse(ROW.formatted("\"string\""));
        schemas.add(258, new RegisteredSchema(RegisteredSchema.AVRO, row.toString(), List.of()));
        decoder.decode(record(null, frame(258, bytes(row, row(row)))), decoded);
        assertEquals(16, decoded.value().id());
    }

    @Test
    void without_a_registry_a_letter_says_so() {
        DecodedRecord<EngagementEvent> decoded = new DecodedRecord<>();
        new EventDecoder("events", 1 << 20, EventRules.DEFAULT, Clock.systemUTC())
                .decode(record(null, new byte[] {0, 0, 0, 0, 9, 1}), decoded);
        assertThat(decoded.letter().error()).contains("registry.url").contains("id 9");
    }

    @Test
    void each_format_reads_what_it_is_for() {
        byte[] json = "{\"op\":\"u\"}".getBytes(StandardCharsets.UTF_8);
        byte[] framed = {0, 0, 0, 0, 9, 1};
        assertThat(letter(IngestFormat.REGISTRY, json)).contains("ingest.format is registry");
        assertThat(letter(IngestFormat.JSON, framed)).doesNotContain("registry");
        assertThat(letter(IngestFormat.REGISTRY, framed)).contains("does not know");
        assertThat(letter(IngestFormat.AUTO, new byte[] {0, 0, 1})).contains("3 bytes");
    }

    private String letter(IngestFormat format, byte[] value) {
        DecodedRecord<EngagementEvent> decoded = new DecodedRecord<>();
        new EventDecoder(
                        "events",
                        1 << 20,
                        EventRules.DEFAULT,
                        Clock.systemUTC(),
                        new RecordFormat(format, WireFormat.CONFLUENT, schemas))
                .decode(record(null, value), decoded);
        return decoded.letter().error();
    }

    @Test
    void a_schema_that_cannot_be_read_by_is_named_in_each_letter() {
        schemas.add(1, new RegisteredSchema("PROTOBUF", "message A {}", List.of()));
        schemas.add(2, new RegisteredSchema(RegisteredSchema.AVRO, "{\"type\":\"recor\"}", List.of()));
        for (int round = 0; round < 2; round++) {
            assertThat(letter(IngestFormat.AUTO, new byte[] {0, 0, 0, 0, 1, 1}))
                    .contains("id 1")
                    .contains("PROTOBUF");
            assertThat(letter(IngestFormat.AUTO, new byte[] {0, 0, 0, 0, 2, 1}))
                    .contains("id 2")
                    .contains("not an Avro");
        }
    }

    @Test
    void an_id_may_have_eight_bytes() throws IOException {
        Schema row = new Schema.Parser().parse(ROW.formatted("\"string\""));
        long id = (1L << 40) + 5;
        schemas.add(id, new RegisteredSchema(RegisteredSchema.AVRO, row.toString(), List.of()));
        byte[] body = bytes(row, row(row));
        byte[] value = ByteBuffer.allocate(9 + body.length)
                .put((byte) 0)
                .putLong(id)
                .put(body)
                .array();
        DecodedRecord<EngagementEvent> decoded = new DecodedRecord<>();
        new EventDecoder(
                        "events",
                        1 << 20,
                        EventRules.DEFAULT,
                        Clock.systemUTC(),
                        new RecordFormat(IngestFormat.AUTO, new WireFormat(8), schemas))
                .decode(record(null, value), decoded);
        assertEquals(16, decoded.value().id());
    }

    /** Behind the frame of JSON Schema stands what the topic would have without a registry. */
    @TestFactory
    Stream<DynamicTest> every_case_of_the_corpus_means_the_same_by_a_json_schema() {
        schemas.add(5, new RegisteredSchema(RegisteredSchema.JSON, "{\"type\":\"object\"}", List.of()));
        return DebeziumCase.all().stream()
                .filter(c -> c.value() != null
                        && c.value().length < DebeziumCase.MAX_RECORD_BYTES - 5
                        && !WireFormat.isFramed(c.value()))
                .map(c -> DynamicTest.dynamicTest(c.name(), () -> {
                    ConsumerRecord<byte[], byte[]> plain = c.record(1, 2, 3);
                    ConsumerRecord<byte[], byte[]> framed = record(plain.key(), frame(5, c.value()));
                    if (c.onEvents()) {
                        assertEquals(
                                Outcome.of(DebeziumCorpusTest.decode(true, plain)), Outcome.of(decodeEvent(framed)));
                    } else {
                        assertEquals(
                                Outcome.of(DebeziumCorpusTest.decode(false, plain)), Outcome.of(decodeContent(framed)));
                    }
                }));
    }

    @Test
    void a_row_by_a_json_schema_is_inserted() {
        schemas.add(6, new RegisteredSchema(RegisteredSchema.JSON, """
                {"type":"object","properties":{"id":{"type":"integer"},"content_id":{},"event_ts":{}}}""", List.of()));
        byte[] json =
                ("{\"id\":3,\"content_id\":\"a\",\"event_ts\":\"" + TIME + "\"}").getBytes(StandardCharsets.UTF_8);
        assertEquals(3, event(frame(6, json)).id());
    }

    // ------------------------------------------------------------------------------------------------ making

    private static ByteBuffer decimal(String digits, int scale) {
        return ByteBuffer.wrap(
                new BigDecimal(digits).setScale(scale).unscaledValue().toByteArray());
    }

    private Schema avro(String text) {
        Schema schema = new Schema.Parser().parse(text);
        schemas.add(idOf(schema), new RegisteredSchema(RegisteredSchema.AVRO, text, List.of()));
        return schema;
    }

    private final List<Schema> registered = new ArrayList<>();

    private int idOf(Schema schema) {
        int at = registered.indexOf(schema);
        if (at < 0) {
            registered.add(schema);
            at = registered.size() - 1;
        }
        return 1_000 + at;
    }

    private static GenericRecord row(Schema schema) {
        GenericRecord row = new GenericData.Record(schema);
        row.put("id", 16L);
        row.put("content_id", "6f1c1c52");
        Schema kind = schema.getField("event_type").schema().getTypes().get(1);
        row.put("event_type", new GenericData.EnumSymbol(kind, "play"));
        row.put("event_ts", TIME);
        row.put("duration_ms", 7_000);
        row.put("raw_payload", "{\"a\": 1}");
        return row;
    }

    private static GenericRecord envelope(Schema schema, String op, Consumer<GenericRecord> change) {
        GenericRecord row = row(schema.getField("after").schema().getTypes().get(1));
        change.accept(row);
        GenericRecord source = new GenericData.Record(schema.getField("source").schema());
        source.put("version", "3.2.3.Final");
        source.put("ts_ms", 1_767_882_112_000L);
        source.put("snapshot", "false");
        source.put("lsn", 24_023_128L);
        GenericRecord envelope = new GenericData.Record(schema);
        envelope.put("before", row);
        envelope.put("after", row);
        envelope.put("source", source);
        envelope.put("op", op);
        envelope.put("ts_ms", 1_767_882_112_020L);
        return envelope;
    }

    private byte[] framed(Schema schema, GenericRecord record) throws IOException {
        return frame(idOf(schema), bytes(schema, record));
    }

    private static byte[] frame(int id, byte[] body) {
        return ByteBuffer.allocate(5 + body.length)
                .put((byte) 0)
                .putInt(id)
                .put(body)
                .array();
    }

    private static byte[] bytes(Schema schema, GenericRecord record) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(bytes, null);
        new GenericDatumWriter<GenericRecord>(schema).write(record, encoder);
        encoder.flush();
        return bytes.toByteArray();
    }

    // ------------------------------------------------------------------------------------------------ decoding

    private static ConsumerRecord<byte[], byte[]> record(byte @Nullable [] key, byte @Nullable [] value) {
        return new ConsumerRecord<>("topic", 1, 2, key, value);
    }

    private EventDecoder eventDecoder() {
        return new EventDecoder(
                "events",
                DebeziumCase.MAX_RECORD_BYTES,
                EventRules.DEFAULT,
                Clock.systemUTC(),
                new RecordFormat(IngestFormat.AUTO, WireFormat.CONFLUENT, schemas));
    }

    private DecodedRecord<EngagementEvent> decodeEvent(byte[] value) {
        return decodeEvent(record(null, value));
    }

    private DecodedRecord<EngagementEvent> decodeEvent(ConsumerRecord<byte[], byte[]> record) {
        DecodedRecord<EngagementEvent> decoded = new DecodedRecord<>();
        eventDecoder().decode(record, decoded);
        return decoded;
    }

    private DecodedRecord<ContentChange> decodeContent(ConsumerRecord<byte[], byte[]> record) {
        DecodedRecord<ContentChange> decoded = new DecodedRecord<>();
        new ContentDecoder(
                        "content",
                        DebeziumCase.MAX_RECORD_BYTES,
                        Clock.systemUTC(),
                        new RecordFormat(IngestFormat.AUTO, WireFormat.CONFLUENT, schemas))
                .decode(record, decoded);
        return decoded;
    }

    private EngagementEvent event(byte[] value) {
        DecodedRecord<EngagementEvent> decoded = decodeEvent(value);
        assertThat(decoded.kind())
                .as(() -> decoded.kind() == DecodedRecord.Kind.LETTER
                        ? decoded.letter().error()
                        : Arrays.toString(value))
                .isEqualTo(DecodedRecord.Kind.VALUE);
        return decoded.value();
    }

    private ContentChange change(byte[] key, byte @Nullable [] value) {
        return decodeContent(record(key, value)).value();
    }

    private void assertInvalid(byte[] value, String words) {
        DecodedRecord<EngagementEvent> decoded = decodeEvent(value);
        assertEquals(Reason.INVALID, decoded.letter().reason());
        assertThat(decoded.letter().error()).contains(words);
    }
}
