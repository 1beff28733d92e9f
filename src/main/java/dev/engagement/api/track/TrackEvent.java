package dev.engagement.api.track;

import org.jspecify.annotations.Nullable;

/**
 * An event as a producer sent it, checked. Immutable.
 *
 * @param line where it stood; see {@link TrackRefusedException.Refusal#line}
 * @param contentId as text, whatever the column's type
 * @param userId as text, whatever the column's type
 * @param eventTsMicros microseconds since the epoch, within years 1..9999
 * @param durationMs not negative; null if it has none
 * @param payload one JSON value that a column {@code jsonb} takes, or null
 * @param key its own name for it, or null
 */
record TrackEvent(
        int line,
        String contentId,
        String userId,
        String eventType,
        long eventTsMicros,
        @Nullable Integer durationMs,
        @Nullable String device,
        @Nullable String payload,
        @Nullable String key) {}
