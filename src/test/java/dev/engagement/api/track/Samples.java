package dev.engagement.api.track;

import dev.engagement.connection.PostgresConnection;
import dev.engagement.connection.SecretRef;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Events and options. */
final class Samples {

    static final String CONTENT = "7c9e6679-7425-40de-944b-e07fc1f90ae7";
    static final String USER = "0b5b3d6c-6f0c-4c8a-9d0e-6a3f1f6f0a11";
    static final String JSON = "application/json";
    static final String LINES = "application/x-ndjson";
    static final Instant NOW = Instant.parse("2026-01-08T09:00:30Z");

    private Samples() {}

    /** No server is asked. */
    static TrackOptions options() {
        return options(new PostgresConnection("jdbc:postgresql://127.0.0.1:1/nobody", "nobody", SecretRef.none()));
    }

    /** That wait for a slow machine. */
    static TrackOptions options(PostgresConnection source) {
        return options(source, 2, 20_000, 2_000);
    }

    static TrackOptions options(PostgresConnection source, int connections, int maxWaitingEvents, int maxGroupEvents) {
        return new TrackOptions(
                source,
                "public",
                "engagement_events",
                List.of("play", "pause", "finish", "click"),
                100_000,
                10_000,
                500,
                connections,
                maxWaitingEvents,
                maxGroupEvents,
                Duration.ofMinutes(5),
                Duration.ofDays(1),
                Duration.ofMinutes(1));
    }

    /** An event with nothing that it need not have. */
    static String event() {
        return event("");
    }

    /**
     * An event.
     *
     * @param more further fields, beginning with a comma
     */
    static String event(String more) {
        return "{\"content_id\":\"" + CONTENT + "\",\"user_id\":\"" + USER + "\",\"event_type\":\"click\"" + more + "}";
    }

    /** An event with a key of its own. */
    static String keyed(String key) {
        return event(",\"event_key\":\"" + key + "\"");
    }

    /** An array of so many events. */
    static byte[] array(int events) {
        return bytes(IntStream.range(0, events)
                .mapToObj(i -> event(",\"duration_ms\":" + i))
                .collect(Collectors.joining(",", "[", "]")));
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** A request under that key, or under none, that came then. */
    static TrackRequest request(@Nullable String key, int events, long sinceNanos) {
        List<TrackEvent> all = IntStream.range(0, events)
                .mapToObj(i -> new TrackEvent(i + 1, CONTENT, USER, "click", 0, null, null, null, null))
                .toList();
        return new TrackRequest(all, key, key, sinceNanos);
    }
}
