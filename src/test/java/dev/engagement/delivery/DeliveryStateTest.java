package dev.engagement.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.connection.topics.TopicIds;
import dev.engagement.deadletter.DeadLetter;
import dev.engagement.event.EventId;
import dev.engagement.event.Position;
import dev.engagement.event.types.testing.GoldenBytes;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What version 1 wrote is read for ever; see {@code GoldenBytesTest} on how a new case comes to be there. */
class DeliveryStateTest {

    private static final Delivery DELIVERY = new Delivery(
            EventId.of(16),
            "{\"event_id\":16}".getBytes(StandardCharsets.UTF_8),
            3,
            new Position(5, 123_456_789_012L, 1_767_882_112_000L),
            1_767_882_113_000L,
            1_767_882_114_000L,
            1_767_882_111_000L);

    private static final Delivery BARE = new Delivery(EventId.of(-1), new byte[0], 0, Delivery.UNKNOWN_SOURCE, 0, 0, 0);

    private static final KafkaPartitionSplit PARTITION =
            new KafkaPartitionSplit(new TopicPartition("engagement.delivery-retry", 7), 42);

    static List<GoldenBytes<?>> cases() {
        return List.of(new GoldenBytes<>(
                "delivery-receipt", DeliveryTypes.RECEIPT, new Receipt(EventId.of(16), 1_767_882_112_000L, 204)));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void version_1_is_read(GoldenBytes<?> one) throws IOException {
        one.assertThatVersion1IsRead();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void a_newer_version_is_refused_with_the_way_out(GoldenBytes<?> one) throws IOException {
        one.assertThatANewerVersionIsRefused();
    }

    @Test
    void a_delivery_of_version_1_is_read() throws IOException {
        assertThat(read(GoldenBytes.golden("delivery", new byte[0]))).isEqualTo(DELIVERY);
        assertThat(read(GoldenBytes.golden("delivery-bare", new byte[0]))).isEqualTo(BARE);
    }

    @Test
    void a_delivery_of_version_2_says_why_it_had_no_answer() throws IOException {
        Delivery unanswered = DELIVERY.afterNone(
                new Answer.Unanswered(NoAnswer.CONNECTION_REFUSED, "Connection refused"), 1_767_882_115_000L);
        byte[] now = written(unanswered);
        byte[] golden = GoldenBytes.golden(2, "delivery-unanswered", now);

        assertThat(read(golden)).isEqualTo(unanswered);
        assertThat(read(written(DELIVERY))).isEqualTo(DELIVERY);
        assertThat(now).as("the newest version is still 2").isEqualTo(golden);
    }

    @Test
    void a_delivery_of_a_newer_version_is_refused_with_the_way_out() throws IOException {
        byte[] newer = written(DELIVERY);
        newer[0] = Byte.MAX_VALUE;

        assertThatThrownBy(() -> read(newer))
                .hasMessageContaining("version 127")
                .hasMessageContaining("Run the build that wrote it");
    }

    private static byte[] written(Delivery delivery) throws IOException {
        DataOutputSerializer out = new DataOutputSerializer(64);
        new DeliveryTypes.DeliverySerializer().serialize(delivery, out);
        return out.getCopyOfBuffer();
    }

    private static Delivery read(byte[] bytes) throws IOException {
        return new DeliveryTypes.DeliverySerializer().deserialize(new DataInputDeserializer(bytes));
    }

    @Test
    void a_split_of_version_1_is_read_with_what_is_unfinished() throws IOException {
        byte[] golden = GoldenBytes.golden("delivery-drain-split", new byte[0]);

        assertThat(new DrainSplitSerializer().deserialize(1, golden))
                .isEqualTo(new DrainSplit(PARTITION, List.of(DELIVERY, BARE), TopicIds.UNKNOWN));
    }

    @Test
    void a_split_that_nobody_has_read_yet_has_nothing_unfinished() throws IOException {
        DrainSplitSerializer serializer = new DrainSplitSerializer();

        assertThat(serializer.deserialize(2, serializer.serialize(PARTITION)))
                .isEqualTo(new DrainSplit(PARTITION, List.of(), TopicIds.UNKNOWN));
    }

    @Test
    void a_split_comes_back_with_its_topic() throws IOException {
        DrainSplitSerializer serializer = new DrainSplitSerializer();
        DrainSplit split = new DrainSplit(PARTITION, List.of(DELIVERY), Uuid.randomUuid());

        assertThat(serializer.deserialize(serializer.getVersion(), serializer.serialize(split)))
                .isEqualTo(split);
    }

    @Test
    void a_split_of_a_newer_version_is_refused_with_the_way_out() {
        assertThatThrownBy(() -> new DrainSplitSerializer().deserialize(3, new byte[0]))
                .hasMessageContaining("version 3")
                .hasMessageContaining("Run the build that wrote it");
    }

    @Test
    void what_comes_out_of_the_drain_crosses_a_border_unchanged() throws IOException {
        DeadLetter letter = DeliveryLetters.undeliverable(DELIVERY, "answered 400", "events", 5);
        for (Drained drained : List.of(
                new Drained.HandedBack(DELIVERY),
                new Drained.Taken(new Receipt(EventId.of(1), 2, 200)),
                new Drained.Given(letter))) {
            DrainedTypes.DrainedSerializer serializer = new DrainedTypes.DrainedSerializer();
            DataOutputSerializer out = new DataOutputSerializer(64);
            serializer.serialize(drained, out);
            Drained read = serializer.deserialize(new DataInputDeserializer(out.getCopyOfBuffer()));
            assertThat(read).usingRecursiveComparison().isEqualTo(drained);
        }
    }
}
