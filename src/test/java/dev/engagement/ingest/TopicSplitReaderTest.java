package dev.engagement.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.connection.registry.RegisteredSchema;
import dev.engagement.connection.registry.RegistryException;
import dev.engagement.connection.topics.MissingOffsetsException;
import dev.engagement.connection.topics.TopicIds;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.flink.connector.base.source.reader.RecordsWithSplitIds;
import org.apache.flink.connector.base.source.reader.splitreader.SplitsAddition;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.flink.runtime.execution.SuppressRestartsException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetCommitCallback;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.clients.consumer.OffsetResetStrategy;
import org.apache.kafka.clients.consumer.RetriableCommitFailedException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What a partition's records and end marks look like, over Kafka's own mock and under a clock that only the test moves. */
class TopicSplitReaderTest {

    private static final TopicPartition P0 = new TopicPartition("topic", 0);
    private static final TopicPartition P1 = new TopicPartition("topic", 1);
    private static final long INTERVAL = 500;

    private final ManualClock clock = new ManualClock(1_000);
    private final Broker broker = new Broker();

    /** Of the topic as it is in Kafka. */
    private Uuid topicId = TopicIds.UNKNOWN;

    private int partitions = 2;
    private int unanswered;

    /** Ids of schemas that the registry knows; it does not answer while it is away. */
    private final Set<Long> registered = new HashSet<>();

    private boolean registryIsAway;
    private int questions;
    private @Nullable SchemaGate gate;

    private TopicSplitReader reader = reader(false);

    @Test
    void a_mark_stands_behind_the_last_record() {
        assign(P0, 0);
        broker.has(P0, 0, 3);

        assertThat(fetch()).containsExactly("0-0", "0-1", "0-2", "mark 0@3 of 2 at 1000");
    }

    @Test
    void no_mark_before_the_end_is_reached() {
        broker.setMaxPollRecords(2);
        assign(P0, 0);
        broker.has(P0, 0, 5);

        assertThat(fetch()).containsExactly("0-0", "0-1");
        clock.millis += INTERVAL;
        assertThat(fetch()).containsExactly("0-2", "0-3");
        assertThat(fetch()).contains("0-4").anyMatch(each -> each.startsWith("mark 0@5"));
    }

    /** Records that keep coming must not put the first mark off for ever: it speaks of the end at the start. */
    @Test
    void the_first_mark_comes_at_the_end_known_at_the_start() {
        broker.setMaxPollRecords(2);
        assign(P0, 0);
        broker.has(P0, 0, 4);
        assertThat(fetch()).containsExactly("0-0", "0-1");

        clock.millis += 20;
        broker.has(P0, 4, 100);
        assertThat(fetch()).containsExactly("0-2", "0-3", "mark 0@4 of 2 at 1000");
        clock.millis += INTERVAL;
        assertThat(fetch()).as("busy, and the first mark was given").containsExactly("0-4", "0-5");
    }

    @Test
    void an_idle_partition_is_marked_once_an_interval() {
        assign(P0, 7);
        broker.updateEndOffsets(Map.of(P0, 7L));

        assertThat(fetch()).containsExactly("mark 0@7 of 2 at 1000");
        clock.millis += INTERVAL - 1;
        assertThat(fetch()).isEmpty();
        clock.millis += 1;
        assertThat(fetch()).containsExactly("mark 0@7 of 2 at 1500");
    }

    @Test
    void a_busy_partition_does_not_keep_a_quiet_one_from_its_mark() {
        assign(P0, 0);
        assign(P1, 5);
        broker.updateEndOffsets(Map.of(P1, 5L));
        broker.has(P0, 0, 1);
        fetch();

        clock.millis += INTERVAL;
        broker.has(P0, 1, 2);
        assertThat(fetch()).containsExactly("0-1", "mark 1@5 of 2 at 1500");
    }

    @Test
    void without_an_answer_there_is_no_mark() {
        assign(P0, 7);
        broker.updateEndOffsets(Map.of(P0, 7L));
        for (int round = 0; round < 3; round++) {
            broker.setOffsetsException(new TimeoutException("unreachable"));
            assertThat(fetch()).isEmpty();
            clock.millis += 5_000;
        }

        assertThat(fetch()).containsExactly("mark 0@7 of 2 at 16000");
    }

