package dev.engagement.ingest;

import dev.engagement.connection.registry.RegisteredSchema;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The schemas that a reader has met, kept for ever: under one id a schema never changes. Filled from the splits' state and
 * by the thread that asks the registry, read by the one that decodes. Thread-safe.
 */
final class KnownSchemas implements SchemaLookup {

    private final Map<Long, RegisteredSchema> schemas = new ConcurrentHashMap<>();

    @Override
    public @Nullable RegisteredSchema find(long id) {
        return schemas.get(id);
    }

    void add(long id, RegisteredSchema schema) {
        schemas.putIfAbsent(id, schema);
    }
}
