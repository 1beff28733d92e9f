package dev.engagement.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.connection.registry.RegistryException;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import java.util.Map;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.DecoderFactory;
import org.apache.flink.cdc.connectors.shaded.org.apache.kafka.connect.data.Decimal;
import org.apache.flink.cdc.connectors.shaded.org.apache.kafka.connect.data.Schema;
import org.apache.flink.cdc.connectors.shaded.org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.flink.cdc.connectors.shaded.org.apache.kafka.connect.data.Struct;
import org.apache.flink.cdc.connectors.shaded.org.apache.kafka.connect.data.Timestamp;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What capture writes in Avro is what Avro's own reader reads by the schema that was registered. */
class AvroRowsTest {

    private static final Schema ROW = SchemaBuilder.struct()
            .name("dbserver1.public.engagement-events.Value")
            .optional()
            .field("id", Schema.INT64_SCHEMA)
            .field("small", Schema.OPTIONAL_INT16_SCHEMA)
            .field("device", Schema.OPTIONAL_STRING_SCHEMA)
            .field("share", Schema.OPTIONAL_FLOAT64_SCHEMA)
            .field("good", Schema.OPTIONAL_BOOLEAN_SCHEMA)
            .field("at", Timestamp.builder().optional().build())
            .field("price", Decimal.builder(2).optional().build())
            .field("bytes", Schema.OPTIONAL_BYTES_SCHEMA)
            .field("tags", SchemaBuilder.array(Schema.OPTIONAL_STRING_SCHEMA).build())
            .field(
                    "notes",
                    SchemaBuilder.map(Schema.STRING_SCHEMA, Schema.INT32_SCHEMA).build())
            .field(
                    "2nd",
                    SchemaBuilder.string()
                            .name("io.debezium.data.Json")
                            .optional()
                            .build())
            .build();
    private static final Schema ENVELOPE = SchemaBuilder.struct()
            .name("dbserver1.public.engagement-events.Envelope")
            .field("before", ROW)
            .field("after", ROW)
            .field("op", Schema.STRING_SCHEMA)
            .build();

    /** By its order of arrival from 1 on. */
    private final List<String> registered = new ArrayList<>();

    private boolean isAway;

    private final AvroRows.Registry registry = new AvroRows.Registry() {
        @Override
        public int register(String subject, String avro) throws RegistryException {
            if (isAway) {
                throw new RegistryException("The registry is away", null);
            }
            registered.add(subject + ' ' + avro);
            return registered.size();
        }

        @Override
        public @Nullable Integer find(String subject, String avro) {
            int at = registered.indexOf(subject + ' ' + avro);
            return at < 0 ? null : (Integer) (at + 1);
        }
    };

    private final AvroRows rows = new AvroRows(registry, true, "events", "content");

    @Test
    void avros_own_reader_reads_every_type() throws Exception {
        Struct row = new Struct(ROW)
                .put("id", 16L)
                .put("small", (short) -3)
                .put("device", "wéb")
                .put("share", 0.25)
                .put("good", true)
                .put("at", new Date(1_767_882_112_345L))
                .put("price", new BigDecimal("-12.30"))
                .put("bytes", new byte[] {1, 2})
                .put("tags", Arrays.asList("a", null))
                .put("notes", Map.of("x", 7))
                .put("2nd", "{}");
        GenericRecord read = read(rows.value(CapturedTable.EVENTS, envelope(null, row)), 1);

        assertThat(read.get("before")).isNull();
        assertThat(read.get("op")).hasToString("c");
        GenericRecord after = (GenericRecord) read.get("after");
        assertThat(after.toString())
                .isEqualTo("{\"id\": 16, \"small\": -3, \"device\": \"wéb\", \"share\": 0.25, \"good\": true,"
                        + " \"at\": 1767882112345, \"price\": \"" + text(new BigDecimal("-12.30"))
                        + "\", \"bytes\": \"\\u0001\\u0002\","
                        + " \"tags\": [\"a\", null], \"notes\": {\"x\": 7}, \"_2nd\": \"{}\"}");
        assertThat(after.getSchema().getFullName()).isEqualTo("dbserver1.public.engagement_events.Value");
        assertThat(registered.get(0))
                .startsWith("events-value ")
                .contains("\"connect.name\":\"io.debezium.data.Json\"");
    }

    private static String text(BigDecimal number) {
        return new String(number.unscaledValue().toByteArray(), StandardCharsets.ISO_8859_1);
    }

    @Test
    void a_schema_is_registered_once_and_each_topic_has_its_subjects() throws Exception {
        Struct key = new Struct(
                        SchemaBuilder.struct().field("id", Schema.STRING_SCHEMA).build())
                .put("id", "a");
        Struct empty = new Struct(ROW).put("id", 1L).put("tags", List.of()).put("notes", Map.of());
        for (int i = 0; i < 3; i++) {
            rows.value(CapturedTable.CONTENT, envelope(empty, empty));
            assertThat(read(rows.key(CapturedTable.CONTENT, key), 2).get("id")).hasToString("a");
        }
        assertThat(registered).hasSize(2);
        assertThat(registered.get(0)).startsWith("content-value ");
        assertThat(registered.get(1)).startsWith("content-key ");
    }

    @Test
    void without_auto_register_it_is_looked_up_and_never_registered() throws Exception {
        Struct key = new Struct(
                        SchemaBuilder.struct().field("id", Schema.INT64_SCHEMA).build())
                .put("id", 1L);
        AvroRows careful = new AvroRows(registry, false, "events", "content");
        assertThatThrownBy(() -> careful.key(CapturedTable.EVENTS, key))
                .hasMessageContaining("events-key")
                .hasMessageContaining("capture.registry.auto-register")
                .hasMessageContaining("\"long\"");
        assertThat(registered).isEmpty();
        byte[] written = rows.key(CapturedTable.EVENTS, key);
        assertThat(careful.key(CapturedTable.EVENTS, key)).isEqualTo(written);
    }

    /** The row is repeated: nothing of it is kept that would be wrong then. */
    @Test
    void a_registry_that_is_away_fails_the_row_and_the_next_attempt_asks_again() throws Exception {
        Struct key = new Struct(
                        SchemaBuilder.struct().field("id", Schema.INT64_SCHEMA).build())
                .put("id", 1L);
        isAway = true;
        assertThatThrownBy(() -> rows.key(CapturedTable.EVENTS, key)).isInstanceOf(RegistryException.class);
        isAway = false;
        assertThat(rows.key(CapturedTable.EVENTS, key)).startsWith(0, 0, 0, 0, 1);
    }

    private static Struct envelope(@Nullable Struct before, @Nullable Struct after) {
        return new Struct(ENVELOPE).put("before", before).put("after", after).put("op", "c");
    }

    private GenericRecord read(byte[] framed, int id) throws Exception {
        ByteBuffer bytes = ByteBuffer.wrap(framed);
        assertThat(bytes.get()).isZero();
        assertThat(bytes.getInt()).isEqualTo(id);
        String schema = registered.get(id - 1);
        return new GenericDatumReader<GenericRecord>(
                        new org.apache.avro.Schema.Parser().parse(schema.substring(schema.indexOf(' '))))
                .read(null, DecoderFactory.get().binaryDecoder(framed, 5, framed.length - 5, null));
    }
}
