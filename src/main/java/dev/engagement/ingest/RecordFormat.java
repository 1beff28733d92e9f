package dev.engagement.ingest;

import org.jspecify.annotations.Nullable;

/**
 * What the records of a topic may be, and where the schemas of those that need one are found.
 *
 * @param ingest what is expected
 * @param wire how values of a schema registry are framed
 * @param schemas the schemas, or null without a registry: what needs one is a dead letter then
 */
record RecordFormat(
        IngestFormat ingest, WireFormat wire, @Nullable SchemaLookup schemas) {

    /** JSON, and what is of a schema registry is told as such. */
    static final RecordFormat JSON = new RecordFormat(IngestFormat.AUTO, WireFormat.CONFLUENT, null);

    boolean mayBeFramed() {
        return ingest != IngestFormat.JSON;
    }

    boolean isFramedOnly() {
        return ingest == IngestFormat.REGISTRY;
    }
}
