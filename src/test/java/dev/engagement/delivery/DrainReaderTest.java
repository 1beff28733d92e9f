package dev.engagement.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.connection.topics.TopicIds;
import dev.engagement.deadletter.DeadLetter;
import dev.engagement.delivery.ScriptedReceiver.Reply;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.connector.source.ReaderOutput;
import org.apache.flink.api.connector.source.SourceOutput;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.flink.core.io.InputStatus;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.apache.flink.runtime.execution.SuppressRestartsException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;

class DrainReaderTest {

    private final ManualTime clock = new ManualTime(DeliveryWorld.START);
    private final ScriptedReceiver receiver = new ScriptedReceiver(clock);
    private final FakeTopic topic = new FakeTopic();
    private final List<Drained> emitted = new ArrayList<>();
    private final TreeMap<Long, List<Runnable>> alarms = new TreeMap<>();
    private final List<Map<Integer, Long>> askedAbout = new ArrayList<>();
    private final RecordedRetryLog log = new RecordedRetryLog();
    private Map<Integer, Long> begins = Map.of();
    private int polls;
    private boolean acceptGap;
    private CompletableFuture<TopicIds.Found> topicId = found(Uuid.randomUuid());
    private final DrainReader reader = reader();

    @Test
    void records_are_posted_and_nothing_of_them_is_left() throws Exception {
        topic.records(1, 5);
        pass(10_000);

        assertThat(receiver.posted).hasSize(5);
        assertThat(emitted).as("receipts").hasSize(5).allMatch(Drained.Taken.class::isInstance);
        assertThat(unfinished(reader)).isEmpty();
        assertThat(topic.offset).isEqualTo(5);
    }

    @Test
    void an_answer_wakes_the_reader_and_no_time_has_to_pass_for_it() throws Exception {
        topic.records(1, 1);
        poll();
        CompletableFuture<Void> available = reader.isAvailable();
        assertThat(available).isNotDone();
        clock.set(clock.millis() + 5);
        receiver.answer();

        assertThat(available).isDone();
    }

    @Test
    void an_answer_between_a_poll_and_the_question_is_not_overlooked() throws Exception {
        topic.records(1, 1);
        poll();
        clock.set(clock.millis() + 5);
        receiver.answer();

        assertThat(reader.isAvailable()).isDone();
    }

    @Test
    void a_record_wakes_the_reader() throws Exception {
        poll();
        CompletableFuture<Void> available = reader.isAvailable();
        assertThat(available).isNotDone();
        topic.records(1, 1);

        assertThat(available).isDone();
    }

    @Test
    void a_checkpoint_holds_what_is_on_its_way_what_waits_and_what_was_read_ahead_with_its_partition()
            throws Exception {
        receiver.does(request -> Reply.hang());
        topic.records(1, 1_000);
        pass(3_000);
        List<Delivery> unfinished = unfinished(reader);

        assertThat(unfinished)
                .extracting(delivery -> delivery.eventId().number())
                .hasSize(topic.offset)
                .isSubsetOf(topic.ids(topic.offset));
        assertThat(unfinished.size()).isGreaterThan(receiver.posted.size());
        assertThat(reader.snapshotState(2)).singleElement().satisfies(split -> {
            assertThat(split.getStartingOffset()).isEqualTo(topic.offset);
            assertThat(split.getPartition()).isEqualTo(7);
        });
    }

    @Test
    void what_a_restore_brings_is_tried_again_and_is_in_a_checkpoint_before_that() throws Exception {
        receiver.does(request -> Reply.hang());
        topic.records(1, 3);
        pass(5_000);
        List<KafkaPartitionSplit> splits = reader.snapshotState(1);
        DrainSplitSerializer serializer = new DrainSplitSerializer();
        receiver.posted.clear();
        receiver.does(request -> Reply.status(200));
        DrainReader restored = reader();
        for (KafkaPartitionSplit split : splits) {
            restored.addSplits(List.of(serializer.deserialize(serializer.getVersion(), serializer.serialize(split))));
        }
        assertThat(unfinished(restored)).hasSize(3);
        pass(restored, 10_000);

        assertThat(receiver.posted)
                .extracting(posted -> posted.request().webhookId())
                .containsExactlyInAnyOrder("evt_1", "evt_2", "evt_3");
        assertThat(unfinished(restored)).isEmpty();
    }

