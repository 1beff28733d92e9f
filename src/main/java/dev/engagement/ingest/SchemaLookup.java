package dev.engagement.ingest;

import dev.engagement.connection.registry.RegisteredSchema;
import org.jspecify.annotations.Nullable;

/** Where a decoder finds the schemas of what it reads. */
@FunctionalInterface
interface SchemaLookup {

    /**
     * The schema of an id.
     *
     * @return the schema, or null if the registry does not know it
     */
    @Nullable
    RegisteredSchema find(long id);
}
