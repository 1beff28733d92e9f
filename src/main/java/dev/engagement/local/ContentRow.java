package dev.engagement.local;

import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A row of {@code content}. */
public record ContentRow(
        UUID id,
        String slug,
        String title,
        String contentType,
        @Nullable Integer lengthSeconds,
        Instant publishTs) {}