    @Test
    void nothing_is_read_of_a_split_before_its_topic_is_known_and_a_checkpoint_has_it_meanwhile() throws Exception {
        KafkaPartitionSplit split = new KafkaPartitionSplit(new TopicPartition("retry", 3), 17);
        Uuid id = Uuid.randomUuid();
        topicId = new CompletableFuture<>();
        reader.addSplits(List.of(new DrainSplit(split, List.of(), id)));
        poll();
        assertThat(topic.added).isEmpty();
        assertThat(reader.snapshotState(1)).contains(new DrainSplit(split, List.of(), id));

        CompletableFuture<Void> available = reader.isAvailable();
        topicId.complete(new TopicIds.Found(id, 16));
        assertThat(available).isDone();
        poll();
        assertThat(topic.added).containsExactly(split);
    }

    @Test
    void a_retry_topic_that_was_made_anew_stops_the_drain() {
        KafkaPartitionSplit split = new KafkaPartitionSplit(new TopicPartition("retry", 3), 17);
        Uuid old = Uuid.randomUuid();

        assertThatThrownBy(() -> reader.addSplits(List.of(new DrainSplit(split, List.of(), old))))
                .isInstanceOf(SuppressRestartsException.class)
                .hasStackTraceContaining("Topic retries was deleted and made again: its id was " + old + " and is "
                        + topicId.join().id()
                        + " now, so that the offsets to continue at are another topic's: partition 3 was to continue"
                        + " at offset 17")
                .hasStackTraceContaining("--accept-gap");
        assertThat(topic.added).isEmpty();
    }

    @Test
    void a_retry_topic_that_was_made_anew_is_drained_from_its_beginning_if_that_is_accepted() {
        acceptGap = true;
        DrainReader accepting = reader();
        TopicPartition partition = new TopicPartition("retry", 3);
        accepting.addSplits(
                List.of(new DrainSplit(new KafkaPartitionSplit(partition, 17), List.of(), Uuid.randomUuid())));

        assertThat(topic.added)
                .containsExactly(new KafkaPartitionSplit(partition, KafkaPartitionSplit.EARLIEST_OFFSET));
    }

    @Test
    void a_retry_topic_that_was_made_anew_with_fewer_partitions_stops_the_drain_even_if_a_gap_is_accepted() {
        acceptGap = true;
        topicId = CompletableFuture.completedFuture(new TopicIds.Found(Uuid.randomUuid(), 3));
        DrainReader accepting = reader();
        KafkaPartitionSplit split = new KafkaPartitionSplit(new TopicPartition("retry", 3), 17);

        assertThatThrownBy(() -> accepting.addSplits(List.of(new DrainSplit(split, List.of(), Uuid.randomUuid()))))
                .isInstanceOf(SuppressRestartsException.class)
                .hasStackTraceContaining("made again with 3 partitions, and partition 3 was being drained");
    }

    @Test
    void a_retry_topic_that_nobody_tells_of_is_looked_up_again() throws Exception {
        KafkaPartitionSplit split = new KafkaPartitionSplit(new TopicPartition("retry", 3), 17);
        topicId = new CompletableFuture<>();
        reader.addSplits(List.of(new DrainSplit(split, List.of(), TopicIds.UNKNOWN)));
        CompletableFuture<TopicIds.Found> first = topicId;
        topicId = new CompletableFuture<>();
        first.completeExceptionally(new TopicIds.UnansweredException("nobody answers", null));
        poll();
        assertThat(topic.added).isEmpty();

        topicId.complete(new TopicIds.Found(Uuid.randomUuid(), 16));
        poll();
        assertThat(topic.added).containsExactly(split);
    }

    @Test
    void what_a_later_checkpoint_had_passed_and_was_deleted_is_no_gap() {
        begins = Map.of(3, 40L);
        TopicPartition deleted = new TopicPartition("retry", 3);
        TopicPartition there = new TopicPartition("retry", 4);
        TopicPartition fresh = new TopicPartition("retry", 5);
        reader.addSplits(List.of(
                new DrainSplit(new KafkaPartitionSplit(deleted, 17), List.of(), TopicIds.UNKNOWN),
                new DrainSplit(new KafkaPartitionSplit(there, 18), List.of(), TopicIds.UNKNOWN),
                new KafkaPartitionSplit(fresh, KafkaPartitionSplit.EARLIEST_OFFSET)));

        assertThat(askedAbout).containsExactly(Map.of(3, 17L, 4, 18L));
        assertThat(topic.added)
                .containsExactly(
                        new KafkaPartitionSplit(deleted, 40),
                        new KafkaPartitionSplit(there, 18),
                        new KafkaPartitionSplit(fresh, KafkaPartitionSplit.EARLIEST_OFFSET));
    }

