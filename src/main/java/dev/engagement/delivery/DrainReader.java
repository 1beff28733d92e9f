package dev.engagement.delivery;

import dev.engagement.connection.topics.MissingOffsetsException;
import dev.engagement.connection.topics.TopicIds;
import dev.engagement.event.EventId;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.connector.source.ReaderOutput;
import org.apache.flink.api.connector.source.SourceEvent;
import org.apache.flink.api.connector.source.SourceOutput;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.flink.core.io.InputStatus;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.ThreadSafeSimpleCounter;
import org.apache.flink.runtime.execution.SuppressRestartsException;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The reader of the drain: takes records of the retry topic as its courier may take them, and emits what becomes of them.
 * The records come from Flink's own reader of Kafka, one at a time and never more than one ahead.
 *
 * <p>Between two calls everything that was read and not emitted is unfinished, so a checkpoint holds it, partition by
 * partition: the courier's, the one that was read ahead, and what a restore brought and that was not tried again yet.
 */
final class DrainReader implements SourceReader<Drained, KafkaPartitionSplit> {

    private static final Logger LOG = LoggerFactory.getLogger(DrainReader.class);

    /** The longest time without looking around: alarms that ring later would keep an ended task in memory. */
    private static final Duration LONGEST_REST = Duration.ofSeconds(1);

    private final SourceReader<RetryTopicEntry, KafkaPartitionSplit> topic;
    private final Topic named;

    private final RetryRetention retention;

    /** Not read before the topic is known to be the one that they are of, and where it begins. */
    private final List<KafkaPartitionSplit> toBeTold = new ArrayList<>();

    /** Those of them that are asked about. */
    private List<KafkaPartitionSplit> asked = List.of();

    private @Nullable CompletableFuture<Known> lookUp;
    private boolean noMoreSplits;
    private final Map<Integer, Uuid> topicIds = new HashMap<>();
    private final DeliveryPlan plan;
    private final Clock clock;
    private final Alarm alarm;
    private final Courier courier;
    private final Emitted emitted = new Emitted();
    private final Read read = new Read();
    private final Counter drained;

    /** Restored and not tried again yet. */
    private final Deque<RetryTopicEntry.Good> restored = new ArrayDeque<>();

    /** Read ahead: of a record that may not be posted yet the age is known. */
    private @Nullable RetryTopicEntry next;

    private volatile CompletableFuture<Void> wake = new CompletableFuture<>();
    private @Nullable CompletableFuture<Void> awaitedTopic;

    /** When the alarm rings; long ago if none is set. */
    private volatile long ringsMillis = Long.MIN_VALUE;

    private volatile long oldestSinceMillis = Long.MAX_VALUE;
    private long oldestLookedUpMillis;

    /**
     * Which topic is drained.
     *
     * @param name its name
     * @param lookUp asks what is known of it, on a thread of its own, with the offsets to go on at by partition
     * @param acceptGap whether to go on where the topic begins if it was made anew
     */
    record Topic(String name, Function<Map<Integer, Long>, CompletableFuture<Known>> lookUp, boolean acceptGap) {}

    /**
     * What is known of a topic.
     *
     * @param topic the topic itself
     * @param begins where to go on in those partitions in which what comes next was done with and deleted
     */
    record Known(TopicIds.Found topic, Map<Integer, Long> begins) {}

    /** Makes what deletes from the topic, around two counters. */
    @FunctionalInterface
    interface Retention {
        RetryRetention of(Counter deleted, Counter failed);
    }

    /** Wakes after a time, on any thread. */
    @FunctionalInterface
    interface Alarm {
        /** Runs {@code ring} after so many milliseconds. */
        void set(long delayMillis, Runnable ring);
    }

