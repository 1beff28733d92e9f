package dev.engagement.ingest;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.engagement.connection.registry.RegisteredSchema;
import dev.engagement.event.JsonText;
import java.io.IOException;
import java.util.Arrays;
import java.util.Set;

/**
 * What a schema registry's clients wrote, as tokens of JSON, whatever it was written as. For one thread, one value at a
 * time.
 *
 * <p>A schema is looked at once. One that cannot be read by is remembered as such: every value of it is refused with the
 * reason.
 */
final class RegisteredValues {

    private static final ObjectMapper SCHEMAS = new ObjectMapper();
    private static final byte[] NO_BYTES = {};

    private final WireFormat wire;
    private final SchemaLookup schemas;
    private final Set<String> wantedNames;
    private final JsonFactory json;
    private final AvroParser avro = new AvroParser();
    private final ById<Reading> readings = new ById<>();
    private byte[] document = NO_BYTES;

    /**
     * How values of one schema are read.
     *
     * @param tokens gives the parser of a value, which stands before the first token
     * @param isEnvelope whether a value is Debezium's envelope; else it is a row
     */
    private record Reading(Tokens tokens, boolean isEnvelope) {}

    @FunctionalInterface
    private interface Tokens {
        JsonParser of(byte[] bytes, int from) throws IOException;
    }

    /**
     * Makes one.
     *
     * @param wantedNames names of the fields that somebody asks for; others may be skipped
     * @param json makes the parsers of what is JSON
     */
    RegisteredValues(WireFormat wire, SchemaLookup schemas, Set<String> wantedNames, JsonFactory json) {
        this.wire = wire;
        this.schemas = schemas;
        this.wantedNames = wantedNames;
        this.json = json;
    }

    /**
     * The tokens of framed bytes; see {@link #isEnvelope} and {@link #document}.
     *
     * @throws UnreadableValueException if their schema is not known, or is none that can be read by
     */
    JsonParser open(byte[] bytes) throws IOException {
        document = NO_BYTES;
        return reading(bytes).tokens().of(bytes, wire.headerBytes());
    }

    /** The text of what was opened last, if it is JSON; else empty. */
    byte[] document() {
        return document;
    }

    /** Whether framed bytes hold Debezium's envelope; else they hold a row. */
    boolean isEnvelope(byte[] bytes) throws UnreadableValueException {
        return reading(bytes).isEnvelope();
    }

    private Reading reading(byte[] bytes) throws UnreadableValueException {
        long id = wire.idOf(bytes);
        if (id == WireFormat.NO_ID) {
            throw new UnreadableValueException("it begins with a schema registry's magic byte and has " + bytes.length
                    + " bytes, which is too few for the id of a schema (registry.id-bytes is " + wire.idBytes() + ")");
        }
        Reading known = readings.get(id);
        if (known == null) {
            RegisteredSchema schema = schemas.find(id);
            if (schema == null) {
                throw new UnreadableValueException("the schema registry does not know its schema, which has the id "
                        + id + "; redrive the letter once it does");
            }
            known = reading(id, schema);
            readings.put(id, known);
        }
        return known;
    }

    private Reading reading(long id, RegisteredSchema schema) {
        try {
            return switch (schema.type()) {
                case RegisteredSchema.AVRO -> {
                    AvroType type = AvroType.compile(schema, wantedNames);
                    yield new Reading(
                            (bytes, from) -> {
                                avro.read(type, bytes, from);
                                return avro;
                            },
                            type.isEnvelope());
                }
                case RegisteredSchema.JSON -> new Reading(this::ofJson, isEnvelope(schema));
                default ->
                    throw new UnreadableValueException(
                            "is of the type " + schema.type() + "; what can be read is Avro and JSON Schema");
            };
        } catch (UnreadableValueException e) {
            String problem = "its schema, which has the id " + id + ", " + e.getMessage();
            return new Reading(
                    (bytes, from) -> {
                        throw new UnreadableValueException(problem);
                    },
                    false);
        }
    }

    /** The bytes behind the frame are a document of their own. */
    private JsonParser ofJson(byte[] bytes, int from) throws IOException {
        document = Arrays.copyOfRange(bytes, from, bytes.length);
        if (JsonText.scan(document) == JsonText.Encoding.BROKEN) {
            throw new UnreadableValueException("it is not UTF-8");
        }
        return json.createParser(document);
    }

    private static boolean isEnvelope(RegisteredSchema schema) throws UnreadableValueException {
        try {
            JsonNode properties = SCHEMAS.readTree(schema.text()).path("properties");
            // A schema may say anything, or nothing at all; then it is read as any other JSON in the topic is.
            return properties.isEmpty() || properties.has("op") && properties.has("after");
        } catch (JsonProcessingException e) {
            throw new UnreadableValueException("is not JSON: " + e.getOriginalMessage(), e);
        }
    }
}
