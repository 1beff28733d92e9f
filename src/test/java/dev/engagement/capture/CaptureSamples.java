package dev.engagement.capture;

import dev.engagement.connection.PostgresConnection;
import dev.engagement.connection.SecretRef;
import java.time.Duration;
import java.util.List;
import org.apache.flink.configuration.MemorySize;
import org.jspecify.annotations.Nullable;

/** Options as a test needs them. */
final class CaptureSamples {

    private CaptureSamples() {}

    static CaptureOptions options() {
        return options("jdbc:postgresql://db:5433/engagement?sslmode=require", SecretRef.none());
    }

    static CaptureOptions options(String url, SecretRef password) {
        return options(url, password, false, 0, null);
    }

    /** Of an outbox. */
    static CaptureOptions ofOutbox(boolean acceptFiltered) {
        return options("jdbc:postgresql://db:5433/engagement", SecretRef.none(), acceptFiltered, 0, outbox());
    }

    /** As it is by default, with an aggregate type of somebody else's. */
    static OutboxOptions outbox() {
        return outbox(false);
    }

    static OutboxOptions outbox(boolean purge) {
        return new OutboxOptions(
                "outbox_events",
                "id",
                "aggregatetype",
                "aggregateid",
                "type",
                "payload",
                "created_at",
                "engagement_event",
                "content",
                List.of("invoice"),
                List.of("delete", "deleted"),
                "engagement",
                purge);
    }

    /** With a timeline that is gone on with. */
    static CaptureOptions accepting(int timeline) {
        return options("jdbc:postgresql://db:5433/engagement?sslmode=require", SecretRef.none(), false, timeline, null);
    }

    private static CaptureOptions options(
            String url,
            SecretRef password,
            boolean acceptFiltered,
            int acceptTimeline,
            @Nullable OutboxOptions outbox) {
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
                acceptFiltered,
                acceptTimeline,
                outbox,
                null);
    }
}