    @Test
    void splits_that_come_while_others_are_asked_about_are_asked_about_after_them() throws Exception {
        TopicPartition first = new TopicPartition("retry", 3);
        TopicPartition second = new TopicPartition("retry", 4);
        CompletableFuture<TopicIds.Found> slow = new CompletableFuture<>();
        topicId = slow;
        reader.addSplits(List.of(new KafkaPartitionSplit(first, 17)));
        reader.addSplits(List.of(new KafkaPartitionSplit(second, 18)));
        topicId = found(Uuid.randomUuid());
        slow.complete(topicId.join());
        poll();
        poll();

        assertThat(askedAbout).containsExactly(Map.of(3, 17L), Map.of(4, 18L));
        assertThat(topic.added)
                .containsExactly(new KafkaPartitionSplit(first, 17), new KafkaPartitionSplit(second, 18));
    }

    /** What is deleted, see {@link RetryRetentionTest}; here, that it is told of positions, of what is open and of completion. */
    @Test
    void a_completed_checkpoint_with_nothing_unfinished_lets_old_records_go() throws Exception {
        reader.addSplits(List.of(new DrainSplit(
                new KafkaPartitionSplit(new TopicPartition("retry", 7), 0),
                List.of(),
                topicId.join().id())));
        log.id = topicId.join().id();
        log.records(7, 1_000, DeliveryWorld.START - Duration.ofDays(2).toMillis());
        log.committed.put(7, 1_000L);
        receiver.does(request -> Reply.hang());
        topic.records(1, 5);
        pass(5_000);
        reader.snapshotState(1);
        reader.notifyCheckpointComplete(1);
        assertThat(log.deleted).as("they are on their way").isEmpty();

        receiver.does(request -> Reply.status(200));
        pass(60_000);
        reader.snapshotState(2);
        assertThat(log.deleted).as("the checkpoint has not completed").isEmpty();
        reader.notifyCheckpointComplete(2);
        assertThat(log.deleted).containsExactly(Map.of(7, 5L));
    }

    @Test
    void an_unreadable_record_becomes_a_letter_and_holds_nobody_up() throws Exception {
        DeadLetter letter = DeliveryLetters.undeliverable(
                DeliveryWorld.delivery(9, DeliveryWorld.START), "unreadable", "events", 0);
        topic.entries.add(new RetryTopicEntry.Bad(letter));
        topic.records(1, 1);
        pass(5_000);

        assertThat(emitted).contains(new Drained.Given(letter));
        assertThat(receiver.posted).hasSize(1);
    }

    @Test
    void alarms_do_not_pile_up() throws Exception {
        receiver.does(request -> Reply.status(503));
        topic.records(1, 1_000);
        pass(60_000);

        assertThat(alarms.values().stream().mapToInt(List::size).sum()).isLessThan(20);
    }

    /** Old attempts hang, the circuit is open and its pause is over: nothing can happen before one of them ends. */
    @Test
    void an_open_circuit_is_not_asked_each_millisecond() throws Exception {
        receiver.does(request -> receiver.posted.size() < 10 ? Reply.hang() : Reply.status(503, "60"));
        topic.records(1, 1_000);
        pass(5_000);
        assertThat(receiver.open).isEqualTo(10);
        int before = polls;
        int posted = receiver.posted.size();
        pass(3_000);

        assertThat(receiver.posted).hasSize(posted);
        assertThat(polls - before).as("polls in 3 s").isLessThan(100);
        receiver.does(request -> Reply.status(200));
        pass(600_000);
        assertThat(unfinished(reader)).isEmpty();
    }

    @Test
    void a_poll_never_waits_for_a_receiver_that_does_not_answer() throws Exception {
        receiver.does(request -> Reply.hang());
        topic.records(1, 10_000);
        pass(600_000);

        assertThat(unfinished(reader)).hasSizeLessThan(300);
        assertThat(receiver.open).isLessThanOrEqualTo(DeliveryWorld.RULES.maxInFlight());
    }

    private static CompletableFuture<TopicIds.Found> found(Uuid id) {
        return CompletableFuture.completedFuture(new TopicIds.Found(id, 16));
    }

