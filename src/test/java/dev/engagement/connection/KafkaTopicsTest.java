package dev.engagement.connection;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.connection.KafkaTopics.Topic;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class KafkaTopicsTest {

    @Test
    void a_deleted_content_stays_readable_as_deleted_as_long_as_events_are_kept() {
        String fourteenDays = Long.toString(Duration.ofDays(14).toMillis());
        assertThat(Topic.ofEvents("events").settings()).containsEntry("retention.ms", fourteenDays);
        assertThat(Topic.ofContent("content").settings())
                .containsEntry("cleanup.policy", "compact")
                .containsEntry("delete.retention.ms", fourteenDays);
    }
}
