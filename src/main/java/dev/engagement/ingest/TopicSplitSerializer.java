package dev.engagement.ingest;

import dev.engagement.connection.registry.RegisteredSchema;
import dev.engagement.connection.topics.TopicIds;
import dev.engagement.event.types.Wire;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplitSerializer;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.kafka.common.Uuid;

/**
 * Partitions in checkpoints: Flink's own bytes with their version, then the id of the topic, then the schemas. Earlier
 * builds wrote version 1, without schemas, and version 0, Flink's own, whose splits know no topic either.
 */
final class TopicSplitSerializer implements SimpleVersionedSerializer<KafkaPartitionSplit> {

    private static final int FLINKS_OWN = 0;
    private static final int WITHOUT_SCHEMAS = 1;
    private static final int VERSION = 2;

    private final KafkaPartitionSplitSerializer partitions = new KafkaPartitionSplitSerializer();

    @Override
    public int getVersion() {
        return VERSION;
    }

    @Override
    public byte[] serialize(KafkaPartitionSplit split) throws IOException {
        Uuid topicId = TopicSplit.topicIdOf(split);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeInt(partitions.getVersion());
            Wire.writeBytes(partitions.serialize(split), out);
            out.writeLong(topicId.getMostSignificantBits());
            out.writeLong(topicId.getLeastSignificantBits());
            write(TopicSplit.schemasOf(split), out);
        }
        return bytes.toByteArray();
    }

    @Override
    public KafkaPartitionSplit deserialize(int version, byte[] serialized) throws IOException {
        if (version == FLINKS_OWN) {
            return new TopicSplit(partitions.deserialize(version, serialized), TopicIds.UNKNOWN);
        }
        if (version != VERSION && version != WITHOUT_SCHEMAS) {
            throw new IOException("TopicSplitSerializer reads versions " + FLINKS_OWN + " to " + VERSION
                    + " and found version " + version
                    + ": the state was written by a newer build, or is damaged. Run the build that wrote it, or a newer"
                    + " one");
        }
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(serialized))) {
            int partitionVersion = in.readInt();
            byte[] partition = Wire.readBytes(in);
            if (partition == null) {
                throw new IOException("A split of a topic has no partition: the data is damaged");
            }
            Uuid topicId = new Uuid(in.readLong(), in.readLong());
            return new TopicSplit(
                    partitions.deserialize(partitionVersion, partition),
                    topicId,
                    version == WITHOUT_SCHEMAS ? Map.of() : readSchemas(in));
        }
    }

    /** In the order of the ids, so that equal splits have equal bytes. */
    private static void write(Map<Long, RegisteredSchema> schemas, DataOutputStream out) throws IOException {
        out.writeInt(schemas.size());
        for (Map.Entry<Long, RegisteredSchema> each : new TreeMap<>(schemas).entrySet()) {
            RegisteredSchema schema = each.getValue();
            out.writeLong(each.getKey());
            Wire.writeText(schema.type(), out);
            Wire.writeText(schema.text(), out);
            out.writeInt(schema.references().size());
            for (RegisteredSchema.Reference reference : schema.references()) {
                Wire.writeText(reference.name(), out);
                Wire.writeText(reference.text(), out);
            }
        }
    }

    private static Map<Long, RegisteredSchema> readSchemas(DataInputStream in) throws IOException {
        Map<Long, RegisteredSchema> schemas = new HashMap<>();
        int count = in.readInt();
        for (int i = 0; i < count; i++) {
            long id = in.readLong();
            String type = Wire.readRequiredText(in);
            String text = Wire.readRequiredText(in);
            List<RegisteredSchema.Reference> references = new ArrayList<>();
            int referred = in.readInt();
            for (int j = 0; j < referred; j++) {
                references.add(new RegisteredSchema.Reference(Wire.readRequiredText(in), Wire.readRequiredText(in)));
            }
            schemas.put(id, new RegisteredSchema(type, text, references));
        }
        return schemas;
    }
}
