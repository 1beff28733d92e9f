package dev.engagement.delivery;

import dev.engagement.event.EventId;

/**
 * That the receiver has an event.
 *
 * @param eventId the event's id
 * @param deliveredAtMillis when it answered, milliseconds since the epoch
 * @param status what it answered
 */
record Receipt(EventId eventId, long deliveredAtMillis, int status) {}
