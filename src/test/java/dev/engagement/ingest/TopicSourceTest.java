package dev.engagement.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.connection.KafkaConnection;
import java.time.Clock;
import java.util.Map;
import org.apache.flink.configuration.MemorySize;
import org.junit.jupiter.api.Test;

class TopicSourceTest {

    /** Readers of both topics run in one JVM, where clients of one id share their metrics and warn of each other. */
    @Test
    void no_two_readers_of_a_job_share_a_client_id() {
        var events = source("events").consumerProperties(0);
        var content = source("content").consumerProperties(0);

        assertThat(events.getProperty("client.id"))
                .isEqualTo("group-events-0")
                .isNotEqualTo(content.getProperty("client.id"))
                .isNotEqualTo(source("events").consumerProperties(1).getProperty("client.id"));
        assertThat(events).containsEntry("auto.offset.reset", "none").containsEntry("group.id", "group");
    }

    private static TopicSource<?> source(String topic) {
        IngestOptions options = new IngestOptions(
                new KafkaConnection("localhost:1", Map.of()),
                "events",
                "content",
                "group",
                MemorySize.ofMebiBytes(1),
                false,
                EventTimeOptions.DEFAULT,
                EventRules.DEFAULT,
                null,
                IngestFormat.AUTO);
        return TopicSource.of(
                topic,
                options,
                format -> new EventDecoder(topic, 1, Clock.systemUTC()),
                DecodedRecordTypes.EVENTS,
                false);
    }
}
