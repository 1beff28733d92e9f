package dev.engagement.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.connection.registry.RegisteredSchema;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplitSerializer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;

class TopicSplitSerializerTest {

    private static final TopicPartition PARTITION = new TopicPartition("events", 3);

    private final TopicSplitSerializer serializer = new TopicSplitSerializer();

    @Test
    void a_split_comes_back_with_its_topic() throws Exception {
        TopicSplit split = new TopicSplit(new KafkaPartitionSplit(PARTITION, 17, 40), Uuid.randomUuid());

        assertThat(serializer.deserialize(serializer.getVersion(), serializer.serialize(split)))
                .isEqualTo(split);
    }

    /** Splits of the enumerator, which is Flink's. */
    @Test
    void a_split_of_flink_s_own_comes_back_with_no_topic() throws Exception {
        KafkaPartitionSplit split = new KafkaPartitionSplit(PARTITION, KafkaPartitionSplit.EARLIEST_OFFSET);

        assertThat(serializer.deserialize(serializer.getVersion(), serializer.serialize(split)))
                .isEqualTo(new TopicSplit(split, Uuid.ZERO_UUID));
    }

    @Test
    void what_earlier_builds_wrote_is_read_and_knows_no_topic() throws Exception {
        KafkaPartitionSplit split = new KafkaPartitionSplit(PARTITION, 17);
        byte[] earlier = new KafkaPartitionSplitSerializer().serialize(split);

        KafkaPartitionSplit read = serializer.deserialize(0, earlier);
        assertThat(read.getStartingOffset()).isEqualTo(17);
        assertThat(TopicSplit.topicIdOf(read)).isEqualTo(Uuid.ZERO_UUID);
    }

    @Test
    void a_split_comes_back_with_its_schemas() throws Exception {
        TopicSplit split = new TopicSplit(
                new KafkaPartitionSplit(PARTITION, 17),
                Uuid.randomUuid(),
                Map.of(
                        7L,
                        new RegisteredSchema(RegisteredSchema.AVRO, "\"string\"", List.of()),
                        1L << 40,
                        new RegisteredSchema(
                                RegisteredSchema.PROTOBUF,
                                "message A {}",
                                List.of(new RegisteredSchema.Reference("b.proto", "message B {}")))));

        assertThat(serializer.deserialize(serializer.getVersion(), serializer.serialize(split)))
                .isEqualTo(split);
    }

    /** As the build before schemas wrote it: a split with its topic, and nothing behind. */
    @Test
    void what_the_build_before_schemas_wrote_is_read_and_knows_none() throws Exception {
        TopicSplit split = new TopicSplit(new KafkaPartitionSplit(PARTITION, 17, 40), Uuid.randomUuid());
        byte[] now = serializer.serialize(split);
        byte[] before = Arrays.copyOf(now, now.length - Integer.BYTES);

        assertThat(serializer.deserialize(1, before)).isEqualTo(split);
    }

    @Test
    void what_newer_builds_write_is_refused() {
        assertThatThrownBy(() -> serializer.deserialize(3, new byte[0]))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("version 3");
    }
}
