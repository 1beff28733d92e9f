package dev.engagement.ingest;

import dev.engagement.connection.registry.RegistryException;
import dev.engagement.connection.registry.SchemaRegistry;
import dev.engagement.event.ContentChange;
import java.time.Clock;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/** The content topic as the stream reads it, for who reads it outside of a job and does not wait. For one thread. */
public final class ContentReading {

    private final ContentDecoder decoder;
    private final @Nullable SchemaGate gate;
    private final @Nullable RegistryOptions registry;

    /**
     * Makes one.
     *
     * @param topic named in dead letters
     * @param maxRecordBytes largest accepted value
     * @param registry where the schemas are, or null: what needs one is a dead letter then
     */
    public ContentReading(String topic, long maxRecordBytes, Clock clock, @Nullable RegistryOptions registry) {
        this.registry = registry;
        if (registry == null) {
            decoder = new ContentDecoder(topic, maxRecordBytes, clock);
            gate = null;
        } else {
            KnownSchemas schemas = new KnownSchemas();
            WireFormat wire = registry.wire();
            decoder = new ContentDecoder(
                    topic, maxRecordBytes, clock, new RecordFormat(IngestFormat.AUTO, wire, schemas));
            gate = new SchemaGate(
                    new SchemaRegistry(registry.connection())::schema, wire, schemas, decoder.readsKeys(), clock);
        }
    }

    /**
     * As {@link Decoder#decode}.
     *
     * @throws RegistryException if the record's schema is not known and the registry does not answer
     */
    public void decode(ConsumerRecord<byte[], byte[]> record, DecodedRecord<ContentChange> out)
            throws RegistryException {
        if (gate != null && registry != null && !gate.admits(record)) {
            throw new RegistryException(
                    "The schema registry at " + registry.connection().url() + " does not answer, so that "
                            + record.topic() + " cannot be read. Run this again when it does",
                    null);
        }
        decoder.decode(record, out);
    }
}
