package dev.engagement.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonToken;
import dev.engagement.connection.registry.RegisteredSchema;
import dev.engagement.event.EnvelopeJson;
import dev.engagement.event.Timestamps;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.apache.avro.LogicalTypes;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericEnumSymbol;
import org.apache.avro.generic.GenericFixed;
import org.apache.avro.generic.IndexedRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.BlockingBinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.jspecify.annotations.Nullable;

/** Whatever is written by whatever schema: the tokens say what Avro's own reader reads. */
class AvroParserProperties {

    private static final int MAX_DEPTH = 4;

    private int names;

    @Property(tries = 600)
    void the_tokens_say_what_avros_own_reader_reads(@ForAll long seed) throws IOException {
        Random random = new Random(seed);
        Schema schema = schema(random, 0);
        byte[] bytes = bytes(schema, value(schema, random, 0), random.nextBoolean());

        String expected = text(schema, read(schema, bytes));
        AvroParser parser = new AvroParser();
        AvroType type = AvroType.compile(registered(schema), Set.of());
        // Of the outermost record nothing is wanted; one level deeper all is.
        AvroType whole = AvroType.compile(registered(wrapped(schema)), Set.of("it"));
        parser.read(whole, bytes, 0);
        assertThat(parser.nextToken()).isEqualTo(JsonToken.START_OBJECT);
        assertThat(parser.nextToken()).isEqualTo(JsonToken.FIELD_NAME);
        assertThat(parser.nextToken()).isNotNull();
        byte[] copy = EnvelopeJson.document(json -> TokenCopy.copy(parser, json));
        assertThat(new String(copy, StandardCharsets.UTF_8)).isEqualTo(expected);
        assertThat(parser.nextToken()).isEqualTo(JsonToken.END_OBJECT);
        assertThat(parser.nextToken()).isNull();

        parser.read(type, bytes, 0);
        parser.nextToken();
        parser.skipChildren();
        assertThat(parser.nextToken()).as("skipped to the last byte").isNull();
    }

