package dev.engagement.local;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** The dead-letter topic, as anybody reads it. */
final class DeadLetters {

    static final String TOPIC = "engagement.dead-letters";

    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private static final ObjectMapper JSON = new ObjectMapper();

    private DeadLetters() {}

    /** The ids of the events that are letters of that reason now; none if there is no such topic. */
    static TreeSet<Long> eventIds(String bootstrapServers, String reason) throws IOException {
        TreeSet<Long> ids = new TreeSet<>();
        Map<String, Object> properties =
                Map.of("bootstrap.servers", bootstrapServers, "allow.auto.create.topics", "false");
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<PartitionInfo> partitions = consumer.listTopics(PATIENCE).getOrDefault(TOPIC, List.of());
            List<TopicPartition> all = partitions.stream()
                    .map(each -> new TopicPartition(TOPIC, each.partition()))
                    .toList();
            consumer.assign(all);
            consumer.seekToBeginning(all);
            Map<TopicPartition, Long> ends = consumer.endOffsets(all, PATIENCE);
            while (ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
                for (ConsumerRecord<byte[], byte[]> each : consumer.poll(PATIENCE)) {
                    JsonNode letter = JSON.readTree(each.value());
                    if (letter.path("reason").asText().equals(reason)) {
                        ids.add(letter.path("event_id").asLong());
                    }
                }
            }
        }
        return ids;
    }
}