    /** Each such question costs a second, in which the partitions that can be reached are not read. */
    @Test
    void a_question_without_an_answer_is_not_repeated_each_round() {
        assign(P0, 0);
        assign(P1, 0);
        broker.updateEndOffsets(Map.of(P1, 9L));
        for (int round = 0; round < 10; round++) {
            broker.has(P0, round, round + 1);
            broker.setOffsetsException(new TimeoutException("partition 1 has no leader"));
            assertThat(fetch()).containsExactly("0-" + round);
            clock.millis += INTERVAL;
        }

        assertThat(broker.questions).isOne();
    }

    /** Woken at any moment: nothing of a finished partition comes any more, and all of the others does. */
    @Test
    void what_is_called_finished_is_not_read_on_whenever_reading_is_woken() {
        for (int positions = 0; positions < 12; positions++) {
            Broker woken = new Broker();
            woken.setMaxPollRecords(2);
            woken.positionsBeforeWakeUp = positions;
            TopicSplitReader bounded =
                    new TopicSplitReader(woken, clock, Duration.ofMillis(INTERVAL), false, TopicIds.none(), null);
            bounded.handleSplitsChanges(new SplitsAddition<>(
                    List.of(new KafkaPartitionSplit(P0, 0, 2), new KafkaPartitionSplit(P1, 0, 2))));
            woken.has(P0, 0, 2);
            woken.has(P1, 0, 2);
            List<String> finished = new ArrayList<>();
            List<String> read = new ArrayList<>();
            for (int round = 0; round < 8; round++) {
                var fetched = bounded.fetch();
                read.addAll(texts(fetched));
                finished.addAll(fetched.finishedSplits());
                assertThat(woken.assignment())
                        .extracting(KafkaPartitionSplit::toSplitId)
                        .doesNotContainAnyElementsOf(finished.isEmpty() ? List.of("none") : finished);
            }

            assertThat(finished).containsExactlyInAnyOrder("topic-0", "topic-1");
            assertThat(read)
                    .filteredOn(each -> !each.startsWith("mark"))
                    .containsExactlyInAnyOrder("0-0", "0-1", "1-0", "1-1");
        }
    }

    @Test
    void records_are_not_lost_when_the_end_is_not_known() {
        assign(P0, 0);
        broker.has(P0, 0, 2);
        broker.setOffsetsException(new TimeoutException("unreachable"));

        assertThat(fetch()).containsExactly("0-0", "0-1");
    }

    @Test
    void waking_up_loses_no_records() {
        assign(P0, 0);
        broker.has(P0, 0, 2);
        reader.wakeUp();

        assertThat(fetch()).as("woken while polling").isEmpty();
        assertThat(fetch()).startsWith("0-0", "0-1");

        broker.has(P0, 2, 4);
        clock.millis += INTERVAL;
        broker.setOffsetsException(new WakeupException());
        assertThat(fetch()).as("woken while asking for the end").startsWith("0-2", "0-3");
    }

    /** The end at the start is known by then, and records that keep coming give no other occasion. */
    @Test
    void waking_up_does_not_lose_the_first_mark() {
        broker.setMaxPollRecords(2);
        assign(P0, 0);
        broker.has(P0, 0, 4);
        broker.wakeUpWhenAskedForPosition = true;
        assertThat(fetch()).containsExactly("0-0", "0-1");

        clock.millis += INTERVAL;
        broker.has(P0, 4, 100);
        List<String> rest = new ArrayList<>();
        for (int i = 0; i < 49; i++) {
            rest.addAll(fetch());
            clock.millis += INTERVAL;
        }
        assertThat(rest).anyMatch(each -> each.startsWith("mark 0@"));
    }

