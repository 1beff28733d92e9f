package dev.engagement.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;

/** The envelopes of {@link BenchEnvelopes} as Debezium behind an AvroConverter writes them, each field of them. */
final class AvroEnvelopes {

    static final int ID = 42;

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String TEXT = "[\"null\",\"string\"]";
    private static final String ROW = "{\"type\":\"record\",\"name\":\"Value\",\"fields\":["
            + field("id", "\"long\"") + ',' + field("content_id", TEXT) + ',' + field("user_id", TEXT) + ','
            + field("event_type", TEXT) + ',' + field("event_ts", TEXT) + ','
            + field("duration_ms", "[\"null\",\"int\"]") + ',' + field("device", TEXT) + ','
            + field("raw_payload", TEXT) + "]}";
    private static final String SOURCE = "{\"type\":\"record\",\"name\":\"Source\",\"fields\":["
            + field("version", "\"string\"") + ',' + field("connector", "\"string\"") + ','
            + field("name", "\"string\"") + ',' + field("ts_ms", "\"long\"") + ',' + field("snapshot", TEXT) + ','
            + field("db", "\"string\"") + ',' + field("sequence", TEXT) + ',' + field("schema", "\"string\"") + ','
            + field("table", "\"string\"") + ',' + field("txId", "[\"null\",\"long\"]") + ','
            + field("lsn", "[\"null\",\"long\"]") + ',' + field("xmin", "[\"null\",\"long\"]") + "]}";
    private static final Schema ENVELOPE = new Schema.Parser()
            .parse("{\"type\":\"record\",\"name\":\"Envelope\",\"fields\":["
                    + field("before", "[\"null\"," + ROW + "]") + ',' + field("after", "[\"null\",\"Value\"]") + ','
                    + field("source", SOURCE) + ',' + field("op", "\"string\"") + ','
                    + field("ts_ms", "[\"null\",\"long\"]") + "]}");

    private static String field(String name, String type) {
        return "{\"name\":\"" + name + "\",\"type\":" + type + "}";
    }

    String schema() {
        return ENVELOPE.toString();
    }

    /** The event of a number, with the magic byte and the id. */
    byte[] event(long id) {
        try {
            GenericRecord envelope = record(ENVELOPE, JSON.readTree(BenchEnvelopes.event(id)));
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            bytes.writeBytes(ByteBuffer.allocate(5).put((byte) 0).putInt(ID).array());
            BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(bytes, null);
            new GenericDatumWriter<GenericRecord>(ENVELOPE).write(envelope, encoder);
            return bytes.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static GenericRecord record(Schema schema, JsonNode json) {
        GenericRecord record = new GenericData.Record(schema);
        for (Schema.Field field : schema.getFields()) {
            JsonNode value = json.get(field.name());
            Schema type = field.schema().getType() == Schema.Type.UNION
                    ? field.schema().getTypes().get(1)
                    : field.schema();
            record.put(
                    field.pos(),
                    value.isNull()
                            ? null
                            : switch (type.getType()) {
                                case RECORD -> record(type, value);
                                case LONG -> (Object) value.asLong();
                                case INT -> (Object) value.asInt();
                                default -> value.asText();
                            });
        }
        return record;
    }
}
