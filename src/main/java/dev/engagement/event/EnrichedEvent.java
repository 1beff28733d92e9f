package dev.engagement.event;

/**
 * An event with its content as the job knew it when the event was first enriched. Immutable; what every destination
 * receives.
 *
 * @param event the facts
 * @param content the content at that moment; {@link Content#NONE} of an event that passed without one
 * @param engagement the two computed values
 */
public record EnrichedEvent(EngagementEvent event, Content content, Engagement engagement) {}