    @Test
    void offsets_that_expired_stop_the_job_with_their_range() {
        assign(P0, 5);
        broker.updateBeginningOffsets(Map.of(P0, 12L));
        broker.updateEndOffsets(Map.of(P0, 20L));
        broker.outOfRange(P0, 5);

        assertThatThrownBy(reader::fetch)
                .isInstanceOf(SuppressRestartsException.class)
                .cause()
                .isInstanceOf(MissingOffsetsException.class)
                .hasMessageStartingWith("Reading topic partition 0 was to continue at offset 5,")
                .hasMessageContaining("offsets 5 to 11 (7 records at most) are gone")
                .hasMessageContaining("--accept-gap to continue at offset 12");
    }

    @Test
    void offsets_beyond_the_end_stop_the_job() {
        assign(P0, 25);
        broker.updateBeginningOffsets(Map.of(P0, 0L));
        broker.updateEndOffsets(Map.of(P0, 3L));
        broker.outOfRange(P0, 25);

        assertThatThrownBy(reader::fetch)
                .isInstanceOf(SuppressRestartsException.class)
                .cause()
                .isInstanceOf(MissingOffsetsException.class)
                .hasMessageContaining("continue at offset 25, but the topic ends at 3")
                .hasMessageContaining("--accept-gap to continue at offset 0");
    }

    /** The broker's refusal may come with a later fetch: until then the partition is in no known state. */
    @Test
    void beyond_the_end_nothing_has_been_read_to_the_end() {
        assign(P0, 25);
        broker.updateBeginningOffsets(Map.of(P0, 0L));
        broker.updateEndOffsets(Map.of(P0, 3L));

        assertThat(fetch()).isEmpty();
    }

    @Test
    void an_accepted_gap_goes_on_at_the_beginning() {
        reader = reader(true);
        assign(P0, 25);
        broker.updateBeginningOffsets(Map.of(P0, 2L));
        broker.updateEndOffsets(Map.of(P0, 2L));
        broker.outOfRange(P0, 25);
        assertThat(fetch()).isEmpty();

        broker.has(P0, 2, 4);
        assertThat(fetch()).containsExactly("0-2", "0-3", "mark 0@4 of 2 at 1000");
    }

    @Test
    void a_bounded_partition_ends_before_its_stopping_offset() {
        assign(new KafkaPartitionSplit(P0, 0, 2));
        broker.has(P0, 0, 5);
        FetchedRecords fetched = (FetchedRecords) reader.fetch();

        assertThat(texts(fetched)).contains("0-0", "0-1").doesNotContain("0-2", "0-3");
        assertThat(fetched.finishedSplits()).containsExactly("topic-0");
        assertThat(broker.assignment()).isEmpty();
    }

    /** A transaction's marker takes an offset and is never seen: the position passes it. */
    @Test
    void a_bounded_partition_ends_although_a_marker_stands_at_its_end() {
        assign(new KafkaPartitionSplit(P0, 0, 3));
        broker.has(P0, 0, 2);
        assertThat(reader.fetch().finishedSplits()).isEmpty();

        broker.updateEndOffsets(Map.of(P0, 3L));
        broker.schedulePollTask(() -> broker.seek(P0, 3));
        assertThat(reader.fetch().finishedSplits()).containsExactly("topic-0");
    }

    @Test
    void a_topic_that_was_made_anew_stops_reading_before_anything_is_read_of_it() {
        Uuid old = Uuid.randomUuid();
        topicId = Uuid.randomUuid();
        broker.updateBeginningOffsets(Map.of(P0, 0L, P1, 0L));
        broker.updateEndOffsets(Map.of(P0, 400L, P1, 3L));

        assertThatThrownBy(() -> reader.handleSplitsChanges(new SplitsAddition<>(List.of(
                        new TopicSplit(new KafkaPartitionSplit(P1, 7), old),
                        new TopicSplit(new KafkaPartitionSplit(P0, 295), old)))))
                .isInstanceOf(SuppressRestartsException.class)
                .hasStackTraceContaining(
                        "Topic topic was deleted and made again: its id was " + old + " and is " + topicId + " now")
                .hasStackTraceContaining(
                        "partition 0 was to continue at offset 295 and has offsets 0 to 400 now, partition 1"
                                + " was to continue at offset 7 and has offsets 0 to 3 now")
                .hasStackTraceContaining("restart with --accept-gap to continue at the beginning of the new topic");
        assertThat(broker.assignment()).isEmpty();
    }

