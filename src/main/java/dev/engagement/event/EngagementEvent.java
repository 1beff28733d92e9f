package dev.engagement.event;

import org.jspecify.annotations.Nullable;

/**
 * One row of {@code engagement_events} as it was read from its topic. Immutable.
 *
 * @param id the row's primary key and the event's identity everywhere; where that is a text, its {@link EventId#hash}, by
 *     which events are spread
 * @param textId the primary key if it is a text, and then the identity; null if it is a number
 * @param contentId opaque text: a UUID in most installations, a number in some; null where an event need not have one
 * @param userId opaque text, or null
 * @param eventType any text: the database owns the check
 * @param eventTsMicros when it happened, microseconds since the epoch, within years 1..9999
 * @param durationMs milliseconds, or {@link #NO_DURATION}; never negative otherwise
 * @param device any text, or null
 * @param rawPayload one JSON value as its source wrote it, or null
 * @param snapshot true if the row was read by a snapshot ({@code op} r), false if it was inserted ({@code op} c)
 * @param committedAtMillis when the source committed it, milliseconds since the epoch, or {@link #UNKNOWN_TIME}
 * @param position where in Kafka it was read
 */
public record EngagementEvent(
        long id,
        @Nullable String textId,
        @Nullable String contentId,
        @Nullable String userId,
        @Nullable String eventType,
        long eventTsMicros,
        int durationMs,
        @Nullable String device,
        @Nullable String rawPayload,
        boolean snapshot,
        long committedAtMillis,
        Position position) {

    /** {@link #durationMs} of an event whose source column is null. */
    public static final int NO_DURATION = -1;

    /** {@link #committedAtMillis} of an event whose source did not say: snapshot rows carry no commit time. */
    public static final long UNKNOWN_TIME = 0L;

    /** One whose primary key is a number. */
    public EngagementEvent(
            long id,
            String contentId,
            @Nullable String userId,
            @Nullable String eventType,
            long eventTsMicros,
            int durationMs,
            @Nullable String device,
            @Nullable String rawPayload,
            boolean snapshot,
            long committedAtMillis,
            Position position) {
        this(
                id,
                null,
                contentId,
                userId,
                eventType,
                eventTsMicros,
                durationMs,
                device,
                rawPayload,
                snapshot,
                committedAtMillis,
                position);
    }

    /** The identity as one object. */
    public EventId eventId() {
        return new EventId(id, textId);
    }

    /** Whether this one stands behind the other in the order of (event_ts, id). */
    public boolean isAfter(EngagementEvent other) {
        return eventTsMicros != other.eventTsMicros
                ? eventTsMicros > other.eventTsMicros
                : EventId.compare(id, textId, other.id, other.textId) > 0;
    }

    /** The same with another {@link #rawPayload}. */
    public EngagementEvent withRawPayload(String rawPayload) {
        return new EngagementEvent(
                id,
                textId,
                contentId,
                userId,
                eventType,
                eventTsMicros,
                durationMs,
                device,
                rawPayload,
                snapshot,
                committedAtMillis,
                position);
    }

    /**
     * The same as a change, and no row of a snapshot.
     *
     * @param committedAtMillis milliseconds since the epoch
     */
    public EngagementEvent committedAt(long committedAtMillis) {
        return new EngagementEvent(
                id,
                textId,
                contentId,
                userId,
                eventType,
                eventTsMicros,
                durationMs,
                device,
                rawPayload,
                false,
                committedAtMillis,
                position);
    }

    /** Whether the source gave a duration. */
    public boolean hasDuration() {
        return durationMs != NO_DURATION;
    }
}