    DrainReader(
            SourceReader<RetryTopicEntry, KafkaPartitionSplit> topic,
            Topic named,
            Retention retention,
            DeliveryPlan plan,
            double rate,
            HttpSender sender,
            Clock clock,
            Alarm alarm,
            MetricGroup metrics) {
        this.topic = topic;
        this.named = named;
        this.plan = plan;
        this.clock = clock;
        this.alarm = alarm;
        courier = new Courier(
                Courier.Path.DRAIN,
                plan.rules(),
                rate,
                sender,
                clock,
                () -> ThreadLocalRandom.current().nextDouble(),
                emitted,
                this::wakeUp,
                new DeliveryMetrics(metrics),
                new UnansweredLog(plan.receiver(), LOG::warn));
        drained = metrics.counter("drained");
        this.retention = retention.of(
                metrics.counter("retryDeleted", new ThreadSafeSimpleCounter()),
                metrics.counter("retryDeletionsFailed", new ThreadSafeSimpleCounter()));
        Gauge<Long> backlogAge = () -> {
            long oldest = oldestSinceMillis;
            return oldest == Long.MAX_VALUE ? 0L : Math.max(0, clock.millis() - oldest);
        };
        metrics.gauge("backlogAgeMillis", backlogAge);
    }

    @Override
    public void start() {
        topic.start();
    }

    @Override
    public InputStatus pollNext(ReaderOutput<Drained> output) throws Exception {
        emitted.to = output;
        readToldSplits();
        courier.settle();
        for (RetryTopicEntry.Good again = restored.poll(); again != null; again = restored.poll()) {
            courier.offer(again.delivery(), again.partition());
        }
        if (next == null) {
            readNext();
        }
        boolean took = false;
        if (next instanceof RetryTopicEntry.Bad unreadable) {
            output.collect(new Drained.Given(unreadable.letter()));
            took = true;
        } else if (next instanceof RetryTopicEntry.Good readable && courier.mayTake(readable.delivery())) {
            courier.offer(readable.delivery(), readable.partition());
            took = true;
        }
        if (took) {
            next = null;
        }
        lookUpOldest(took);
        return took ? InputStatus.MORE_AVAILABLE : InputStatus.NOTHING_AVAILABLE;
    }

    private void readNext() throws Exception {
        try {
            topic.pollNext(read);
        } catch (Exception e) {
            throw explained(e);
        }
    }