    @Test
    void a_topic_that_was_made_anew_is_read_from_its_beginning_if_that_is_accepted() {
        reader = reader(true);
        topicId = Uuid.randomUuid();
        broker.updateBeginningOffsets(Map.of(P0, 0L));
        broker.updateEndOffsets(Map.of(P0, 4L));
        assign(new TopicSplit(new KafkaPartitionSplit(P0, 2), Uuid.randomUuid()));
        broker.has(P0, 0, 4);

        assertThat(fetch())
                .containsExactly("topic " + topicId + " at -2", "0-0", "0-1", "0-2", "0-3", "mark 0@4 of 2 at 1000");
    }

    @Test
    void a_topic_that_was_made_anew_with_fewer_partitions_stops_reading_even_if_a_gap_is_accepted() {
        reader = reader(true);
        topicId = Uuid.randomUuid();
        partitions = 1;

        assertThatThrownBy(() -> reader.handleSplitsChanges(new SplitsAddition<>(
                        List.of(new TopicSplit(new KafkaPartitionSplit(P1, 7), Uuid.randomUuid())))))
                .isInstanceOf(SuppressRestartsException.class)
                .hasStackTraceContaining("made again with 1 partitions, and partition 1 was being read")
                .hasStackTraceContaining("--alter --partitions");
    }

    /** Kafka may be away when a task fails; what reads already waits for it, too. */
    @Test
    void a_split_whose_topic_nobody_tells_of_is_read_when_somebody_does() {
        topicId = Uuid.randomUuid();
        unanswered = 2;
        assign(P0, 2);
        assertThat(fetch()).isEmpty();

        broker.updateEndOffsets(Map.of(P0, 3L));
        assertThat(fetch()).containsExactly("topic " + topicId + " at 2");
        broker.has(P0, 2, 3);
        assertThat(fetch()).startsWith("0-2");
    }

    @Test
    void who_reads_already_asks_again_only_after_a_while() {
        assign(P0, 2);
        broker.has(P0, 2, 3);
        unanswered = 1;
        assign(P1, 7);
        assertThat(fetch()).startsWith("0-2");

        assertThat(broker.assignment()).containsExactly(P0);
        clock.millis += 60_000;
        broker.updateEndOffsets(Map.of(P1, 8L));
        fetch();
        broker.has(P1, 7, 8);
        assertThat(fetch()).contains("1-7");
    }

    @Test
    void a_split_learns_its_topic_once() {
        topicId = Uuid.randomUuid();
        assign(P0, 2);
        broker.has(P0, 2, 3);
        assertThat(fetch()).startsWith("topic " + topicId + " at 2", "0-2");

        assign(new TopicSplit(new KafkaPartitionSplit(P1, 7), topicId));
        broker.has(P1, 7, 8);
        assertThat(fetch()).startsWith("1-7");
    }

    /** A client that may not describe the topic, a broker without ids. */
    @Test
    void where_no_id_is_to_be_had_reading_goes_on_and_the_known_one_is_kept() {
        assign(new TopicSplit(new KafkaPartitionSplit(P0, 2), Uuid.randomUuid()));
        broker.has(P0, 2, 3);

        assertThat(fetch()).startsWith("0-2");
    }

    @Test
    void an_empty_bounded_partition_ends_at_once() {
        assign(new KafkaPartitionSplit(P0, 4, 4));
        broker.updateEndOffsets(Map.of(P0, 4L));

        assertThat(reader.fetch().finishedSplits()).containsExactly("topic-0");
    }

    @Test
    void offsets_are_reported_again_when_that_may_help() {
        assign(P0, 7);
        broker.updateEndOffsets(Map.of(P0, 7L));
        broker.commitFailures.add(new RetriableCommitFailedException("coordinator is moving", null));
        reader.commitLater(Map.of(P0, new OffsetAndMetadata(7)));
        fetch();
        fetch();
        fetch();

        assertThat(broker.commits).containsExactly(7L, 7L);
        assertThat(reader.failedCommits()).isZero();
    }

