package dev.engagement.capture;

import dev.engagement.connection.PostgresConnection;
import dev.engagement.connection.SecretRef;
import java.time.Duration;
import org.apache.flink.configuration.MemorySize;

/** Options as a test needs them. */
final class CaptureSamples {

    private CaptureSamples() {}

    static CaptureOptions options() {
        return options("jdbc:postgresql://db:5433/engagement?sslmode=require", SecretRef.none());
    }

    static CaptureOptions options(String url, SecretRef password) {
        return new CaptureOptions(
                new PostgresConnection(url, "capture", password),
                "public",
                "engagement_events",
                "content",
                "heartbeat",
                "the_slot",
                "the_publication",
                CaptureOptions.Start.INITIAL,
                Duration.ofSeconds(10),
                MemorySize.parse("1kb"),
                "events-topic",
                "content-topic",
                false,
                null);
    }
}
