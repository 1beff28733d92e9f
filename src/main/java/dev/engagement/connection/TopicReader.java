package dev.engagement.connection;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;

/**
 * Reads topics from offsets to ends, for commands that end: committed records alone, without a group, and never from an
 * offset that nobody named. What retention takes while it is read is passed over; an offset that a topic has not come to, and
 * a broker that sends nothing for {@link #STANDSTILL}, are errors. Blocking; for one thread.
 *
 * <pre>{@code
 * try (TopicReader reader = TopicReader.open(kafka)) {
 *     Map<TopicPartition, Long> ends = reader.read("topic", Map.of(), Map.of(), record -> count(record));
 *     reader.read("topic", ends, Map.of(), record -> count(record)); // what has come since
 * }
 * }</pre>
 */
public final class TopicReader implements AutoCloseable {

    /** How long a broker may send nothing while there is something to be sent. */
    public static final Duration STANDSTILL = Duration.ofMinutes(1);

    private static final Duration API_TIMEOUT = Duration.ofSeconds(30);
    private static final Duration POLL = Duration.ofMillis(200);
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);

    /** Reading over so many records is faster than asking Kafka anew. */
    private static final long WORTH_A_SEEK = 2_000;

    private final KafkaConnection kafka;
    private final Supplier<Consumer<byte[], byte[]>> connect;
    private final LongSupplier nanoTime;
    private @Nullable Consumer<byte[], byte[]> connected;
    private @Nullable Admin admin;

    TopicReader(KafkaConnection kafka, Supplier<Consumer<byte[], byte[]>> connect, LongSupplier nanoTime) {
        this.kafka = kafka;
        this.connect = connect;
        this.nanoTime = nanoTime;
    }

    /** Connects when it is first asked. */
    public static TopicReader open(KafkaConnection kafka) {
        return open(kafka, Map.of());
    }

    /**
     * As {@link #open(KafkaConnection)}.
     *
     * @param tuning sizes of fetches and polls, by the consumer's names; the connection's own properties come before them
     */
    public static TopicReader open(KafkaConnection kafka, Map<String, String> tuning) {
        Properties properties = new Properties();
        properties.putAll(tuning);
        properties.putAll(kafka.clientProperties());
        properties.setProperty("isolation.level", "read_committed");
        properties.setProperty("enable.auto.commit", "false");
        properties.setProperty("auto.offset.reset", "none");
        properties.setProperty("allow.auto.create.topics", "false");
        properties.setProperty("default.api.timeout.ms", Long.toString(API_TIMEOUT.toMillis()));
        // A fetch at the end of a partition, ahead of need, holds up whatever is asked next on its connection.
        properties.setProperty("fetch.max.wait.ms", "20");
        return new TopicReader(
                kafka,
                () -> new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer()),
                System::nanoTime);
    }

    private Consumer<byte[], byte[]> consumer() {
        Consumer<byte[], byte[]> consumer = connected;
        if (consumer == null) {
            consumer = connect.get();
            connected = consumer;
        }
        return consumer;
    }

    /**
     * Takes a record.
     *
     * @param <E> what it throws
     */
    @FunctionalInterface
    public interface Each<E extends Exception> {
        void take(ConsumerRecord<byte[], byte[]> record) throws E;
    }

    /**
     * Takes a record that was asked for by its offset.
     *
     * @param <E> what it throws
     */
    @FunctionalInterface
    public interface Wanted<E extends Exception> {
        /**
         * Takes it.
         *
         * @param record null if there is none at that offset, any more or at all
         * @return whether the next one is wanted
         */
        boolean take(long offset, @Nullable ConsumerRecord<byte[], byte[]> record) throws E;
    }

    /** A topic's partitions; none if there is no such topic. */
    public List<TopicPartition> partitions(String topic) throws IOException {
        return asking(topic, () -> consumer().partitionsFor(topic).stream()
                .map(partition -> new TopicPartition(topic, partition.partition()))
                .toList());
    }

    /** The first offset that each partition still has. */
    public Map<TopicPartition, Long> beginnings(String topic) throws IOException {
        List<TopicPartition> partitions = partitions(topic);
        return asking(topic, () -> consumer().beginningOffsets(partitions));
    }

    /** The end that each partition has now, in committed records. */
    public Map<TopicPartition, Long> ends(String topic) throws IOException {
        List<TopicPartition> partitions = partitions(topic);
        return asking(topic, () -> consumer().endOffsets(partitions));
    }

    /**
     * For each partition the first offset whose record is of that time or later; its end if there is none.
     *
     * @param millis since the epoch, by the records' own timestamps
     */
    public Map<TopicPartition, Long> since(String topic, long millis) throws IOException {
        Map<TopicPartition, Long> offsets = new HashMap<>(ends(topic));
        Map<TopicPartition, Long> times = new HashMap<>();
        offsets.keySet().forEach(partition -> times.put(partition, millis));
        Map<TopicPartition, OffsetAndTimestamp> found =
                asking(topic, () -> consumer().offsetsForTimes(times));
        found.forEach((partition, at) -> {
            if (at != null) {
                offsets.put(partition, at.offset());
            }
        });
        return offsets;
    }

    /**
     * Reads a topic; of one that does not exist there is nothing to be read.
     *
     * @param from where to begin, by partition; those that are not in it, or whose records are gone, at their first record
     * @param to where to end, by partition, not included; those that are not in it at the end that they have now
     * @return where it ended, which is where to go on
     * @throws IOException if Kafka does not answer, or sends nothing for {@link #STANDSTILL}
     */
    public <E extends Exception> Map<TopicPartition, Long> read(
            String topic, Map<TopicPartition, Long> from, Map<TopicPartition, Long> to, Each<E> each)
            throws IOException, E {
        List<TopicPartition> partitions = partitions(topic);
        Map<TopicPartition, Long> ends =
                new HashMap<>(asking(topic, () -> consumer().endOffsets(partitions)));
        ends.putAll(to);
        ends.keySet().retainAll(partitions);
        // An end may fall back for a moment when a partition's leader changes; nothing is read twice for that.
        ends.replaceAll(
                (partition, end) -> Math.max(end, to.containsKey(partition) ? end : from.getOrDefault(partition, end)));
        asking(topic, () -> {
            consumer().assign(partitions);
            consumer().seekToBeginning(partitions);
            partitions.stream().filter(from::containsKey).forEach(partition -> consumer()
                    .seek(partition, from.get(partition)));
            return partitions;
        });
        Standstill standstill = new Standstill(topic);
        long passed = -1;
        while (true) {
            // One after the other runs dry; what stands behind an end is not fetched.
            List<TopicPartition> open = asking(topic, () -> {
                List<TopicPartition> left = partitions.stream()
                        .filter(partition -> consumer().position(partition) < ends.get(partition))
                        .toList();
                consumer().pause(partitions);
                consumer().resume(left);
                return left;
            });
            if (open.isEmpty()) {
                return ends;
            }
            long passes = asking(
                    topic,
                    () -> partitions.stream().mapToLong(consumer()::position).sum());
            if (passes != passed) {
                // Also over records of transactions that were given up, of which none comes.
                passed = passes;
                standstill.over();
            }
            for (ConsumerRecord<byte[], byte[]> record : poll(topic)) {
                if (record.offset() < ends.get(new TopicPartition(topic, record.partition()))) {
                    each.take(record);
                }
                standstill.over();
            }
            standstill.check();
        }
    }

    /**
     * Reads single records of a partition.
     *
     * @param offsets in ascending order
     * @return whether all were taken, and not given up by {@code each}
     * @throws IOException if Kafka does not answer, or sends nothing for {@link #STANDSTILL}
     */
    public <E extends Exception> boolean readAt(TopicPartition partition, List<Long> offsets, Wanted<E> each)
            throws IOException, E {
        String topic = partition.topic();
        long end = 0;
        if (!offsets.isEmpty() && partitions(topic).contains(partition)) {
            end = asking(topic, () -> {
                List<TopicPartition> one = List.of(partition);
                consumer().assign(one);
                // Of a partition that was assigned before, Kafka remembers that it was paused.
                consumer().resume(one);
                long first = consumer().beginningOffsets(one).get(partition);
                consumer().seek(partition, Math.max(first, offsets.get(0)));
                return consumer().endOffsets(one).get(partition);
            });
        }
        int at = 0;
        Standstill standstill = new Standstill(topic);
        while (at < offsets.size() && offsets.get(at) < end) {
            long wanted = offsets.get(at);
            long position = asking(topic, () -> {
                if (wanted - consumer().position(partition) > WORTH_A_SEEK) {
                    consumer().seek(partition, wanted);
                }
                return consumer().position(partition);
            });
            if (position > wanted) {
                at++;
                if (!each.take(wanted, null)) {
                    return false;
                }
                standstill.over();
                continue;
            }
            for (ConsumerRecord<byte[], byte[]> record : poll(topic)) {
                while (at < offsets.size() && offsets.get(at) <= record.offset()) {
                    long next = offsets.get(at++);
                    if (!each.take(next, next == record.offset() ? record : null)) {
                        return false;
                    }
                }
                // Behind what was made of it: that may take longer than a broker is waited for.
                standstill.over();
            }
            standstill.check();
        }
        for (; at < offsets.size(); at++) {
            if (!each.take(offsets.get(at), null)) {
                return false;
            }
        }
        return true;
    }

    /**
     * One record.
     *
     * @return null if there is none at that offset, any more or at all
     */
    public @Nullable ConsumerRecord<byte[], byte[]> at(String topic, int partition, long offset) throws IOException {
        List<ConsumerRecord<byte[], byte[]>> found = new ArrayList<>(1);
        boolean unused =
                this.<RuntimeException>readAt(new TopicPartition(topic, partition), List.of(offset), (any, record) -> {
                    if (record != null) {
                        found.add(record);
                    }
                    return true;
                });
        return found.isEmpty() ? null : found.get(0);
    }

    /** What a group has committed; nothing of partitions of which it has committed nothing. */
    public Map<TopicPartition, Long> committed(String group) throws IOException {
        try {
            Admin asked = admin;
            if (asked == null) {
                asked = Admin.create(kafka.clientProperties());
                admin = asked;
            }
            Map<TopicPartition, Long> committed = new HashMap<>();
            asked.listConsumerGroupOffsets(group)
                    .partitionsToOffsetAndMetadata()
                    .get(API_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
                    .forEach((partition, offset) -> {
                        if (offset != null) {
                            committed.put(partition, offset.offset());
                        }
                    });
            return committed;
        } catch (ExecutionException | TimeoutException | KafkaException e) {
            throw unreachable("the offsets of the group " + group + " are", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw unreachable("the offsets of the group " + group + " are", e);
        }
    }

    private ConsumerRecords<byte[], byte[]> poll(String topic) throws IOException {
        return asking(topic, () -> {
            try {
                return consumer().poll(POLL);
            } catch (OffsetOutOfRangeException e) {
                passOver(e);
                return ConsumerRecords.empty();
            }
        });
    }

    /** What was to be read next is gone: its retention has passed, or somebody deleted it. */
    private void passOver(OffsetOutOfRangeException e) {
        Map<TopicPartition, Long> first = consumer().beginningOffsets(e.partitions());
        e.offsetOutOfRangePartitions().forEach((partition, offset) -> {
            if (first.get(partition) <= offset) {
                throw e;
            }
            consumer().seek(partition, first.get(partition));
        });
    }

    /** A broker that is gone does not make a consumer fail: it waits for it. */
    private final class Standstill {

        private final String topic;
        private long since = nanoTime.getAsLong();

        Standstill(String topic) {
            this.topic = topic;
        }

        /** Something came. */
        void over() {
            since = nanoTime.getAsLong();
        }

        void check() throws IOException {
            if (nanoTime.getAsLong() - since > STANDSTILL.toNanos()) {
                throw new IOException("Kafka at " + kafka.bootstrapServers() + " sends no more records of " + topic
                        + " for " + STANDSTILL.toSeconds() + " s, and has not come to its end");
            }
        }
    }

    /** Asks Kafka. */
    @FunctionalInterface
    private interface Question<T> {
        T ask();
    }

    private <T> T asking(String topic, Question<T> question) throws IOException {
        try {
            return question.ask();
        } catch (KafkaException e) {
            throw unreachable("the topic " + topic + " holds", e);
        }
    }

    private IOException unreachable(String what, Exception e) {
        Throwable cause = e instanceof ExecutionException && e.getCause() != null ? e.getCause() : e;
        return new IOException(
                "Kafka at " + kafka.bootstrapServers() + " does not answer what " + what + " ("
                        + cause.getClass().getSimpleName() + ": " + cause.getMessage()
                        + "). Check kafka.bootstrap-servers, and that this client may read it",
                cause);
    }

    @Override
    public void close() {
        if (connected != null) {
            connected.close(CLOSE_TIMEOUT);
        }
        if (admin != null) {
            admin.close(CLOSE_TIMEOUT);
        }
    }
}