    /** A record that is gone is an error to be explained, not a reason to go on elsewhere. */
    private static Exception explained(Exception failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof OffsetOutOfRangeException gone) {
                // The drain itself deletes only what its checkpoints have passed, and its group does not say so of
                // these.
                SuppressRestartsException explained =
                        MissingOffsetsException.forGood(gone.offsetOutOfRangePartitions().entrySet().stream()
                                .map(each -> MissingOffsetsException.gone(each.getKey(), each.getValue()))
                                .collect(Collectors.joining("; ")));
                explained.addSuppressed(failure);
                return explained;
            }
        }
        return failure;
    }

    /** Once a second, and when there was none: it looks at all that is unfinished. */
    private void lookUpOldest(boolean took) {
        long now = clock.millis();
        boolean fresh = Math.abs(now - oldestLookedUpMillis) < LONGEST_REST.toMillis();
        if (fresh && !(took && oldestSinceMillis == Long.MAX_VALUE)) {
            return;
        }
        oldestLookedUpMillis = now;
        Oldest oldest = new Oldest();
        courier.unfinished((delivery, partition) -> oldest.see(delivery));
        if (next instanceof RetryTopicEntry.Good readable) {
            oldest.see(readable.delivery());
        }
        oldestSinceMillis = oldest.sinceMillis;
    }

    private static final class Oldest {
        private long sinceMillis = Long.MAX_VALUE;

        void see(Delivery delivery) {
            sinceMillis = Math.min(sinceMillis, delivery.sinceMillis());
        }
    }

    /** Done when an answer has come, a record has, or the time for something. */
    @Override
    public CompletableFuture<Void> isAvailable() {
        // The same one until it is done: Flink waits for the first that it was given, and for none given meanwhile.
        CompletableFuture<Void> fresh = wake;
        if (fresh.isDone()) {
            fresh = new CompletableFuture<>();
            wake = fresh;
        }
        // An answer from now on completes it; who came before is seen here.
        if (courier.hasAnswers()) {
            fresh.complete(null);
            return fresh;
        }
        if (next == null) {
            CompletableFuture<Void> record = topic.isAvailable();
            if (record.isDone()) {
                fresh.complete(null);
                return fresh;
            }
            if (record != awaitedTopic) {
                awaitedTopic = record;
                CompletableFuture<Void> unused = record.thenRun(this::wakeUp);
            }
        }
        long now = clock.millis();
        long delay = Math.min(courier.millisToNext(next != null), LONGEST_REST.toMillis());
        if (ringsMillis <= now || now + delay < ringsMillis) {
            long at = now + delay;
            ringsMillis = at;
            alarm.set(delay, () -> ring(at));
        }
        return fresh;
    }

    /** On any thread. One that was set for later still wakes, and is not set again. */
    private void ring(long setForMillis) {
        if (ringsMillis == setForMillis) {
            ringsMillis = Long.MIN_VALUE;
        }
        wakeUp();
    }

    /** On any thread. */
    private void wakeUp() {
        wake.complete(null);
    }

    @Override
    public List<KafkaPartitionSplit> snapshotState(long checkpointId) {
        Map<Integer, List<Delivery>> unfinished = new HashMap<>();
        courier.unfinished((delivery, partition) -> add(unfinished, partition, delivery));
        if (next instanceof RetryTopicEntry.Good readable) {
            add(unfinished, readable.partition(), readable.delivery());
        }
        for (RetryTopicEntry.Good again : restored) {
            add(unfinished, again.partition(), again.delivery());
        }
        List<KafkaPartitionSplit> splits = new ArrayList<>();
        RetryRetention.Checkpoint checkpoint = retention.checkpoint(checkpointId);
        for (KafkaPartitionSplit split : topic.snapshotState(checkpointId)) {
            checkpoint.holds(split.getPartition(), split.getStartingOffset(), ids(unfinished, split.getPartition()));
            splits.add(new DrainSplit(
                    split,
                    unfinished.getOrDefault(split.getPartition(), List.of()),
                    topicIds.getOrDefault(split.getPartition(), TopicIds.UNKNOWN)));
        }
        for (KafkaPartitionSplit split : toBeTold) {
            splits.add(new DrainSplit(
                    split, unfinished.getOrDefault(split.getPartition(), List.of()), DrainSplit.topicIdOf(split)));
        }
        return splits;
    }

    private static Set<EventId> ids(Map<Integer, List<Delivery>> unfinished, int partition) {
        return unfinished.getOrDefault(partition, List.of()).stream()
                .map(Delivery::eventId)
                .collect(Collectors.toSet());
    }

    private static void add(Map<Integer, List<Delivery>> unfinished, int partition, Delivery delivery) {
        unfinished.computeIfAbsent(partition, any -> new ArrayList<>()).add(delivery);
    }

    @Override
    public void addSplits(List<KafkaPartitionSplit> splits) {
        toBeTold.addAll(splits);
        for (KafkaPartitionSplit split : splits) {
            if (split instanceof DrainSplit drain) {
                for (Delivery delivery : drain.unfinished()) {
                    restored.add(new RetryTopicEntry.Good(delivery, split.getPartition()));
                }
            }
        }
        if (lookUp == null) {
            lookUp();
        }
        readToldSplits();
        wakeUp();
    }

    private void lookUp() {
        asked = List.copyOf(toBeTold);
        Map<Integer, Long> positions = new HashMap<>();
        for (KafkaPartitionSplit split : asked) {
            if (split.getStartingOffset() >= 0) {
                positions.put(split.getPartition(), split.getStartingOffset());
            }
        }
        CompletableFuture<Known> answer = named.lookUp().apply(positions);
        lookUp = answer;
        CompletableFuture<Void> unused =
                answer.handle((topic, failure) -> failure).thenAccept(failure -> wakeUp());
    }

    /** Hands the splits on once the topic's id is known. */
    private void readToldSplits() {
        CompletableFuture<Known> answer = lookUp;
        if (answer == null || !answer.isDone()) {
            return;
        }
        lookUp = null;
        Known known;
        try {
            known = answer.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof TopicIds.UnansweredException) {
                // Kafka is away. Asking has taken its time: there is nothing to wait for before it is asked again.
                LOG.warn("{}. It will be looked up again", e.getCause().getMessage());
                lookUp();
                return;
            }
            throw e;
        }
        TopicIds.Found found = known.topic();
        Uuid is = found.id();
        List<KafkaPartitionSplit> partitions = new ArrayList<>();
        for (KafkaPartitionSplit split : asked) {
            Uuid was = DrainSplit.topicIdOf(split);
            boolean anew = found.isOtherThan(was);
            if (anew) {
                onTopicMadeAnew(split, was, found);
            }
            topicIds.put(split.getPartition(), is.equals(TopicIds.UNKNOWN) ? was : is);
            partitions.add(new KafkaPartitionSplit(
                    new TopicPartition(split.getTopic(), split.getPartition()),
                    anew ? KafkaPartitionSplit.EARLIEST_OFFSET : start(split, known),
                    split.getStoppingOffset().orElse(KafkaPartitionSplit.NO_STOPPING_OFFSET)));
        }
        toBeTold.removeAll(asked);
        asked = List.of();
        topic.addSplits(partitions);
        if (!toBeTold.isEmpty()) {
            // They came while the others were asked about.
            lookUp();
        } else if (noMoreSplits) {
            topic.notifyNoMoreSplits();
        }
    }

    private static long start(KafkaPartitionSplit split, Known known) {
        Long beginning = known.begins().get(split.getPartition());
        if (beginning == null) {
            return split.getStartingOffset();
        }
        LOG.info(
                "The drain goes on at offset {} of {}, where it begins, and not at {}: a later checkpoint than the restored"
                        + " one had passed what is below, and it was deleted after delivery.retry-retention",
                beginning,
                split.getTopicPartition(),
                split.getStartingOffset());
        return beginning;
    }

    private void onTopicMadeAnew(KafkaPartitionSplit split, Uuid was, TopicIds.Found is) {
        String gone = is.without(new TopicPartition(named.name(), split.getPartition()), "was being drained");
        if (gone != null) {
            throw MissingOffsetsException.forGood(gone);
        }
        MissingOffsetsException.requireAccepted(
                named.acceptGap(),
                MissingOffsetsException.anew(
                        is.madeAnew(named.name(), was),
                        "partition " + split.getPartition() + " was to continue at offset "
                                + split.getStartingOffset()));
    }

    @Override
    public void notifyNoMoreSplits() {
        noMoreSplits = true;
        if (toBeTold.isEmpty()) {
            topic.notifyNoMoreSplits();
        }
    }

    @Override
    public void handleSourceEvents(SourceEvent event) {
        topic.handleSourceEvents(event);
    }

    @Override
    public void notifyCheckpointComplete(long checkpointId) throws Exception {
        topic.notifyCheckpointComplete(checkpointId);
        retention.completed(checkpointId, topicId());
    }

    /** Of all that is read; unknown also if partitions differ in it. */
    private Uuid topicId() {
        Set<Uuid> ids = new HashSet<>(topicIds.values());
        return ids.size() == 1 ? ids.iterator().next() : TopicIds.UNKNOWN;
    }

    @Override
    public void close() throws Exception {
        courier.close();
        topic.close();
    }

    /** Emits outcomes: the courier tells of them only from within a poll. */
    private final class Emitted implements Courier.Outcomes {

        private @Nullable ReaderOutput<Drained> to;

        @Override
        public void delivered(Delivery delivery, int status) {
            drained.inc();
            if (plan.receipts()) {
                emit(new Drained.Taken(new Receipt(delivery.eventId(), clock.millis(), status)));
            }
        }

        @Override
        public void handBack(Delivery delivery) {
            emit(new Drained.HandedBack(delivery));
        }

        @Override
        public void undeliverable(Delivery delivery, String error) {
            drained.inc();
            emit(new Drained.Given(DeliveryLetters.undeliverable(delivery, error, plan.eventsTopic(), clock.millis())));
        }

        private void emit(Drained one) {
            ReaderOutput<Drained> output = to;
            if (output == null) {
                throw new IllegalStateException("An outcome outside of a poll would be lost: " + one);
            }
            output.collect(one);
        }
    }

    /** Where Flink's reader puts the record that it reads. */
    private final class Read implements ReaderOutput<RetryTopicEntry> {

        @Override
        public void collect(RetryTopicEntry record) {
            if (next != null) {
                throw new IllegalStateException("Kafka's reader emitted two records in a poll");
            }
            next = record;
        }

        @Override
        public void collect(RetryTopicEntry record, long timestamp) {
            collect(record);
        }

        @Override
        public SourceOutput<RetryTopicEntry> createOutputForSplit(String splitId) {
            return this;
        }

        @Override
        public void releaseOutputForSplit(String splitId) {
            // One output for all.
        }

        @Override
        public void emitWatermark(Watermark watermark) {
            // Nothing behind the drain looks at event time.
        }

        @Override
        public void markIdle() {
            // As above.
        }

        @Override
        public void markActive() {
            // As above.
        }
    }
}
