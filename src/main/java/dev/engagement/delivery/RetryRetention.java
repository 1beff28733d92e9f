package dev.engagement.delivery;

import dev.engagement.connection.topics.TopicIds;
import dev.engagement.event.EventId;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.apache.flink.metrics.Counter;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.AuthorizationException;

/**
 * Deletes from the retry topic what is done with: nothing else does, and a start without state posts all that is there.
 *
 * <p><b>What.</b> In each partition the records below the lowest of three offsets:
 *
 * <ul>
 *   <li>below it everything is done. A checkpoint that has completed holds the position; what was before the position and
 *       unfinished in an earlier checkpoint is not unfinished in this one: it is at the receiver, a dead letter, or further
 *       back in the topic. So a restore of any older state misses nothing by what is deleted;
 *   <li>the offset that the drain has committed to its consumer group, which is how a restore knows that a checkpoint has
 *       passed what is no longer there ({@link #beginnings});
 *   <li>the first record that is younger than {@code delivery.retry-retention}, by its own timestamp, for people to look at.
 * </ul>
 *
 * An audit asks the topic for what waits, at or above the committed offset, and for what the drain holds, which is not done
 * with: both are there whatever the retention, and it needs no more, of whatever range.
 *
 * <p>Only offsets are compared, so that the gaps that transactions leave do not matter; and nothing is deleted of a topic that
 * is another one than the positions are of.
 *
 * <p><b>Who, and when.</b> Each reader of the drain for the partitions that it reads, after a checkpoint has completed, on
 * another thread, every {@link #LONGEST_INTERVAL} at most. A checkpoint and the task never wait for it, and at most one run is
 * on its way. Nothing about it is in state: after a crash, a restore or a rescaling the next checkpoints find out again,
 * and deleting twice is deleting once. A crash in between has deleted too little.
 *
 * <p><b>What goes wrong.</b> Without the right to delete, or to see the group, nothing is deleted: that is said once, counted,
 * and tried again. So is Kafka that is away, or a topic that is gone, which the reader itself finds out.
 *
 * <p><b>More than one job.</b> A retry topic is of one job. One under another consumer group that reads it as well would find
 * records gone that it has not read, and stop.
 *
 * <p>Methods but those that run on the executor are called on one thread.
 */
final class RetryRetention {

    /** Between two runs; less if the retention itself is short. */
    static final Duration LONGEST_INTERVAL = Duration.ofMinutes(5);

    private static final int RUNS_IN_A_RETENTION = 10;

    private final RetryLog.Factory log;
    private final Duration retention;
    private final Clock clock;
    private final Executor executor;
    private final Counter deleted;
    private final Counter failed;
    private final Consumer<String> warnings;

    private final Map<Integer, Candidate> candidates = new HashMap<>();
    private final Map<Integer, Long> done = new HashMap<>();
    private final NavigableMap<Long, Map<Integer, Long>> byCheckpoint = new TreeMap<>();
    private final AtomicBoolean running = new AtomicBoolean();
    private long notBeforeMillis = Long.MIN_VALUE;

    /** Of the executor's thread. */
    private volatile String lastWarning = "";

    /** A position, and the ids before it that are not done with yet. */
    private record Candidate(long position, Set<EventId> open) {}

    /**
     * @param deleted counts records, on any thread
     * @param failed counts runs, on any thread
     * @param warnings takes each that is not the same as the one before it, on any thread
     */
    RetryRetention(
            RetryLog.Factory log,
            Duration retention,
            Clock clock,
            Executor executor,
            Counter deleted,
            Counter failed,
            Consumer<String> warnings) {
        this.log = log;
        this.retention = retention;
        this.clock = clock;
        this.executor = executor;
        this.deleted = deleted;
        this.failed = failed;
        this.warnings = warnings;
    }

    /** Begins to note down what a checkpoint holds. */
    Checkpoint checkpoint(long checkpointId) {
        Map<Integer, Long> doneThen = new HashMap<>();
        byCheckpoint.put(checkpointId, doneThen);
        return (partition, position, unfinished) -> {
            if (position < 0) {
                // Nothing was read of it yet.
                return;
            }
            Candidate candidate = candidates.get(partition);
            if (candidate != null) {
                candidate.open().retainAll(unfinished);
                if (candidate.open().isEmpty()) {
                    done.merge(partition, candidate.position(), Math::max);
                    candidate = null;
                }
            }
            if (candidate == null) {
                candidates.put(partition, new Candidate(position, new HashSet<>(unfinished)));
                if (unfinished.isEmpty()) {
                    done.merge(partition, position, Math::max);
                }
            }
            Long upTo = done.get(partition);
            if (upTo != null) {
                doneThen.put(partition, upTo);
            }
        };
    }

