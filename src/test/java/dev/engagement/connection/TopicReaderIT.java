package dev.engagement.connection;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.engagement.local.testing.SharedServers;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import java.util.stream.LongStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class TopicReaderIT {

    private static SharedServers servers;
    private static KafkaConnection kafka;
    private static Admin admin;

    private final String topic = "topic-reader-" + UUID.randomUUID();
    private final TopicPartition first = new TopicPartition(topic, 0);
    private final TopicPartition second = new TopicPartition(topic, 1);
    private TopicReader reader;

    @BeforeAll
    static void start() throws Exception {
        servers = SharedServers.lease(Path.of("target/it/topic-reader"));
        kafka = new KafkaConnection(servers.kafka().bootstrapServers(), Map.of());
        admin = Admin.create(kafka.clientProperties());
    }

    @AfterAll
    static void stop() {
        admin.close();
        servers.close();
    }

    @BeforeEach
    void makeTopic() throws Exception {
        KafkaTopics.make(admin, List.of(new NewTopic(topic, 2, (short) 1)), Pause.real());
        reader = TopicReader.open(kafka);
    }

    @AfterEach
    void close() {
        reader.close();
    }

    @Test
    void a_topic_is_read_from_offsets_to_ends_and_on_from_there() throws Exception {
        send(first, 0, 3_000);
        send(second, 0, 5);
        List<String> read = new ArrayList<>();
        Map<TopicPartition, Long> to = read(Map.of(first, 2_990L), Map.of(first, 2_995L), read);
        assertThat(read)
                .containsExactlyInAnyOrder(
                        "0-2990", "0-2991", "0-2992", "0-2993", "0-2994", "1-0", "1-1", "1-2", "1-3", "1-4");
        assertThat(to).isEqualTo(Map.of(first, 2_995L, second, 5L));

        send(second, 5, 6);
        read.clear();
        assertThat(read(to, Map.of(), read)).isEqualTo(Map.of(first, 3_000L, second, 6L));
        assertThat(read).containsExactlyInAnyOrder("0-2995", "0-2996", "0-2997", "0-2998", "0-2999", "1-5");

        read.clear();
        assertThat(read(reader.ends(topic), Map.of(), read)).isEqualTo(Map.of(first, 3_000L, second, 6L));
        assertThat(read).isEmpty();
    }

    @Test
    void what_is_gone_and_what_was_never_committed_is_not_there() throws Exception {
        send(first, 0, 10);
        abort(first);
        // The broker may write the marker a moment after it has said that it will.
        await().until(() -> reader.ends(topic).get(first) == 13);
        send(first, 10, 13);
        admin.deleteRecords(Map.of(first, RecordsToDelete.beforeOffset(4)))
                .all()
                .get();
        List<String> read = new ArrayList<>();
        Map<TopicPartition, Long> ends = read(Map.of(), Map.of(), read);
        assertThat(read).containsExactly("0-4", "0-5", "0-6", "0-7", "0-8", "0-9", "0-10", "0-11", "0-12");
        assertThat(reader.beginnings(topic)).containsEntry(first, 4L);
        List<String> fromWhatIsGone = new ArrayList<>();
        assertThat(read(Map.of(first, 1L), Map.of(), fromWhatIsGone)).isEqualTo(ends);
        assertThat(fromWhatIsGone).isEqualTo(read);
        // Two records of the transaction and its marker.
        assertThat(ends).containsEntry(first, 16L);

        Map<Long, String> wanted = new HashMap<>();
        boolean all = reader.<RuntimeException>readAt(
                first, LongStream.rangeClosed(-1, 17).boxed().toList(), (offset, record) -> {
                    wanted.put(offset, record == null ? "gone" : text(record.value()));
                    return true;
                });
        assertThat(all).isTrue();
        for (long offset : new long[] {-1, 0, 3, 10, 11, 12, 16, 17}) {
            assertThat(wanted).containsEntry(offset, "gone");
        }
        assertThat(wanted)
                .hasSize(19)
                .containsEntry(4L, "0-4")
                .containsEntry(9L, "0-9")
                .containsEntry(13L, "0-10");
    }

    @Test
    void single_records_far_apart_are_read_and_the_rest_is_not_asked_for_when_one_is_the_last() throws Exception {
        send(first, 0, 9_000);
        List<Long> taken = new ArrayList<>();
        boolean all = reader.<RuntimeException>readAt(first, List.of(7L, 8L, 4_000L, 8_999L), (offset, record) -> {
            assertThat(text(record.value())).isEqualTo("0-" + offset);
            taken.add(offset);
            return offset < 4_000;
        });
        assertThat(all).isFalse();
        assertThat(taken).containsExactly(7L, 8L, 4_000L);
        assertThat(text(reader.at(topic, 0, 8_999).value())).isEqualTo("0-8999");
        assertThat(reader.at(topic, 0, 9_000)).isNull();
        assertThat(reader.at(topic, 7, 0)).isNull();
    }

    @Test
    void of_a_topic_that_does_not_exist_there_is_nothing_and_it_is_not_made() throws Exception {
        String none = topic + "-none";
        assertThat(reader.partitions(none)).isEmpty();
        assertThat(reader.ends(none)).isEmpty();
        var unused = reader.<IOException>read(none, Map.of(), Map.of(), record -> {
            throw new IOException("There is a record");
        });
        assertThat(reader.at(none, 0, 0)).isNull();
        assertThat(admin.listTopics().names().get()).doesNotContain(none);
    }

    @Test
    void offsets_are_found_by_time_and_what_a_group_has_committed_by_its_name() throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = producer(Map.of())) {
            for (long time : new long[] {1_000, 2_000, 3_000}) {
                producer.send(new ProducerRecord<>(topic, 0, time, null, new byte[0]))
                        .get();
            }
        }
        assertThat(reader.since(topic, 1_500)).isEqualTo(Map.of(first, 1L, second, 0L));
        assertThat(reader.since(topic, 3_001)).isEqualTo(Map.of(first, 3L, second, 0L));

        assertThat(reader.committed(topic + "-nobody")).isEmpty();
        admin.alterConsumerGroupOffsets(topic, Map.of(first, new OffsetAndMetadata(2)))
                .all()
                .get();
        assertThat(reader.committed(topic)).isEqualTo(Map.of(first, 2L));
    }

    private Map<TopicPartition, Long> read(
            Map<TopicPartition, Long> from, Map<TopicPartition, Long> to, List<String> into) throws IOException {
        return reader.read(topic, from, to, record -> into.add(text(record.value())));
    }

    private static String text(byte[] value) {
        return new String(value, StandardCharsets.US_ASCII);
    }

    private static void send(TopicPartition partition, int from, int to) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = producer(Map.of())) {
            send(producer, partition, from, to);
        }
    }

    private static void send(KafkaProducer<byte[], byte[]> producer, TopicPartition partition, int from, int to) {
        for (int n = from; n < to; n++) {
            var unused = producer.send(new ProducerRecord<>(
                    partition.topic(),
                    partition.partition(),
                    null,
                    (partition.partition() + "-" + n).getBytes(StandardCharsets.US_ASCII)));
        }
        producer.flush();
    }

    private void abort(TopicPartition partition) {
        try (KafkaProducer<byte[], byte[]> producer = producer(Map.of("transactional.id", topic))) {
            producer.initTransactions();
            producer.beginTransaction();
            send(producer, partition, 100, 102);
            producer.abortTransaction();
        }
    }

    private static KafkaProducer<byte[], byte[]> producer(Map<String, String> more) {
        Properties properties = kafka.clientProperties();
        properties.putAll(more);
        return new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
    }
}
