package dev.engagement.ingest;

import dev.engagement.connection.registry.RegisteredSchema;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.avro.LogicalType;
import org.apache.avro.LogicalTypes;
import org.apache.avro.Schema;

/**
 * A type of a writer's Avro schema as {@link AvroParser} walks over it: compiled once for each schema, so that a value costs
 * no look at the schema. Immutable when compiled.
 */
final class AvroType {

    enum Kind {
        NULL,
        BOOLEAN,
        INT,
        LONG,
        FLOAT,
        DOUBLE,
        TEXT,
        BYTES,
        FIXED,
        ENUM,
        /** A long that is a moment. */
        TIME,
        /** Bytes, or a fixed number of them, that are a number. */
        DECIMAL,
        /** Sixteen bytes that are a UUID. */
        UUID,
        RECORD,
        ARRAY,
        MAP,
        UNION
    }

    private static final int UUID_BYTES = 16;

    /** What numeric has room for is less; and more than that has no text worth making. */
    private static final int MAX_SCALE = 20_000;

    /** Fields of an envelope whose own fields are wanted by name, too. */
    private static final Set<String> FRAME = Set.of("after", "before", "source");

    final Kind kind;

    /** Names of fields, or symbols. */
    String[] names = {};

    /** Types of fields, branches of a union, or the one type of items. */
    AvroType[] types = {};

    /** Which fields are shown; the others are skipped. */
    boolean[] wanted = {};

    /** How many bytes a FIXED has, or a DECIMAL that is one; -1 if the length stands in the value. */
    int bytes = -1;

    /** Digits behind the point of a DECIMAL. */
    int scale;

    /** How many microseconds the unit of a TIME has; negative: how many units a microsecond has. */
    int micros;

    private AvroType(Kind kind) {
        this.kind = kind;
    }

    /**
     * Compiles a schema.
     *
     * @param wantedNames names of the fields that are shown of the outermost record, of a row and of an envelope's source; of
     *     what is deeper all are
     * @throws UnreadableValueException if it is not an Avro schema
     */
    static AvroType compile(RegisteredSchema schema, Set<String> wantedNames) throws UnreadableValueException {
        return new Compiler(wantedNames).compile(parse(schema), true);
    }

    private static Schema parse(RegisteredSchema schema) throws UnreadableValueException {
        // Names and defaults that Avro would refuse are of no matter to who only reads.
        Schema.Parser parser = new Schema.Parser().setValidate(false).setValidateDefaults(false);
        try {
            for (RegisteredSchema.Reference reference : schema.references()) {
                parser.parse(reference.text());
            }
            return parser.parse(schema.text());
        } catch (RuntimeException | StackOverflowError e) {
            throw new UnreadableValueException("is not an Avro schema: " + e.getMessage(), e);
        }
    }

    /** Whether a record is an envelope; else it is the row itself. */
    boolean isEnvelope() {
        return List.of(names).containsAll(List.of("op", "after"));
    }

    private static final class Compiler {

        private final Set<String> wantedNames;

        /** By identity, as two records of one name would be equal without being the same. */
        private final Map<Schema, AvroType> filteredRecords = new IdentityHashMap<>();

        private final Map<Schema, AvroType> wholeRecords = new IdentityHashMap<>();

        Compiler(Set<String> wantedNames) {
            this.wantedNames = wantedNames;
        }

        AvroType compile(Schema schema, boolean filtered) {
            return switch (schema.getType()) {
                case NULL -> new AvroType(Kind.NULL);
                case BOOLEAN -> new AvroType(Kind.BOOLEAN);
                case INT -> new AvroType(Kind.INT);
                case LONG -> ofLong(schema);
                case FLOAT -> new AvroType(Kind.FLOAT);
                case DOUBLE -> new AvroType(Kind.DOUBLE);
                case STRING -> new AvroType(Kind.TEXT);
                case BYTES -> ofBytes(schema, -1);
                case FIXED -> ofBytes(schema, schema.getFixedSize());
                case ENUM -> ofEnum(schema);
                case RECORD -> ofRecord(schema, filtered);
                case ARRAY -> ofItems(Kind.ARRAY, schema.getElementType());
                case MAP -> ofItems(Kind.MAP, schema.getValueType());
                case UNION -> {
                    AvroType union = new AvroType(Kind.UNION);
                    List<AvroType> branches = new ArrayList<>();
                    for (Schema branch : schema.getTypes()) {
                        branches.add(compile(branch, filtered));
                    }
                    union.types = branches.toArray(AvroType[]::new);
                    yield union;
                }
            };
        }

        private static AvroType ofLong(Schema schema) {
            int micros =
                    switch (logicalName(schema)) {
                        case "timestamp-millis" -> 1_000;
                        case "timestamp-micros" -> 1;
                        case "timestamp-nanos" -> -1_000;
                        default -> 0;
                    };
            AvroType type = new AvroType(micros == 0 ? Kind.LONG : Kind.TIME);
            type.micros = micros;
            return type;
        }

        /** Also of a logical type that this version of Avro does not know. */
        private static String logicalName(Schema schema) {
            String name = schema.getProp(LogicalType.LOGICAL_TYPE_PROP);
            return name == null ? "" : name;
        }

        private static AvroType ofBytes(Schema schema, int size) {
            LogicalType logical = schema.getLogicalType();
            Kind kind = size < 0 ? Kind.BYTES : Kind.FIXED;
            if (logical instanceof LogicalTypes.Decimal decimal && decimal.getScale() <= MAX_SCALE) {
                kind = Kind.DECIMAL;
            } else if (size == UUID_BYTES && logicalName(schema).equals("uuid")) {
                kind = Kind.UUID;
            }
            AvroType type = new AvroType(kind);
            type.bytes = size;
            if (logical instanceof LogicalTypes.Decimal decimal) {
                type.scale = decimal.getScale();
            }
            return type;
        }

        private static AvroType ofEnum(Schema schema) {
            AvroType type = new AvroType(Kind.ENUM);
            type.names = schema.getEnumSymbols().toArray(String[]::new);
            return type;
        }

        private AvroType ofItems(Kind kind, Schema items) {
            AvroType type = new AvroType(kind);
            type.types = new AvroType[] {compile(items, false)};
            return type;
        }

        private AvroType ofRecord(Schema schema, boolean filtered) {
            Map<Schema, AvroType> records = filtered ? filteredRecords : wholeRecords;
            AvroType known = records.get(schema);
            if (known != null) {
                // Also one that is being compiled: it is in itself.
                return known;
            }
            AvroType type = new AvroType(Kind.RECORD);
            records.put(schema, type);
            List<Schema.Field> fields = schema.getFields();
            String[] names = new String[fields.size()];
            AvroType[] types = new AvroType[fields.size()];
            boolean[] wanted = new boolean[fields.size()];
            for (int i = 0; i < names.length; i++) {
                Schema.Field field = fields.get(i);
                // The decoders' own string, so that comparing it is comparing references.
                names[i] = field.name().intern();
                wanted[i] = !filtered || wantedNames.contains(names[i]);
                types[i] = compile(field.schema(), filtered && FRAME.contains(names[i]));
            }
            type.names = names;
            type.types = types;
            type.wanted = wanted;
            return type;
        }
    }
}