    /** Of one checkpoint. */
    @FunctionalInterface
    interface Checkpoint {

        /**
         * @param position the next offset to be read
         * @param unfinished ids of what was read before it and has no outcome
         */
        void holds(int partition, long position, Set<EventId> unfinished);
    }

    /** A checkpoint has completed; what is to be deleted is deleted elsewhere. */
    void completed(long checkpointId, Uuid topicId) {
        Map.Entry<Long, Map<Integer, Long>> newest = byCheckpoint.floorEntry(checkpointId);
        byCheckpoint.headMap(checkpointId, true).clear();
        if (newest == null || newest.getValue().isEmpty() || clock.millis() < notBeforeMillis) {
            return;
        }
        if (running.getAndSet(true)) {
            return;
        }
        long interval = Math.min(LONGEST_INTERVAL.toMillis(), retention.toMillis() / RUNS_IN_A_RETENTION);
        notBeforeMillis = clock.millis() + interval;
        executor.execute(() -> {
            try {
                run(newest.getValue(), topicId);
            } finally {
                running.set(false);
            }
        });
    }

    private void run(Map<Integer, Long> doneBelow, Uuid topicId) {
        try (RetryLog opened = log.open()) {
            if (!opened.id().equals(topicId)) {
                // Another topic than was read, or one that was not known: the reader finds out.
                return;
            }
            Map<Integer, Long> committed = opened.committed();
            Map<Integer, Long> beginnings = opened.beginnings(doneBelow.keySet());
            Map<Integer, Long> young = opened.firstSince(doneBelow.keySet(), clock.millis() - retention.toMillis());
            Map<Integer, Long> below = new TreeMap<>();
            long records = 0;
            for (Map.Entry<Integer, Long> each : doneBelow.entrySet()) {
                int partition = each.getKey();
                long offset = Math.min(each.getValue(), committed.getOrDefault(partition, 0L));
                offset = Math.min(offset, young.getOrDefault(partition, Long.MAX_VALUE));
                long beginning = beginnings.getOrDefault(partition, Long.MAX_VALUE);
                if (offset > beginning) {
                    below.put(partition, offset);
                    records += offset - beginning;
                }
            }
            if (!below.isEmpty()) {
                opened.deleteBelow(below);
                deleted.inc(records);
            }
            lastWarning = "";
        } catch (AuthorizationException e) {
            warn(
                    "What is done with cannot be deleted from the retry topic (" + e.getMessage()
                            + "), which therefore grows. Allow this client DELETE on the topic, and DESCRIBE on its consumer group");
        } catch (RuntimeException e) {
            // Whatever it is, the next run may do better, and nobody else would hear of it.
            warn("What is done with could not be deleted from the retry topic, and will be tried again (" + e + ")");
        }
    }

    private void warn(String warning) {
        failed.inc();
        if (!warning.equals(lastWarning)) {
            lastWarning = warning;
            warnings.accept(warning);
        }
    }

    /**
     * Where a restored drain goes on in those partitions whose position is no longer there though a later checkpoint, of the
     * run that went on from the restored one at that time, had passed all that is not: at their beginning. Where nobody can
     * tell, nothing is said, and reading says what is missing. Blocks.
     *
     * @throws TopicIds.UnansweredException if Kafka does not answer
     */
    static Map<Integer, Long> beginnings(RetryLog.Factory log, Map<Integer, Long> positions) {
        Map<Integer, Long> begin = new TreeMap<>();
        if (positions.isEmpty()) {
            return begin;
        }
        try (RetryLog opened = log.open()) {
            opened.beginnings(positions.keySet()).forEach((partition, beginning) -> {
                if (positions.get(partition) < beginning) {
                    begin.put(partition, beginning);
                }
            });
            if (!begin.isEmpty()) {
                Map<Integer, Long> committed = opened.committed();
                begin.entrySet().removeIf(each -> committed.getOrDefault(each.getKey(), -1L) < each.getValue());
            }
        } catch (KafkaException e) {
            // May not be asked, or knows no such partition: the reader says so.
            begin.clear();
        }
        return begin;
    }
}
