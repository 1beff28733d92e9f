package dev.engagement.ingest;

import dev.engagement.connection.topics.TopicIds;
import dev.engagement.event.types.Wire;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplitSerializer;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.kafka.common.Uuid;

/**
 * Partitions in checkpoints: Flink's own bytes with their version, then the id of the topic. Version 0 is Flink's own,
 * which earlier builds wrote: their splits know no topic.
 */
final class TopicSplitSerializer implements SimpleVersionedSerializer<KafkaPartitionSplit> {

    private static final int FLINKS_OWN = 0;
    private static final int VERSION = 1;

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
        }
        return bytes.toByteArray();
    }

    @Override
    public KafkaPartitionSplit deserialize(int version, byte[] serialized) throws IOException {
        if (version == FLINKS_OWN) {
            return new TopicSplit(partitions.deserialize(version, serialized), TopicIds.UNKNOWN);
        }
        if (version != VERSION) {
            throw new IOException("TopicSplitSerializer reads versions " + FLINKS_OWN + " and " + VERSION
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
            return new TopicSplit(
                    partitions.deserialize(partitionVersion, partition), new Uuid(in.readLong(), in.readLong()));
        }
    }
}
