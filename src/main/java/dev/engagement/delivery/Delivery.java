package dev.engagement.delivery;

import dev.engagement.event.EventId;
import dev.engagement.event.Position;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One event that the receiver does not have yet, as state and the retry topic carry it. Immutable; its body is not to be
 * written to.
 *
 * @param eventId the event's id
 * @param body the event's JSON: the same bytes in every attempt
 * @param attempts how often the receiver has answered without taking it
 * @param source where the event stood in the events topic; a partition and an offset of -1 if that is not known
 * @param sinceMillis when it was first to be delivered, milliseconds since the epoch
 * @param notBeforeMillis when it may be tried again, milliseconds since the epoch; 0 for at once
 * @param committedAtMillis when the event's row was committed, milliseconds since the epoch; 0 if that is not known
 * @param unanswered why the last attempt of those without an answer had none; null if all of them were answered
 */
public record Delivery(
        EventId eventId,
        byte[] body,
        int attempts,
        Position source,
        long sinceMillis,
        long notBeforeMillis,
        long committedAtMillis,
        Answer.@Nullable Unanswered unanswered) {

    /** {@link #source} of an event of which it is not known. */
    public static final Position UNKNOWN_SOURCE = new Position(-1, -1, -1);

    /** One of which all attempts were answered, or none was made. */
    public Delivery(
            EventId eventId,
            byte[] body,
            int attempts,
            Position source,
            long sinceMillis,
            long notBeforeMillis,
            long committedAtMillis) {
        this(eventId, body, attempts, source, sinceMillis, notBeforeMillis, committedAtMillis, null);
    }

    /** The same, after an attempt that was answered, and not to be tried before {@code millis}. */
    Delivery afterAnswer(long millis) {
        return new Delivery(eventId, body, attempts + 1, source, sinceMillis, millis, committedAtMillis, unanswered);
    }

    /** The same, after an attempt without an answer, and not to be tried before {@code millis}. */
    Delivery afterNone(Answer.Unanswered why, long millis) {
        return new Delivery(eventId, body, attempts, source, sinceMillis, millis, committedAtMillis, why);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Delivery that
                && eventId.equals(that.eventId)
                && attempts == that.attempts
                && sinceMillis == that.sinceMillis
                && notBeforeMillis == that.notBeforeMillis
                && committedAtMillis == that.committedAtMillis
                && source.equals(that.source)
                && Objects.equals(unanswered, that.unanswered)
                && Arrays.equals(body, that.body);
    }

    @Override
    public int hashCode() {
        return eventId.hashCode();
    }

    /** Without the body, which is somebody's data. */
    @Override
    public String toString() {
        return "Delivery[" + eventId + ", " + body.length + " bytes, " + attempts + " attempts, not before "
                + notBeforeMillis + "]";
    }
}