    /** A value that is cut, or has a byte too many, or was written by another schema, is an error or something else; no more. */
    @Property(tries = 600)
    void damage_is_an_error_or_another_value_and_nothing_else(@ForAll long seed) throws IOException {
        Random random = new Random(seed);
        Schema schema = schema(random, 0);
        byte[] bytes = bytes(schema, value(schema, random, 0), random.nextBoolean());
        AvroType type = AvroType.compile(registered(wrapped(schema)), Set.of("it"));
        AvroParser parser = new AvroParser();
        byte[] damaged = bytes.clone();
        for (int i = 0; i < 3 && damaged.length > 0; i++) {
            damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
        }
        for (byte[] each :
                List.of(Arrays.copyOf(bytes, bytes.length / 2), Arrays.copyOf(bytes, bytes.length + 1), damaged)) {
            try {
                parser.read(type, each, 0);
                for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
                    parser.getText();
                }
            } catch (UnreadableValueException e) {
                assertThat(e.getMessage()).isNotBlank();
            }
        }
    }

    private static Schema wrapped(Schema schema) {
        return Schema.createRecord("wrapper", null, "w", false, List.of(new Schema.Field("it", schema)));
    }

    private static RegisteredSchema registered(Schema schema) {
        return new RegisteredSchema(RegisteredSchema.AVRO, schema.toString(), List.of());
    }

    // ------------------------------------------------------------------------------------------------ making

    private Schema schema(Random random, int depth) {
        int kind = random.nextInt(depth >= MAX_DEPTH ? 13 : 17);
        return switch (kind) {
            case 0 -> Schema.create(Schema.Type.NULL);
            case 1 -> Schema.create(Schema.Type.BOOLEAN);
            case 2 -> Schema.create(Schema.Type.INT);
            case 3 -> Schema.create(Schema.Type.LONG);
            case 4 -> Schema.create(Schema.Type.FLOAT);
            case 5 -> Schema.create(Schema.Type.DOUBLE);
            case 6 -> Schema.create(Schema.Type.STRING);
            case 7 -> Schema.create(Schema.Type.BYTES);
            case 8 -> Schema.createFixed("f" + names++, null, "t", 1 + random.nextInt(20));
            case 9 -> Schema.createEnum("e" + names++, null, "t", List.of("play", "pause", "finish"));
            case 10 -> LogicalTypes.timestampMicros().addToSchema(Schema.create(Schema.Type.LONG));
            case 11 -> LogicalTypes.timestampMillis().addToSchema(Schema.create(Schema.Type.LONG));
            case 12 -> LogicalTypes.decimal(30, random.nextInt(6)).addToSchema(Schema.create(Schema.Type.BYTES));
            case 13 -> Schema.createArray(schema(random, depth + 1));
            case 14 -> Schema.createMap(schema(random, depth + 1));
            case 15 -> Schema.createUnion(Schema.create(Schema.Type.NULL), notUnion(random, depth + 1));
            default -> {
                List<Schema.Field> fields = new ArrayList<>();
                int count = random.nextInt(6);
                for (int i = 0; i < count; i++) {
                    fields.add(new Schema.Field("x" + i, schema(random, depth + 1)));
                }
                yield Schema.createRecord("r" + names++, null, "t", false, fields);
            }
        };
    }

    private Schema notUnion(Random random, int depth) {
        Schema schema = schema(random, depth);
        return schema.getType() == Schema.Type.UNION || schema.getType() == Schema.Type.NULL
                ? Schema.create(Schema.Type.STRING)
                : schema;
    }

    private static @Nullable Object value(Schema schema, Random random, int depth) {
        return switch (schema.getType()) {
            case NULL -> null;
            case BOOLEAN -> random.nextBoolean();
            case INT -> (int) number(random);
            case LONG -> number(random);
            case FLOAT -> random.nextInt(20) == 0 ? Float.NaN : random.nextFloat() * 1e6f;
            case DOUBLE -> random.nextInt(20) == 0 ? Double.NEGATIVE_INFINITY : random.nextGaussian() * 1e6;
            case STRING -> textOf(random);
            case BYTES ->
                ByteBuffer.wrap(
                        schema.getLogicalType() instanceof LogicalTypes.Decimal
                                ? new BigInteger(80, random)
                                        .subtract(BigInteger.ONE.shiftLeft(79))
                                        .toByteArray()
                                : textOf(random).getBytes(StandardCharsets.UTF_8));
            case FIXED -> {
                byte[] bytes = new byte[schema.getFixedSize()];
                random.nextBytes(bytes);
                yield new GenericData.Fixed(schema, bytes);
            }
            case ENUM ->
                new GenericData.EnumSymbol(schema, schema.getEnumSymbols().get(random.nextInt(3)));
            case ARRAY -> {
                List<@Nullable Object> items = new ArrayList<>();
                // An item without bytes is one that no reader of ours believes in.
                int count = isEmpty(schema.getElementType()) ? 0 : random.nextInt(5);
                for (int i = 0; i < count; i++) {
                    items.add(value(schema.getElementType(), random, depth + 1));
                }
                yield items;
            }
            case MAP -> {
                Map<String, @Nullable Object> entries = new LinkedHashMap<>();
                int count = random.nextInt(4);
                for (int i = 0; i < count; i++) {
                    entries.put("k" + i, value(schema.getValueType(), random, depth + 1));
                }
                yield entries;
            }
            case UNION -> random.nextBoolean() ? null : value(schema.getTypes().get(1), random, depth);
            case RECORD -> {
                GenericData.Record record = new GenericData.Record(schema);
                for (Schema.Field field : schema.getFields()) {
                    record.put(field.pos(), value(field.schema(), random, depth + 1));
                }
                yield record;
            }
        };
    }

    private static boolean isEmpty(Schema schema) {
        return schema.getType() == Schema.Type.NULL
                || schema.getType() == Schema.Type.RECORD
                        && schema.getFields().stream().allMatch(field -> isEmpty(field.schema()));
    }

    private static long number(Random random) {
        return random.nextLong() >> random.nextInt(64);
    }

    private static String textOf(Random random) {
        StringBuilder text = new StringBuilder();
        int count = random.nextInt(80);
        for (int i = 0; i < count; i++) {
            int c = random.nextInt(40) == 0 ? 0x1f600 : random.nextInt(10) == 0 ? 0xfffd : ' ' + random.nextInt(95);
            text.appendCodePoint(c);
        }
        return text.toString();
    }

    private static byte[] bytes(Schema schema, @Nullable Object value, boolean inSizedBlocks) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        BinaryEncoder encoder = inSizedBlocks
                ? new EncoderFactory().configureBlockSize(64).blockingBinaryEncoder(bytes, null)
                : EncoderFactory.get().binaryEncoder(bytes, null);
        assertThat(encoder instanceof BlockingBinaryEncoder).isEqualTo(inSizedBlocks);
        new GenericDatumWriter<@Nullable Object>(schema).write(value, encoder);
        encoder.flush();
        return bytes.toByteArray();
    }

    private static @Nullable Object read(Schema schema, byte[] bytes) throws IOException {
        return new GenericDatumReader<@Nullable Object>(schema)
                .read(null, DecoderFactory.get().binaryDecoder(bytes, null));
    }

    // ------------------------------------------------------------------------------------------------ saying

    private static String text(Schema schema, @Nullable Object value) {
        byte[] json = EnvelopeJson.document(out -> write(schema, value, out));
        return new String(json, StandardCharsets.UTF_8);
    }

    private static void write(Schema schema, @Nullable Object value, JsonGenerator out) throws IOException {
        switch (schema.getType()) {
            case NULL -> out.writeNull();
            case BOOLEAN -> out.writeBoolean((Boolean) value);
            case INT -> out.writeNumber((Integer) value);
            case LONG -> {
                long number = (Long) value;
                if (schema.getLogicalType() == null) {
                    out.writeNumber(number);
                } else {
                    BigInteger micros = BigInteger.valueOf(number)
                            .multiply(BigInteger.valueOf(
                                    schema.getLogicalType() instanceof LogicalTypes.TimestampMillis ? 1_000 : 1));
                    boolean fits = micros.bitLength() < Long.SIZE && Timestamps.isWithinRange(micros.longValue());
                    out.writeString(fits ? Timestamps.format(micros.longValue()) : Long.toString(number));
                }
            }
            case FLOAT -> real(out, (Float) value, value.toString());
            case DOUBLE -> real(out, (Double) value, value.toString());
            case STRING -> out.writeString(value.toString());
            case BYTES -> {
                byte[] bytes = new byte[((ByteBuffer) value).remaining()];
                ((ByteBuffer) value).get(bytes);
                if (schema.getLogicalType() instanceof LogicalTypes.Decimal decimal) {
                    BigDecimal number = new BigDecimal(new BigInteger(bytes), decimal.getScale());
                    boolean whole = number.stripTrailingZeros().scale() <= 0;
                    out.writeNumber((whole ? number.setScale(0) : number).toPlainString());
                } else {
                    out.writeString(Base64.getEncoder().encodeToString(bytes));
                }
            }
            case FIXED -> out.writeString(Base64.getEncoder().encodeToString(((GenericFixed) value).bytes()));
            case ENUM -> out.writeString(((GenericEnumSymbol<?>) value).toString());
            case ARRAY -> {
                out.writeStartArray();
                for (Object item : (Iterable<?>) value) {
                    write(schema.getElementType(), item, out);
                }
                out.writeEndArray();
            }
            case MAP -> {
                out.writeStartObject();
                // In the order of the bytes, which Avro's own map keeps not.
                List<String> keys = new ArrayList<>();
                ((Map<?, ?>) value).keySet().forEach(key -> keys.add(key.toString()));
                keys.sort(null);
                for (String key : keys) {
                    out.writeFieldName(key);
                    for (Map.Entry<?, ?> entry : ((Map<?, ?>) value).entrySet()) {
                        if (entry.getKey().toString().equals(key)) {
                            write(schema.getValueType(), entry.getValue(), out);
                        }
                    }
                }
                out.writeEndObject();
            }
            case UNION -> write(schema.getTypes().get(value == null ? 0 : 1), value, out);
            case RECORD -> {
                out.writeStartObject();
                for (Schema.Field field : schema.getFields()) {
                    out.writeFieldName(field.name());
                    write(field.schema(), ((IndexedRecord) value).get(field.pos()), out);
                }
                out.writeEndObject();
            }
        }
    }

    private static void real(JsonGenerator out, double value, String text) throws IOException {
        if (Double.isFinite(value)) {
            out.writeNumber(text);
        } else {
            out.writeString(text);
        }
    }
}
