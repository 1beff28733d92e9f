package dev.engagement.local;

import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A row of {@code engagement_events}, but for its id, which PostgreSQL gives. */
public record EventRow(
        UUID contentId,
        @Nullable UUID userId,
        String eventType,
        Instant eventTs,
        @Nullable Integer durationMs,
        @Nullable String device,
        @Nullable String rawPayload) {}
