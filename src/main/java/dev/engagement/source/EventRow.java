package dev.engagement.source;

import dev.engagement.event.EventId;
import org.jspecify.annotations.Nullable;

/**
 * One row of the events table, its columns as texts. Immutable.
 *
 * @param id primary key; of one that is a text its hash
 * @param textId primary key if it is a text, or null
 * @param contentId the column's text, whatever its type
 * @param userId the column's text, whatever its type
 * @param eventType any text
 * @param eventTs PostgreSQL's text of the time, in UTC
 * @param durationMs milliseconds
 * @param device any text
 * @param rawPayload JSONB as its text
 */
public record EventRow(
        long id,
        @Nullable String textId,
        @Nullable String contentId,
        @Nullable String userId,
        @Nullable String eventType,
        String eventTs,
        @Nullable Integer durationMs,
        @Nullable String device,
        @Nullable String rawPayload)
        implements TableRow {

    /** One whose primary key is a number. */
    public EventRow(
            long id,
            @Nullable String contentId,
            @Nullable String userId,
            @Nullable String eventType,
            String eventTs,
            @Nullable Integer durationMs,
            @Nullable String device,
            @Nullable String rawPayload) {
        this(id, null, contentId, userId, eventType, eventTs, durationMs, device, rawPayload);
    }

    /** Its identity. */
    public EventId eventId() {
        return new EventId(id, textId);
    }

    /** Enough characters for everything but the texts. */
    private static final int FRAME = 512;

    /** The most bytes that its envelope may have: JSON writes a character in six bytes at most. */
    public long maxBytes() {
        return FRAME
                + 6L * (length(contentId) + length(userId) + length(eventType) + length(device) + length(rawPayload));
    }

    private static long length(@Nullable String text) {
        return text == null ? 0 : text.length();
    }
}
