package dev.engagement.connection.registry;

import java.util.List;

/**
 * A schema as a registry has it; under one id it is the same for ever.
 *
 * @param type {@link #AVRO}, {@link #PROTOBUF}, {@link #JSON}, or what a registry calls another
 * @param text the schema itself
 * @param references what it refers to, each behind those that it refers to itself
 */
public record RegisteredSchema(String type, String text, List<Reference> references) {

    public static final String AVRO = "AVRO";
    public static final String PROTOBUF = "PROTOBUF";
    public static final String JSON = "JSON";

    /**
     * A schema that another refers to.
     *
     * @param name what the other calls it
     * @param text the schema itself
     */
    public record Reference(String name, String text) {}

    public RegisteredSchema {
        references = List.copyOf(references);
    }
}
