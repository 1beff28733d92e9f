package dev.engagement.connection.topics;

import dev.engagement.connection.KafkaConnection;
import java.io.Serializable;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Asks Kafka for the id of a topic, which a topic that is deleted and made again does not keep. */
@FunctionalInterface
public interface TopicIds extends Serializable {

    /** The id of a topic that is not known. */
    Uuid UNKNOWN = Uuid.ZERO_UUID;

    /**
     * What Kafka says of a topic.
     *
     * @param id {@link #UNKNOWN} if this client may not describe the topic, or the broker has no ids
     * @param partitions how many it has; {@link Integer#MAX_VALUE} if that is not known either
     */
    record Found(Uuid id, int partitions) {

        /** Of a topic that may not be described. */
        public static final Found NOTHING = new Found(UNKNOWN, Integer.MAX_VALUE);

        /** Whether it is known to be another topic than the one that had that id, {@link #UNKNOWN} included. */
        public boolean isOtherThan(Uuid was) {
            return !id.equals(UNKNOWN) && !was.equals(UNKNOWN) && !id.equals(was);
        }

        /** The beginning of a sentence about one that is another topic than it was. */
        public String madeAnew(String topic, Uuid was) {
            return "Topic " + topic + " was deleted and made again: its id was " + was + " and is " + id + " now";
        }

        /**
         * Of one that is another topic than it was: a partition that is gone can neither be read nor be known to be read
         * to its end.
         *
         * @param did what was done with the partition, as in "was being read"
         * @return what to say if that partition is gone, else null
         */
        public @Nullable String without(TopicPartition partition, String did) {
            return partition.partition() < partitions
                    ? null
                    : "Topic " + partition.topic() + " was deleted and made again with " + partitions
                            + " partitions, and partition " + partition.partition() + ' ' + did
                            + ". Give it at least as many as it had (kafka-topics.sh --alter --partitions), and restart"
                            + " with --accept-gap to continue at its beginning";
        }
    }

    /** Nobody has answered: another time somebody may. */
    final class UnansweredException extends IllegalStateException {

        private static final long serialVersionUID = 1L;

        public UnansweredException(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    /**
     * Looks a topic up. Blocks, for ten seconds at most.
     *
     * @throws UnansweredException if no broker answers
     * @throws IllegalStateException if a broker does, and knows no such topic
     */
    Found find(String topic);

    /** Asks over a connection of its own, which is closed again. */
    static TopicIds of(KafkaConnection kafka) {
        return topic -> Lookup.find(topic, kafka);
    }

    /** Knows no ids. */
    static TopicIds none() {
        return topic -> Found.NOTHING;
    }

    /** The look-up itself. */
    final class Lookup {

        private static final Logger LOG = LoggerFactory.getLogger(TopicIds.class);
        private static final Duration TIMEOUT = Duration.ofSeconds(10);

        private Lookup() {}

        static Found find(String topic, KafkaConnection kafka) {
            Properties properties = kafka.clientProperties();
            properties.setProperty("default.api.timeout.ms", Long.toString(TIMEOUT.toMillis()));
            properties.setProperty("request.timeout.ms", Long.toString(TIMEOUT.toMillis() / 2));
            // Kafka's client loads classes by name, and a thread of a pool does not know the job's.
            Thread thread = Thread.currentThread();
            ClassLoader before = thread.getContextClassLoader();
            thread.setContextClassLoader(TopicIds.class.getClassLoader());
            try (Admin admin = Admin.create(properties)) {
                TopicDescription found = admin.describeTopics(List.of(topic))
                        .topicNameValues()
                        .get(topic)
                        .get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
                return new Found(found.topicId(), found.partitions().size());
            } catch (ExecutionException e) {
                Throwable cause = e.getCause() == null ? e : e.getCause();
                if (cause instanceof AuthorizationException || cause instanceof UnsupportedVersionException) {
                    LOG.warn(
                            "The id of topic {} cannot be looked up ({}), so that a topic that was deleted and made again"
                                    + " is not noticed. Allow this client to DESCRIBE it",
                            topic,
                            cause.toString());
                    return Found.NOTHING;
                }
                if (cause instanceof UnknownTopicOrPartitionException) {
                    throw new IllegalStateException(message(topic, kafka, cause), cause);
                }
                throw new UnansweredException(message(topic, kafka, cause), cause);
            } catch (TimeoutException e) {
                throw new UnansweredException(message(topic, kafka, e), e);
            } catch (KafkaException e) {
                throw new IllegalStateException(message(topic, kafka, e), e);
            } catch (InterruptedException e) {
                thread.interrupt();
                throw new IllegalStateException(message(topic, kafka, e), e);
            } finally {
                thread.setContextClassLoader(before);
            }
        }

        private static String message(String topic, KafkaConnection kafka, Throwable cause) {
            return "Topic " + topic + " cannot be looked up at kafka.bootstrap-servers = " + kafka.bootstrapServers()
                    + " (" + cause + "), and nothing is read of it before it is known to be the same topic";
        }
    }
}
