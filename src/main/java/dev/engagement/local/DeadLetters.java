package dev.engagement.local;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.engagement.connection.KafkaConnection;
import dev.engagement.connection.TopicReader;
import dev.engagement.event.EventId;
import java.io.IOException;
import java.util.Map;
import java.util.TreeSet;

/** The dead-letter topic, as anybody reads it. */
final class DeadLetters {

    static final String TOPIC = "engagement.dead-letters";

    private static final ObjectMapper JSON = new ObjectMapper();

    private DeadLetters() {}

    /** The ids of the events that are letters of that reason now; none if there is no such topic. */
    static TreeSet<EventId> eventIds(String bootstrapServers, String reason) throws IOException {
        TreeSet<EventId> ids = new TreeSet<>();
        try (TopicReader reader = TopicReader.open(new KafkaConnection(bootstrapServers, Map.of()))) {
            var unused = reader.read(TOPIC, Map.of(), Map.of(), record -> {
                JsonNode letter = JSON.readTree(record.value());
                if (letter.path("reason").asText().equals(reason)) {
                    JsonNode id = letter.path("event_id");
                    ids.add(id.isTextual() ? EventId.of(id.asText()) : EventId.of(id.asLong()));
                }
            });
        }
        return ids;
    }
}
