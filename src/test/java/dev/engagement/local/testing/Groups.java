package dev.engagement.local.testing;

import static org.awaitility.Awaitility.await;

import dev.engagement.local.KafkaServer;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/** How far a job has read, by the offsets that it reports: those of its completed checkpoints. */
public final class Groups {

    /** The group of {@code stream}, unless it is told another. */
    public static final String STREAM = "engagement-stream";

    private static final Duration TIMEOUT = Duration.ofMinutes(5);

    private Groups() {}

    /**
     * Waits until a checkpoint of the group's job holds every record that the topic has now: whatever stage takes them in has
     * done so, and what is written from now on comes after them.
     */
    public static void awaitRead(KafkaServer kafka, String group, String topic) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()))) {
            TopicDescription description =
                    admin.describeTopics(Set.of(topic)).allTopicNames().get().get(topic);
            Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
            description
                    .partitions()
                    .forEach(each -> asked.put(new TopicPartition(topic, each.partition()), OffsetSpec.latest()));
            Map<TopicPartition, Long> ends = new HashMap<>();
            admin.listOffsets(asked).all().get().forEach((partition, end) -> ends.put(partition, end.offset()));
            await(group + " has read " + topic)
                    .atMost(TIMEOUT)
                    .pollInterval(Duration.ofMillis(50))
                    .until(() -> {
                        Map<TopicPartition, OffsetAndMetadata> read = admin.listConsumerGroupOffsets(group)
                                .partitionsToOffsetAndMetadata()
                                .get();
                        return ends.entrySet().stream().allMatch(end -> {
                            OffsetAndMetadata at = read.get(end.getKey());
                            return end.getValue() == 0 || (at != null && at.offset() >= end.getValue());
                        });
                    });
        }
    }
}
