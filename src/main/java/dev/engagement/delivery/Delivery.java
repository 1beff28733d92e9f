package dev.engagement.delivery;

import dev.engagement.event.Position;
import java.util.Arrays;

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
 */
public record Delivery(
        long eventId,
        byte[] body,
        int attempts,
        Position source,
        long sinceMillis,
        long notBeforeMillis,
        long committedAtMillis) {

    /** {@link #source} of an event of which it is not known. */
    public static final Position UNKNOWN_SOURCE = new Position(-1, -1, -1);

    /** The same, after {@code more} answers, and not to be tried before {@code millis}. */
    Delivery after(int more, long millis) {
        return new Delivery(eventId, body, attempts + more, source, sinceMillis, millis, committedAtMillis);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Delivery that
                && eventId == that.eventId
                && attempts == that.attempts
                && sinceMillis == that.sinceMillis
                && notBeforeMillis == that.notBeforeMillis
                && committedAtMillis == that.committedAtMillis
                && source.equals(that.source)
                && Arrays.equals(body, that.body);
    }

    @Override
    public int hashCode() {
        return Long.hashCode(eventId);
    }

    /** Without the body, which is somebody's data. */
    @Override
    public String toString() {
        return "Delivery[" + eventId + ", " + body.length + " bytes, " + attempts + " attempts, not before "
                + notBeforeMillis + "]";
    }
}
