package dev.engagement.connection;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.CreateTopicsResult;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.TopicExistsException;

/** Makes the pipeline's topics where they are missing; those that are there are left as they are. */
public final class KafkaTopics {

    private static final Duration TIMEOUT = Duration.ofSeconds(15);

    /** A broker under load opens its partitions one after the other. */
    private static final Duration OPENING_TIMEOUT = Duration.ofMinutes(1);

    private static final Duration OPENING_POLL = Duration.ofMillis(20);

    private static final long MEBIBYTE = 1024L * 1024L;

    private static final String EVENTS_ARE_KEPT_FOR =
            Long.toString(Duration.ofDays(14).toMillis());

    private KafkaTopics() {}

    /**
     * A topic to be made.
     *
     * @param name its name
     * @param partitions how many partitions
     * @param settings Kafka's own topic settings
     */
    public record Topic(String name, int partitions, Map<String, String> settings) {

        /** Engagement events: 16 partitions, 14 days, messages to 8 MiB. */
        public static Topic ofEvents(String name) {
            return new Topic(
                    name,
                    16,
                    Map.of("retention.ms", EVENTS_ARE_KEPT_FOR, "max.message.bytes", Long.toString(8 * MEBIBYTE)));
        }

        /**
         * Contents: the latest of each for ever, in the order of one partition. Deletions stay readable as long as events
         * do: a job restored after the broker's own day would miss them, and keep those contents for ever.
         */
        public static Topic ofContent(String name) {
            return new Topic(
                    name,
                    1,
                    Map.of(
                            "cleanup.policy",
                            "compact",
                            "delete.retention.ms",
                            EVENTS_ARE_KEPT_FOR,
                            "max.message.bytes",
                            Long.toString(8 * MEBIBYTE)));
        }

        /** Which dead letters were put back: the mark of each for ever. */
        public static Topic ofRedriven(String name) {
            return new Topic(name, 4, Map.of("cleanup.policy", "compact"));
        }

        /** Dead letters: nothing expires, messages to 16 MiB. */
        public static Topic ofDeadLetters(String name) {
            return new Topic(name, 4, KEPT_FOR_EVER);
        }

        /** Deliveries to be tried again: 16 partitions, nothing expires, messages to 16 MiB. */
        public static Topic ofDeliveryRetries(String name) {
            return new Topic(name, 16, KEPT_FOR_EVER);
        }

        /** Receipts: the latest of each event for ever. */
        public static Topic ofDeliveryReceipts(String name) {
            return new Topic(name, 16, Map.of("cleanup.policy", "compact"));
        }

        private static final Map<String, String> KEPT_FOR_EVER = Map.of(
                "cleanup.policy", "delete",
                "retention.ms", "-1",
                "retention.bytes", "-1",
                "max.message.bytes", Long.toString(16 * MEBIBYTE));
    }

    /**
     * Makes the topics that are missing.
     *
     * @param replicationFactor -1 for the broker's default
     * @throws KafkaUnreachableException if no broker answers in time, or it refuses
     */
    public static void ensure(KafkaConnection kafka, short replicationFactor, List<Topic> topics) {
        asking(kafka, admin -> {
            List<NewTopic> missing = missing(admin, topics).stream()
                    .map(topic ->
                            new NewTopic(topic.name(), topic.partitions(), replicationFactor).configs(topic.settings()))
                    .toList();
            if (!missing.isEmpty()) {
                make(admin, missing, Pause.real());
            }
            return missing;
        });
    }

    /**
     * Those of the topics that are missing; makes none.
     *
     * @throws KafkaUnreachableException if no broker answers in time, or it refuses
     */
    public static List<Topic> missing(KafkaConnection kafka, List<Topic> topics) {
        return asking(kafka, admin -> missing(admin, topics));
    }

    private static List<Topic> missing(Admin admin, List<Topic> topics)
            throws ExecutionException, InterruptedException, TimeoutException {
        Set<String> existing = admin.listTopics().names().get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        return topics.stream().filter(topic -> !existing.contains(topic.name())).toList();
    }

    /** Asks Kafka. */
    @FunctionalInterface
    private interface Question<T> {
        T ask(Admin admin) throws ExecutionException, InterruptedException, TimeoutException;
    }

    private static <T> T asking(KafkaConnection kafka, Question<T> question) {
        Properties properties = kafka.clientProperties();
        properties.setProperty("default.api.timeout.ms", Long.toString(TIMEOUT.toMillis()));
        properties.setProperty("request.timeout.ms", Long.toString(TIMEOUT.toMillis() / 2));
        try (Admin admin = Admin.create(properties)) {
            return question.ask(admin);
        } catch (ExecutionException | TimeoutException | KafkaException e) {
            Throwable cause = e instanceof ExecutionException && e.getCause() != null ? e.getCause() : e;
            throw new KafkaUnreachableException(kafka, cause);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new KafkaUnreachableException(kafka, e);
        }
    }

    /** Returns when each partition of the topics answers. */
    static void make(Admin admin, List<NewTopic> missing, Pause pause)
            throws ExecutionException, InterruptedException, TimeoutException {
        create(admin, missing);
        awaitPartitions(admin, missing, pause);
    }

    private static void create(Admin admin, List<NewTopic> missing)
            throws ExecutionException, InterruptedException, TimeoutException {
        CreateTopicsResult created = admin.createTopics(missing);
        for (NewTopic topic : missing) {
            try {
                created.values().get(topic.name()).get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
            } catch (ExecutionException e) {
                // Another start may have made it in the meantime.
                if (!(e.getCause() instanceof TopicExistsException)) {
                    throw e;
                }
            }
        }
    }

    /**
     * Waits until each partition has a leader that answers. A topic is made before its broker knows of it, and a partition
     * that is only opening can lose the first batch that is written to it (KAFKA-15591).
     */
    private static void awaitPartitions(Admin admin, List<NewTopic> made, Pause pause)
            throws ExecutionException, InterruptedException, TimeoutException {
        List<String> names = made.stream().map(NewTopic::name).toList();
        long deadline = System.nanoTime() + OPENING_TIMEOUT.toNanos();
        while (true) {
            try {
                // Before the offsets: of a topic that it does not know yet the client says so as an error in its log.
                // And those that there are: another start may have made it with others, and of one that is not there
                // nobody hears.
                Map<TopicPartition, OffsetSpec> partitions = new HashMap<>();
                admin.describeTopics(names)
                        .allTopicNames()
                        .get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
                        .forEach((name, topic) -> topic.partitions()
                                .forEach(partition -> partitions.put(
                                        new TopicPartition(name, partition.partition()), OffsetSpec.latest())));
                admin.listOffsets(partitions).all().get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
                return;
            } catch (ExecutionException e) {
                if (!(e.getCause() instanceof RetriableException) || System.nanoTime() > deadline) {
                    throw e;
                }
            }
            pause.of(OPENING_POLL);
        }
    }

    /** Kafka cannot be reached, or does not let topics be made. */
    public static final class KafkaUnreachableException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        KafkaUnreachableException(KafkaConnection kafka, Throwable cause) {
            super(
                    "The topics cannot be looked up or made at kafka.bootstrap-servers = " + kafka.bootstrapServers()
                            + " (" + cause.getClass().getSimpleName() + ": " + cause.getMessage()
                            + "). Is the broker there, and may this client list and create topics?",
                    cause);
        }
    }
}