    @Test
    void offsets_that_cannot_be_reported_are_counted_and_harm_nothing() {
        assign(P0, 7);
        broker.updateEndOffsets(Map.of(P0, 7L));
        broker.commitFailures.add(new IllegalStateException("no"));
        reader.commitLater(Map.of(P0, new OffsetAndMetadata(7)));

        assertThat(fetch()).hasSize(1);
        fetch();
        assertThat(broker.commits).containsExactly(7L);
        assertThat(reader.failedCommits()).isOne();
    }

    @Test
    void a_newer_checkpoint_s_offsets_win_over_a_repetition() {
        assign(P0, 7);
        broker.updateEndOffsets(Map.of(P0, 7L));
        broker.commitFailures.add(new RetriableCommitFailedException("coordinator is moving", null));
        broker.onCommit = () -> reader.commitLater(Map.of(P0, new OffsetAndMetadata(9)));
        reader.commitLater(Map.of(P0, new OffsetAndMetadata(7)));
        fetch();
        broker.onCommit = () -> {};
        fetch();
        fetch();

        assertThat(broker.commits).containsExactly(7L, 9L);
    }

    /** What stands before it is read, what stands behind it waits, and no end is marked meanwhile. */
    @Test
    void a_record_whose_schema_cannot_be_had_holds_its_partition_and_no_other() {
        readBySchemas();
        assign(P0, 0);
        assign(P1, 5);
        broker.updateEndOffsets(Map.of(P1, 5L));
        registered.add(1L);
        broker.has(P0, 0, framed(1), framed(2), framed(1));
        broker.updateEndOffsets(Map.of(P0, 3L));
        registered.add(2L);
        registryIsAway = true;
        gateKnows(1);

        assertThat(fetch()).containsExactly("0-0", "mark 1@5 of 2 at 1000");
        assertThat(reader.awaitingSchema()).isOne();
        clock.millis += INTERVAL;
        assertThat(fetch()).as("not asked again yet").containsExactly("mark 1@5 of 2 at 1500");
        assertThat(questions).isOne();

        registryIsAway = false;
        clock.millis += SchemaGate.PAUSE_AFTER_NO_ANSWER_MILLIS;
        broker.has(P0, 1, framed(2), framed(1));
        assertThat(fetch()).containsSubsequence("0-1", "0-2", "mark 0@3 of 2 at 1000");
        assertThat(reader.awaitingSchema()).isZero();
        assertThat(reader.failedSchemaRequests()).isOne();
    }

    @Test
    void an_id_that_the_registry_does_not_know_holds_nothing_and_is_asked_for_again_later() {
        readBySchemas();
        assign(P0, 0);
        broker.has(P0, 0, framed(9), framed(9));
        assertThat(fetch()).contains("0-0", "0-1");
        assertThat(questions).as("one answer serves them all").isOne();

        registered.add(9L);
        clock.millis += SchemaGate.UNKNOWN_FOR_MILLIS;
        broker.has(P0, 2, framed(9));
        assertThat(fetch()).contains("0-2");
        assertThat(questions).isEqualTo(2);
        clock.millis += SchemaGate.UNKNOWN_FOR_MILLIS;
        broker.has(P0, 3, framed(9));
        assertThat(fetch()).contains("0-3");
        assertThat(questions).as("known for ever").isEqualTo(2);
    }

    private final KnownSchemas known = new KnownSchemas();

    private void readBySchemas() {
        gate = new SchemaGate(
                id -> {
                    questions++;
                    if (registryIsAway) {
                        throw new RegistryException("the registry is away", null);
                    }
                    return registered.contains(id) ? anySchema() : null;
                },
                WireFormat.CONFLUENT,
                known,
                true,
                clock);
        reader = reader(false);
    }

    private void gateKnows(long id) {
        known.add(id, anySchema());
    }

    private static RegisteredSchema anySchema() {
        return new RegisteredSchema(RegisteredSchema.AVRO, "\"string\"", List.of());
    }

    private static byte[] framed(int id) {
        return new byte[] {0, 0, 0, 0, (byte) id, 0};
    }