    private DrainReader reader() {
        DeliveryPlan plan = new DeliveryPlan(
                DeliveryWorld.RULES,
                receiver::sender,
                false,
                true,
                500,
                Duration.ofDays(1),
                "events",
                "http://receiver");
        DrainReader made = new DrainReader(
                topic,
                new DrainReader.Topic(
                        "retries",
                        positions -> {
                            askedAbout.add(positions);
                            return topicId.thenApply(found -> new DrainReader.Known(found, begins));
                        },
                        acceptGap),
                (deleted, failed) -> new RetryRetention(
                        () -> log, Duration.ofDays(1), clock, Runnable::run, deleted, failed, line -> {}),
                plan,
                500,
                receiver.sender(),
                clock,
                (delay, ring) -> alarms.computeIfAbsent(clock.millis() + delay, at -> new ArrayList<>())
                        .add(ring),
                new UnregisteredMetricsGroup());
        made.start();
        return made;
    }

    private void poll() throws Exception {
        poll(reader);
    }

    private void poll(DrainReader polled) throws Exception {
        polls++;
        InputStatus status = InputStatus.MORE_AVAILABLE;
        while (status == InputStatus.MORE_AVAILABLE) {
            status = polled.pollNext(new Output());
        }
    }

    private void pass(long millis) throws Exception {
        pass(reader, millis);
    }

    /** As the task does it: polls when there is something, and sleeps until then. */
    private void pass(DrainReader polled, long millis) throws Exception {
        long until = clock.millis() + millis;
        while (true) {
            poll(polled);
            CompletableFuture<Void> available = polled.isAvailable();
            while (!available.isDone()) {
                long next = Math.min(receiver.nextMillis(), alarms.isEmpty() ? Long.MAX_VALUE : alarms.firstKey());
                if (next > until) {
                    clock.set(until);
                    return;
                }
                clock.set(Math.max(next, clock.millis()));
                receiver.answer();
                while (!alarms.isEmpty() && alarms.firstKey() <= clock.millis()) {
                    alarms.pollFirstEntry().getValue().forEach(Runnable::run);
                }
            }
        }
    }

    private static List<Delivery> unfinished(DrainReader of) {
        return of.snapshotState(1).stream()
                .flatMap(split -> ((DrainSplit) split).unfinished().stream())
                .toList();
    }

    private final class Output implements ReaderOutput<Drained> {
        @Override
        public void collect(Drained record) {
            emitted.add(record);
        }

        @Override
        public void collect(Drained record, long timestamp) {
            emitted.add(record);
        }

        @Override
        public void emitWatermark(Watermark watermark) {}

        @Override
        public void markIdle() {}

        @Override
        public void markActive() {}

        @Override
        public SourceOutput<Drained> createOutputForSplit(String splitId) {
            return this;
        }

        @Override
        public void releaseOutputForSplit(String splitId) {}
    }

    /** Flink's reader of Kafka, of one partition. */
    private static final class FakeTopic implements SourceReader<RetryTopicEntry, KafkaPartitionSplit> {

        private final Deque<RetryTopicEntry> entries = new ArrayDeque<>();
        private CompletableFuture<Void> available = new CompletableFuture<>();
        private final List<KafkaPartitionSplit> added = new ArrayList<>();
        private int offset;

        void records(long from, long to) {
            for (long id = from; id <= to; id++) {
                entries.add(new RetryTopicEntry.Good(DeliveryWorld.delivery(id, DeliveryWorld.START), 7));
            }
            available.complete(null);
        }

        List<Long> ids(int count) {
            List<Long> ids = new ArrayList<>();
            for (long id = 1; id <= count; id++) {
                ids.add(id);
            }
            return ids;
        }

        @Override
        public void start() {}

        @Override
        public InputStatus pollNext(ReaderOutput<RetryTopicEntry> output) {
            RetryTopicEntry next = entries.poll();
            if (next != null) {
                offset++;
                output.collect(next, 0);
                return InputStatus.MORE_AVAILABLE;
            }
            if (available.isDone()) {
                available = new CompletableFuture<>();
            }
            return InputStatus.NOTHING_AVAILABLE;
        }

        @Override
        public List<KafkaPartitionSplit> snapshotState(long checkpointId) {
            return List.of(new KafkaPartitionSplit(new TopicPartition("retry", 7), offset));
        }

        @Override
        public CompletableFuture<Void> isAvailable() {
            return entries.isEmpty() ? available : CompletableFuture.completedFuture(null);
        }

        @Override
        public void addSplits(List<KafkaPartitionSplit> splits) {
            assertThat(splits).allMatch(split -> split.getClass() == KafkaPartitionSplit.class);
            added.addAll(splits);
        }

        @Override
        public void notifyNoMoreSplits() {}

        @Override
        public void close() {}
    }
}
