package dev.engagement.ingest;

import dev.engagement.connection.registry.RegisteredSchema;
import java.time.Clock;
import java.util.List;

/** Decoders that know one schema, for the benchmarks. */
public final class RegisteredDecoders {

    private RegisteredDecoders() {}

    /** Of events in Avro. */
    public static EventDecoder events(String topic, int id, String schema) {
        KnownSchemas schemas = new KnownSchemas();
        schemas.add(id, new RegisteredSchema(RegisteredSchema.AVRO, schema, List.of()));
        return new EventDecoder(
                topic,
                1 << 20,
                EventRules.DEFAULT,
                Clock.systemUTC(),
                new RecordFormat(IngestFormat.AUTO, WireFormat.CONFLUENT, schemas));
    }
}
