package dev.engagement.connection;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.LongStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.clients.consumer.OffsetResetStrategy;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

/** What a reader does when a broker does not give what it said it has, with Kafka's own scripted consumer. */
class TopicReaderTest {

    private static final TopicPartition PARTITION = new TopicPartition("topic", 0);

    private final MockConsumer<byte[], byte[]> kafka = new MockConsumer<>(OffsetResetStrategy.NONE);
    private final AtomicLong nanoTime = new AtomicLong();
    private final TopicReader reader =
            new TopicReader(new KafkaConnection("broker:9092", Map.of()), () -> kafka, nanoTime::get);
    private final List<Long> read = new ArrayList<>();

    TopicReaderTest() {
        kafka.updatePartitions(
                "topic", List.of(new PartitionInfo("topic", 0, Node.noNode(), new Node[0], new Node[0])));
        kafka.updateBeginningOffsets(Map.of(PARTITION, 0L));
        kafka.updateEndOffsets(Map.of(PARTITION, 5L));
    }

    @Test
    void a_broker_that_sends_nothing_for_a_minute_is_given_up_and_named() {
        kafka.schedulePollTask(() -> add(0, 1));
        for (int i = 0; i < 7; i++) {
            kafka.schedulePollTask(() -> nanoTime.addAndGet(10_000_000_000L));
        }
        assertThatThrownBy(this::readAll)
                .isInstanceOf(IOException.class)
                .hasMessage(
                        "Kafka at broker:9092 sends no more records of topic for 60 s, and has not come to its end");
        assertThat(read).containsExactly(0L, 1L);
    }

    @Test
    void one_that_sends_a_record_every_fifty_seconds_is_waited_for() throws Exception {
        for (long offset = 0; offset < 5; offset++) {
            long next = offset;
            kafka.schedulePollTask(() -> nanoTime.addAndGet(50_000_000_000L));
            kafka.schedulePollTask(() -> add(next));
        }
        readAll();
        assertThat(read).containsExactly(0L, 1L, 2L, 3L, 4L);
    }

    @Test
    void records_that_retention_takes_meanwhile_are_passed_over() throws Exception {
        kafka.schedulePollTask(() -> add(0, 1));
        kafka.schedulePollTask(() -> kafka.updateBeginningOffsets(Map.of(PARTITION, 4L)));
        kafka.schedulePollTask(() -> kafka.setPollException(new OffsetOutOfRangeException(Map.of(PARTITION, 2L))));
        kafka.schedulePollTask(() -> add(4));
        readAll();
        assertThat(read).containsExactly(0L, 1L, 4L);
    }

    @Test
    void a_topic_that_was_made_anew_meanwhile_is_an_error() {
        kafka.schedulePollTask(() -> add(0, 1));
        kafka.schedulePollTask(() -> kafka.setPollException(new OffsetOutOfRangeException(Map.of(PARTITION, 2L))));
        assertThatThrownBy(this::readAll)
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("Kafka at broker:9092 does not answer what the topic topic holds"
                        + " (OffsetOutOfRangeException");
    }

    private void readAll() throws IOException {
        var unused = reader.read("topic", Map.of(), Map.of(), record -> read.add(record.offset()));
    }

    private void add(long... offsets) {
        LongStream.of(offsets)
                .forEach(offset -> kafka.addRecord(new ConsumerRecord<>("topic", 0, offset, new byte[0], new byte[0])));
    }
}