    private TopicSplitReader reader(boolean acceptGap) {
        return new TopicSplitReader(
                broker,
                clock,
                Duration.ofMillis(INTERVAL),
                acceptGap,
                topic -> {
                    if (unanswered > 0) {
                        unanswered--;
                        throw new TopicIds.UnansweredException("nobody answers", null);
                    }
                    return new TopicIds.Found(topicId, partitions);
                },
                gate);
    }

    private void assign(TopicPartition partition, long offset) {
        assign(new KafkaPartitionSplit(partition, offset));
    }

    private void assign(KafkaPartitionSplit split) {
        reader.handleSplitsChanges(new SplitsAddition<>(List.of(split)));
    }

    private List<String> fetch() {
        return texts(reader.fetch());
    }

    private static List<String> texts(RecordsWithSplitIds<ConsumerRecord<byte[], byte[]>> fetched) {
        List<String> texts = new ArrayList<>();
        while (fetched.nextSplit() != null) {
            for (var record = fetched.nextRecordFromSplit(); record != null; record = fetched.nextRecordFromSplit()) {
                if (record instanceof TopicIdMark mark) {
                    texts.add("topic " + mark.topicId() + " at " + mark.continueAt());
                    continue;
                }
                texts.add(
                        record instanceof EndMark mark
                                ? "mark " + mark.partition() + "@" + mark.offset() + " of " + mark.partitions() + " at "
                                        + mark.timestamp()
                                : WireFormat.isFramed(record.value())
                                        ? record.partition() + "-" + record.offset()
                                        : new String(record.value(), StandardCharsets.UTF_8));
            }
        }
        return texts;
    }

    private static final class Broker extends MockConsumer<byte[], byte[]> {
        private final List<Long> commits = new ArrayList<>();
        private final List<Exception> commitFailures = new ArrayList<>();
        private Runnable onCommit = () -> {};
        private boolean wakeUpWhenAskedForPosition;
        private int positionsBeforeWakeUp = Integer.MAX_VALUE;
        private int questions;

        Broker() {
            super(OffsetResetStrategy.NONE);
            List<PartitionInfo> partitions = new ArrayList<>();
            for (TopicPartition each : List.of(P0, P1)) {
                partitions.add(new PartitionInfo(each.topic(), each.partition(), null, null, null));
            }
            updatePartitions("topic", partitions);
        }

        /** Records with these values, from an offset on. */
        void has(TopicPartition partition, long from, byte[]... values) {
            for (int i = 0; i < values.length; i++) {
                addRecord(new ConsumerRecord<>(
                        partition.topic(), partition.partition(), from + i, new byte[] {1}, values[i]));
            }
            updateEndOffsets(Map.of(partition, from + values.length));
        }

        /** Records of the offsets {@code [from, to)}, named partition-offset. */
        void has(TopicPartition partition, long from, long to) {
            for (long offset = from; offset < to; offset++) {
                byte[] value = (partition.partition() + "-" + offset).getBytes(StandardCharsets.UTF_8);
                addRecord(new ConsumerRecord<>(partition.topic(), partition.partition(), offset, null, value));
            }
            updateEndOffsets(Map.of(partition, to));
        }

        void outOfRange(TopicPartition partition, long wanted) {
            setPollException(new OffsetOutOfRangeException(Map.of(partition, wanted)));
        }

        @Override
        public synchronized long position(TopicPartition partition, Duration timeout) {
            if (wakeUpWhenAskedForPosition) {
                wakeUpWhenAskedForPosition = false;
                throw new WakeupException();
            }
            if (positionsBeforeWakeUp-- == 0) {
                throw new WakeupException();
            }
            return super.position(partition, timeout);
        }

        @Override
        public synchronized Map<TopicPartition, Long> endOffsets(
                Collection<TopicPartition> partitions, Duration timeout) {
            questions++;
            return super.endOffsets(partitions, timeout);
        }

        @Override
        public synchronized void commitAsync(
                Map<TopicPartition, OffsetAndMetadata> offsets, @Nullable OffsetCommitCallback callback) {
            commits.add(offsets.values().iterator().next().offset());
            onCommit.run();
            if (callback != null) {
                callback.onComplete(offsets, commitFailures.isEmpty() ? null : commitFailures.remove(0));
            }
        }
    }
}
