package dev.engagement.delivery;

import dev.engagement.connection.topics.TopicIds;
import dev.engagement.event.types.Wire;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplitSerializer;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.kafka.common.Uuid;

/**
 * Partitions of the retry topic in checkpoints: Flink's own bytes with their version, what is unfinished, and the id of the
 * topic, which version 1 does not have.
 */
final class DrainSplitSerializer implements SimpleVersionedSerializer<KafkaPartitionSplit> {

    private static final int VERSION = 2;
    private static final int WITHOUT_TOPIC_ID = 1;

    private final KafkaPartitionSplitSerializer partitions = new KafkaPartitionSplitSerializer();
    private final DeliveryTypes.DeliverySerializer deliveries = new DeliveryTypes.DeliverySerializer();

    @Override
    public int getVersion() {
        return VERSION;
    }

    @Override
    public byte[] serialize(KafkaPartitionSplit split) throws IOException {
        List<Delivery> unfinished = split instanceof DrainSplit drain ? drain.unfinished() : List.of();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeInt(partitions.getVersion());
            Wire.writeBytes(partitions.serialize(split), out);
            Wire.writeUnsigned(unfinished.size(), out);
            for (Delivery delivery : unfinished) {
                deliveries.writeVersioned(delivery, out);
            }
            out.writeLong(DrainSplit.topicIdOf(split).getMostSignificantBits());
            out.writeLong(DrainSplit.topicIdOf(split).getLeastSignificantBits());
        }
        return bytes.toByteArray();
    }

    @Override
    public KafkaPartitionSplit deserialize(int version, byte[] serialized) throws IOException {
        if (version != VERSION && version != WITHOUT_TOPIC_ID) {
            throw new IOException("DrainSplitSerializer reads versions " + WITHOUT_TOPIC_ID + " and " + VERSION
                    + " and found version " + version
                    + ": the state was written by a newer build, or is damaged. Run the build that wrote it, or a newer"
                    + " one");
        }
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(serialized))) {
            int partitionVersion = in.readInt();
            byte[] partition = Wire.readBytes(in);
            if (partition == null) {
                throw new IOException("A split of the retry topic has no partition: the data is damaged");
            }
            List<Delivery> unfinished = new ArrayList<>();
            for (long left = Wire.readUnsigned(in); left > 0; left--) {
                unfinished.add(deliveries.readVersioned(in));
            }
            Uuid topicId = version == WITHOUT_TOPIC_ID ? TopicIds.UNKNOWN : new Uuid(in.readLong(), in.readLong());
            return new DrainSplit(partitions.deserialize(partitionVersion, partition), unfinished, topicId);
        }
    }
}
