package dev.engagement.ingest;

import dev.engagement.connection.topics.MissingOffsetsException;
import dev.engagement.connection.topics.TopicIds;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.apache.flink.connector.base.source.reader.RecordsWithSplitIds;
import org.apache.flink.connector.base.source.reader.splitreader.SplitReader;
import org.apache.flink.connector.base.source.reader.splitreader.SplitsChange;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.flink.runtime.execution.SuppressRestartsException;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.clients.consumer.RetriableCommitFailedException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads Kafka partitions, and says when one has been read to its end.
 *
 * <p>That a partition is quiet and that it cannot be fetched look the same to who only sees records. So the end is asked
 * for, and an {@link EndMark} is made only from an answer: a partition that cannot be reached makes none. Where the offset
 * to continue at is gone, or belongs to a topic that was made anew since, reading stops with the range that is missing,
 * instead of going on somewhere else. The topic's id is looked up before anything is read of a split.
 *
 * <p>All methods but {@link #wakeUp} and {@link #commitLater} run on the fetcher thread.
 */
final class TopicSplitReader implements SplitReader<ConsumerRecord<byte[], byte[]>, KafkaPartitionSplit> {

    private static final Logger LOG = LoggerFactory.getLogger(TopicSplitReader.class);

    private static final Duration POLL = Duration.ofMillis(100);
    private static final Duration ASK = Duration.ofSeconds(1);
    private static final long PAUSE_AFTER_NO_ANSWER_MILLIS = 5_000;

    private final Consumer<byte[], byte[]> consumer;
    private final Clock clock;
    private final long markIntervalMillis;
    private final boolean acceptGap;
    private final TopicIds topicIds;

    /** Null where no record needs a schema. */
    private final @Nullable SchemaGate gate;

    /** Partitions that stand before a record whose schema could not be had, paused. */
    private final Set<TopicPartition> awaitingSchema = new HashSet<>();

    /** What somebody else paused stays so. */
    private final Set<TopicPartition> pausedFromOutside = new HashSet<>();

    private volatile int awaitingSchemaCount;

    /** Of partitions whose topic has become known, until the next fetch. */
    private final List<TopicIdMark> topicIdMarks = new ArrayList<>();

    /** Of a topic that could not be looked up yet; their state is what it was. */
    private final List<KafkaPartitionSplit> toBeTold = new ArrayList<>();

    private long lookUpAgainAtMillis;

    private final Map<TopicPartition, Long> stoppingOffsets = new HashMap<>();

    /** Partitions of which the end at the start of this run is not known yet. */
    private final Set<TopicPartition> endUnknown = new HashSet<>();

    /** The end that a partition had in this run, until it is reached. */
    private final Map<TopicPartition, KnownEnd> endToReach = new HashMap<>();

    private final AtomicReference<@Nullable Map<TopicPartition, OffsetAndMetadata>> toCommit = new AtomicReference<>();

    private long nextMarksAtMillis;
    private volatile long lag;
    private final AtomicLong failedCommits = new AtomicLong();

    private record KnownEnd(long offset, long atMillis) {}

    TopicSplitReader(
            Consumer<byte[], byte[]> consumer,
            Clock clock,
            Duration markInterval,
            boolean acceptGap,
            TopicIds topicIds,
            @Nullable SchemaGate gate) {
        this.consumer = consumer;
        this.clock = clock;
        this.markIntervalMillis = markInterval.toMillis();
        this.acceptGap = acceptGap;
        this.topicIds = topicIds;
        this.gate = gate;
    }

    @Override
    public RecordsWithSplitIds<ConsumerRecord<byte[], byte[]>> fetch() {
        FetchedRecords fetched = new FetchedRecords();
        // Who has something to read does not wait for the answer each time.
        if (!toBeTold.isEmpty() && (consumer.assignment().isEmpty() || clock.millis() >= lookUpAgainAtMillis)) {
            read(List.copyOf(toBeTold));
        }
        for (TopicIdMark mark : topicIdMarks) {
            fetched.add(new TopicPartition(mark.topic(), mark.partition()), List.of(mark));
        }
        topicIdMarks.clear();
        if (consumer.assignment().isEmpty()) {
            return fetched;
        }
        tryAgainForSchemas();
        Set<TopicPartition> busy;
        try {
            ConsumerRecords<byte[], byte[]> polled = consumer.poll(POLL);
            busy = polled.partitions();
            for (TopicPartition partition : busy) {
                addUpToStop(fetched, partition, admitted(partition, polled.records(partition)));
            }
        } catch (WakeupException e) {
            // Somebody has a task for this thread; the records come with the next fetch.
            return fetched;
        } catch (OffsetOutOfRangeException e) {
            try {
                onMissingOffsets(e.offsetOutOfRangePartitions());
            } catch (WakeupException interrupted) {
                // The next fetch meets the same gap.
                return fetched;
            }
            return fetched;
        }
        try {
            addMarks(fetched, busy);
            finishStopped(fetched);
        } catch (WakeupException e) {
            // No answer, so no mark; the next round asks again.
            LOG.debug("Woken while asking for the ends of {}", consumer.assignment(), e);
        } catch (TimeoutException e) {
            // Nor here; but a question without an answer keeps the partitions that can be reached from being read.
            nextMarksAtMillis = clock.millis() + PAUSE_AFTER_NO_ANSWER_MILLIS;
            LOG.debug("The ends of {} could not be asked for", consumer.assignment(), e);
        }
        commit();
        measureLag();
        return fetched;
    }

    /**
     * The records up to the first whose schema cannot be had now. The partition goes back to that one and is paused: its
     * position tells the truth then, so that no end is marked, and nothing is kept that a restart would have to remember.
     */
    private List<ConsumerRecord<byte[], byte[]>> admitted(
            TopicPartition partition, List<ConsumerRecord<byte[], byte[]>> records) {
        if (gate == null) {
            return records;
        }
        for (int i = 0; i < records.size(); i++) {
            if (!gate.admits(records.get(i))) {
                consumer.seek(partition, records.get(i).offset());
                consumer.pause(List.of(partition));
                awaitingSchema.add(partition);
                awaitingSchemaCount = awaitingSchema.size();
                return records.subList(0, i);
            }
        }
        return records;
    }

    private void tryAgainForSchemas() {
        if (gate != null && !awaitingSchema.isEmpty() && gate.isDue()) {
            awaitingSchema.retainAll(consumer.assignment());
            awaitingSchema.removeAll(pausedFromOutside);
            consumer.resume(awaitingSchema);
            awaitingSchema.clear();
            awaitingSchemaCount = 0;
        }
    }

    private void addUpToStop(
            FetchedRecords fetched, TopicPartition partition, List<ConsumerRecord<byte[], byte[]>> records) {
        if (records.isEmpty()) {
            return;
        }
        Long stop = stoppingOffsets.get(partition);
        if (stop == null || records.get(records.size() - 1).offset() < stop) {
            fetched.add(partition, records);
        } else {
            fetched.add(
                    partition,
                    records.stream().filter(record -> record.offset() < stop).toList());
        }
    }

    /** Partitions that have passed their stopping offset are finished, even if only markers stood at the end. */
    private void finishStopped(FetchedRecords fetched) {
        if (stoppingOffsets.isEmpty()) {
            return;
        }
        List<TopicPartition> open = new ArrayList<>();
        List<TopicPartition> done = new ArrayList<>();
        for (TopicPartition partition : consumer.assignment()) {
            Long stop = stoppingOffsets.get(partition);
            boolean stopped = stop != null && consumer.position(partition, ASK) >= stop;
            (stopped ? done : open).add(partition);
        }
        // Only now, as a position that cannot be told ends the loop: who is called finished must not be read on.
        for (TopicPartition partition : done) {
            fetched.finish(partition);
            stoppingOffsets.remove(partition);
            endToReach.remove(partition);
            endUnknown.remove(partition);
        }
        if (!done.isEmpty()) {
            consumer.assign(open);
        }
    }

    private void addMarks(FetchedRecords fetched, Set<TopicPartition> busy) {
        long now = clock.millis();
        for (TopicPartition partition : List.copyOf(endToReach.keySet())) {
            KnownEnd end = endToReach.get(partition);
            if (end != null && consumer.position(partition, ASK) >= end.offset()) {
                mark(fetched, partition, end.atMillis());
                endToReach.remove(partition);
            }
        }
        if (now < nextMarksAtMillis) {
            return;
        }
        nextMarksAtMillis = now + markIntervalMillis;
        List<TopicPartition> asked = new ArrayList<>();
        for (TopicPartition partition : consumer.assignment()) {
            if (!busy.contains(partition) || endUnknown.contains(partition)) {
                asked.add(partition);
            }
        }
        if (asked.isEmpty()) {
            return;
        }
        Map<TopicPartition, Long> ends = consumer.endOffsets(asked, ASK);
        for (TopicPartition partition : asked) {
            Long end = ends.get(partition);
            if (end == null) {
                continue;
            }
            long position = consumer.position(partition, ASK);
            if (position == end) {
                mark(fetched, partition, now);
                endUnknown.remove(partition);
            } else if (position < end && endUnknown.remove(partition)) {
                endToReach.put(partition, new KnownEnd(end, now));
            }
            // Beyond the end, the next poll finds the offset missing; nothing has been read to the end until then.
        }
    }

    private void mark(FetchedRecords fetched, TopicPartition partition, long atMillis) {
        fetched.add(
                partition,
                List.of(new EndMark(
                        partition, consumer.position(partition, ASK), atMillis, partitionCount(partition.topic()))));
    }

    /** As of the client's metadata, which is at hand: how old it may be is configured with the client. */
    private int partitionCount(String topic) {
        return consumer.partitionsFor(topic, ASK).size();
    }

    private void onMissingOffsets(Map<TopicPartition, Long> wanted) {
        Map<TopicPartition, Long> begins = consumer.beginningOffsets(wanted.keySet());
        Map<TopicPartition, Long> ends = consumer.endOffsets(wanted.keySet());
        for (Map.Entry<TopicPartition, Long> entry : wanted.entrySet()) {
            TopicPartition partition = entry.getKey();
            String message = MissingOffsetsException.gone(
                    partition, entry.getValue(), begins.getOrDefault(partition, 0L), ends.getOrDefault(partition, 0L));
            MissingOffsetsException.requireAccepted(acceptGap, message);
        }
        consumer.seekToBeginning(wanted.keySet());
    }

    /**
     * Which of the splits go on at the beginning, as their topic was made anew; learns the topics of the others.
     *
     * @throws SuppressRestartsException if one was made anew and that is not accepted
     */
    private Set<TopicPartition> madeAnew(List<KafkaPartitionSplit> splits) {
        Map<String, TopicIds.Found> topics = new HashMap<>();
        for (KafkaPartitionSplit split : splits) {
            topics.computeIfAbsent(split.getTopic(), topicIds::find);
        }
        Map<TopicPartition, KafkaPartitionSplit> anew =
                new TreeMap<>(Comparator.comparing(TopicPartition::topic).thenComparing(TopicPartition::partition));
        for (KafkaPartitionSplit split : splits) {
            TopicPartition partition = split.getTopicPartition();
            TopicIds.Found is = topics.getOrDefault(partition.topic(), TopicIds.Found.NOTHING);
            Uuid was = TopicSplit.topicIdOf(split);
            if (is.isOtherThan(was)) {
                String gone = is.without(partition, "was being read");
                if (gone != null) {
                    throw MissingOffsetsException.forGood(gone);
                }
                anew.put(partition, split);
                topicIdMarks.add(new TopicIdMark(partition, KafkaPartitionSplit.EARLIEST_OFFSET, is.id()));
            } else if (was.equals(TopicIds.UNKNOWN) && !is.id().equals(TopicIds.UNKNOWN)) {
                topicIdMarks.add(new TopicIdMark(partition, split.getStartingOffset(), is.id()));
            }
        }
        if (!anew.isEmpty()) {
            String message = anew(anew, topics);
            MissingOffsetsException.requireAccepted(acceptGap, message);
        }
        return anew.keySet();
    }

    private String anew(Map<TopicPartition, KafkaPartitionSplit> anew, Map<String, TopicIds.Found> topics) {
        KafkaPartitionSplit one = anew.values().iterator().next();
        StringBuilder where = new StringBuilder();
        Map<TopicPartition, Long> begins = untilAnswered(() -> consumer.beginningOffsets(anew.keySet()));
        Map<TopicPartition, Long> ends = untilAnswered(() -> consumer.endOffsets(anew.keySet()));
        anew.forEach((partition, split) -> where.append(where.isEmpty() ? "" : ", ")
                .append("partition ")
                .append(partition.partition())
                .append(" was to continue at ")
                .append(split.getStartingOffset() < 0 ? "its beginning" : "offset " + split.getStartingOffset())
                .append(" and has offsets ")
                .append(begins.get(partition))
                .append(" to ")
                .append(ends.get(partition))
                .append(" now"));
        TopicIds.Found found = topics.getOrDefault(one.getTopic(), TopicIds.Found.NOTHING);
        return MissingOffsetsException.anew(
                found.madeAnew(one.getTopic(), TopicSplit.topicIdOf(one)), where.toString());
    }

    /** Somebody's task for this thread does not end the question. */
    private static <T> T untilAnswered(Supplier<T> question) {
        while (true) {
            try {
                return question.get();
            } catch (WakeupException e) {
                LOG.debug("Woken while asking for offsets", e);
            }
        }
    }

    private void commit() {
        Map<TopicPartition, OffsetAndMetadata> offsets = toCommit.getAndSet(null);
        if (offsets != null && !offsets.isEmpty()) {
            consumer.commitAsync(offsets, (committed, failure) -> {
                if (failure instanceof RetriableCommitFailedException) {
                    // With the next fetch, unless a newer checkpoint has completed by then.
                    toCommit.compareAndSet(null, committed);
                } else if (failure != null) {
                    // Offsets in Kafka are for onlookers; the job continues at its own state.
                    failedCommits.incrementAndGet();
                    LOG.warn("Reporting the offsets {} to Kafka failed", committed, failure);
                }
            });
        }
    }

    private void measureLag() {
        long sum = 0;
        for (TopicPartition partition : consumer.assignment()) {
            OptionalLong behind = consumer.currentLag(partition);
            sum += behind.isPresent() ? behind.getAsLong() : 0;
        }
        lag = sum;
    }

    /** Records behind the ends of the partitions, as far as the consumer knows. Any thread. */
    long lag() {
        return lag;
    }

    /** How often offsets could not be reported. Any thread. */
    long failedCommits() {
        return failedCommits.get();
    }

    /** How many partitions wait for a schema. Any thread. */
    int awaitingSchema() {
        return awaitingSchemaCount;
    }

    /** How often the schema registry did not answer. Any thread. */
    long failedSchemaRequests() {
        return gate == null ? 0 : gate.failures();
    }

    /** Has offsets reported to Kafka with the next fetch. Any thread. */
    void commitLater(Map<TopicPartition, OffsetAndMetadata> offsets) {
        toCommit.set(offsets);
    }

    @Override
    public void handleSplitsChanges(SplitsChange<KafkaPartitionSplit> change) {
        toBeTold.addAll(change.splits());
        read(List.copyOf(toBeTold));
    }

    /** Begins to read these splits, once it is known that they are of the topics that they were of. */
    private void read(List<KafkaPartitionSplit> splits) {
        Set<TopicPartition> anew;
        try {
            anew = madeAnew(splits);
        } catch (TopicIds.UnansweredException e) {
            // Kafka is away: its other users wait for it, too.
            LOG.warn("{}. It will be looked up again", e.getMessage());
            lookUpAgainAtMillis = clock.millis() + PAUSE_AFTER_NO_ANSWER_MILLIS;
            return;
        }
        toBeTold.clear();
        Set<TopicPartition> all = new HashSet<>(consumer.assignment());
        List<TopicPartition> fromBeginning = new ArrayList<>();
        List<TopicPartition> fromEnd = new ArrayList<>();
        Map<TopicPartition, Long> fromOffset = new HashMap<>();
        for (KafkaPartitionSplit split : splits) {
            TopicPartition partition = split.getTopicPartition();
            all.add(partition);
            endUnknown.add(partition);
            long start = split.getStartingOffset();
            if (start == KafkaPartitionSplit.EARLIEST_OFFSET || anew.contains(partition)) {
                fromBeginning.add(partition);
            } else if (start == KafkaPartitionSplit.LATEST_OFFSET) {
                fromEnd.add(partition);
            } else if (start >= 0) {
                fromOffset.put(partition, start);
            } else {
                throw new IllegalArgumentException("Starting offset " + start + " of " + partition
                        + " is not supported; start at the earliest, the latest or a given offset");
            }
            split.getStoppingOffset().ifPresent(stop -> stoppingOffsets.put(partition, stop));
        }
        consumer.assign(all);
        // Kafka takes an empty list for all partitions: those that are being read would begin again.
        if (!fromBeginning.isEmpty()) {
            consumer.seekToBeginning(fromBeginning);
        }
        if (!fromEnd.isEmpty()) {
            consumer.seekToEnd(fromEnd);
        }
        fromOffset.forEach(consumer::seek);
        nextMarksAtMillis = 0;
    }

    @Override
    public void pauseOrResumeSplits(Collection<KafkaPartitionSplit> toPause, Collection<KafkaPartitionSplit> toResume) {
        for (KafkaPartitionSplit split : toResume) {
            pausedFromOutside.remove(split.getTopicPartition());
            if (!awaitingSchema.contains(split.getTopicPartition())) {
                consumer.resume(List.of(split.getTopicPartition()));
            }
        }
        for (KafkaPartitionSplit split : toPause) {
            pausedFromOutside.add(split.getTopicPartition());
            consumer.pause(List.of(split.getTopicPartition()));
        }
    }

    @Override
    public void wakeUp() {
        consumer.wakeup();
    }

    @Override
    public void close() {
        consumer.close(ASK);
    }
}
