package dev.engagement.ingest;

import dev.engagement.connection.registry.RegisteredSchema;
import java.util.Map;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** Keeps the schemas of what is read with the partition that it is read of. For the task thread. */
final class SchemasInUse {

    private final KnownSchemas known;
    private final WireFormat wire;
    private final boolean withKeys;

    /** @param withKeys whether keys are read, too */
    SchemasInUse(KnownSchemas known, WireFormat wire, boolean withKeys) {
        this.known = known;
        this.wire = wire;
        this.withKeys = withKeys;
    }

    /** Takes what a split has kept. */
    void restore(KafkaPartitionSplit split) {
        for (Map.Entry<Long, RegisteredSchema> each :
                TopicSplit.schemasOf(split).entrySet()) {
            known.add(each.getKey(), each.getValue());
        }
    }

    /** Notes what a record was written by. */
    void note(ConsumerRecord<byte[], byte[]> record, TopicSplitState state) {
        byte[] value = record.value();
        if (value != null && WireFormat.isFramed(value)) {
            state.use(wire.idOf(value), known);
        }
        byte[] key = record.key();
        if (withKeys && key != null && WireFormat.isFramed(key)) {
            state.use(wire.idOf(key), known);
        }
    }
}
