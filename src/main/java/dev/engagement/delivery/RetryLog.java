package dev.engagement.delivery;

import dev.engagement.connection.KafkaConnection;
import dev.engagement.connection.topics.TopicIds;
import java.io.Serializable;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;

/**
 * What Kafka is asked about the partitions of the retry topic, and told. Each call blocks, for ten seconds at most.
 *
 * <p>All throw {@link TopicIds.UnansweredException} if no broker answers in time, and Kafka's own exception if one refuses.
 */
interface RetryLog extends AutoCloseable {

    /** The topic's id. */
    Uuid id();

    /** The first offset that there is, of each partition. */
    Map<Integer, Long> beginnings(Set<Integer> partitions);

    /** The first offset whose record is not older than that, by its own timestamp; of those partitions that have one. */
    Map<Integer, Long> firstSince(Set<Integer> partitions, long millis);

    /** What the drain has committed: how far its completed checkpoints have come, of those partitions that have it. */
    Map<Integer, Long> committed();

    /** Deletes what is below these offsets. */
    void deleteBelow(Map<Integer, Long> offsets);

    @Override
    void close();

    /** Connects. */
    @FunctionalInterface
    interface Factory extends Serializable {
        RetryLog open();
    }

    /** By a connection of its own. */
    static Factory of(KafkaConnection kafka, String topic, String groupId) {
        return () -> new OfKafka(kafka, topic, groupId);
    }

    /** The real one. */
    final class OfKafka implements RetryLog {

        private static final Duration TIMEOUT = Duration.ofSeconds(10);

        private final String topic;
        private final String groupId;
        private final Admin admin;

        private OfKafka(KafkaConnection kafka, String topic, String groupId) {
            this.topic = topic;
            this.groupId = groupId;
            Properties properties = kafka.clientProperties();
            properties.setProperty("default.api.timeout.ms", Long.toString(TIMEOUT.toMillis()));
            properties.setProperty("request.timeout.ms", Long.toString(TIMEOUT.toMillis() / 2));
            // Kafka's client loads classes by name, and a thread of a pool does not know the job's.
            Thread thread = Thread.currentThread();
            ClassLoader before = thread.getContextClassLoader();
            thread.setContextClassLoader(RetryLog.class.getClassLoader());
            try {
                admin = Admin.create(properties);
            } finally {
                thread.setContextClassLoader(before);
            }
        }

        @Override
        public Uuid id() {
            return answer(admin.describeTopics(List.of(topic)).topicNameValues().get(topic))
                    .topicId();
        }

        @Override
        public Map<Integer, Long> beginnings(Set<Integer> partitions) {
            return offsets(partitions, OffsetSpec.earliest());
        }

        @Override
        public Map<Integer, Long> firstSince(Set<Integer> partitions, long millis) {
            return offsets(partitions, OffsetSpec.forTimestamp(Math.max(0, millis)));
        }

        private Map<Integer, Long> offsets(Set<Integer> partitions, OffsetSpec which) {
            Map<Integer, Long> offsets = new HashMap<>();
            Map<TopicPartition, ListOffsetsResultInfo> found =
                    answer(admin.listOffsets(of(partitions, any -> which)).all());
            found.forEach((partition, offset) -> {
                // -1: none.
                if (offset.offset() >= 0) {
                    offsets.put(partition.partition(), offset.offset());
                }
            });
            return offsets;
        }

        @Override
        public Map<Integer, Long> committed() {
            Map<Integer, Long> committed = new HashMap<>();
            answer(admin.listConsumerGroupOffsets(groupId).partitionsToOffsetAndMetadata())
                    .forEach((partition, offset) -> {
                        if (offset != null && partition.topic().equals(topic)) {
                            committed.put(partition.partition(), offset.offset());
                        }
                    });
            return committed;
        }

        @Override
        public void deleteBelow(Map<Integer, Long> offsets) {
            answer(admin.deleteRecords(
                            of(offsets.keySet(), partition -> RecordsToDelete.beforeOffset(offsets.get(partition))))
                    .all());
        }

        private <T> Map<TopicPartition, T> of(Set<Integer> partitions, Function<Integer, T> each) {
            Map<TopicPartition, T> of = new HashMap<>();
            partitions.forEach(partition -> of.put(new TopicPartition(topic, partition), each.apply(partition)));
            return of;
        }

        private <T> T answer(KafkaFuture<T> asked) {
            try {
                return asked.get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
            } catch (ExecutionException e) {
                if (e.getCause() instanceof org.apache.kafka.common.errors.TimeoutException) {
                    throw unanswered(e.getCause());
                }
                throw e.getCause() instanceof KafkaException refused ? refused : new KafkaException(e.getCause());
            } catch (TimeoutException e) {
                throw unanswered(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw unanswered(e);
            }
        }

        private TopicIds.UnansweredException unanswered(Throwable cause) {
            return new TopicIds.UnansweredException("Kafka does not answer about topic " + topic, cause);
        }

        @Override
        public void close() {
            admin.close(Duration.ZERO);
        }
    }
}
